import assert from 'node:assert/strict';
import { Engine, parsePath } from '../../src';
import { CoapCode } from '../../src/coap';
import { MemoryStore } from '../../src/store/memory-store';
import { MemoryNetwork } from '../support/memory-network';
import { ScriptedDevice } from '../support/scripted-device';
import { SimulatedClock } from '../support/simulated-clock';

const SERVER = '192.0.2.1:5683';
const DIMMER = parsePath('/3311/0/5851');

describe('An engine that starts on the store of the one before', () => {
  it('goes on with registrations and observations, and the device has to do nothing', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore(clock);
    const network = new MemoryNetwork(clock);
    const values: unknown[] = [];
    const policy = { target: { all: true as const }, paths: [DIMMER] };
    const listener = {
      value: ({ payload }: { payload: unknown }) => values.push(payload),
      failed: ({ error }: { error: Error }) => assert.fail(error),
    };
    const start = async (): Promise<Engine> => {
      const engine = new Engine({ clock, store, noSec: 'any', transports: [network.transport(SERVER)] });
      await engine.start();
      return engine;
    };

    const first = await start();
    await first.observePolicy('p', policy, listener);
    const device = new ScriptedDevice(network, '192.0.2.10:4000', SERVER);
    await device.register({ endpoint: 'lamp-1' });
    const observe = await device.expectRequest();
    observe.reply(CoapCode.Content, { observe: 1, contentFormat: 0 }, '10');
    await clock.settle();
    await first.close();
    assert.equal(store.observations.count(), 1);
    assert.equal(clock.timers, 0);

    const second = await start();
    assert.deepEqual(
      second.devices().map(({ endpoint, connectivity }) => [endpoint, connectivity]),
      [['lamp-1', 'online']],
    );
    await second.observePolicy('p', policy, listener);
    await clock.settle();
    assert.deepEqual(device.inbox, []);
    device.notify(observe.message.token, 2, '20', { contentFormat: 0 });
    await clock.settle();
    assert.deepEqual(values, [10, 20]);

    const reading = second.perform('lamp-1', { operation: 'read', paths: [DIMMER] });
    (await device.expectRequest()).reply(CoapCode.Content, { contentFormat: 0 }, '20');
    assert.equal((await reading).payload, 20);
    assert.equal((await device.update()).code, CoapCode.Changed);
    await second.close();
  });

  it('runs on the port that is free when another is taken, says so, and takes it when it is free', async () => {
    const clock = new SimulatedClock();
    const network = new MemoryNetwork(clock);
    const taken = '192.0.2.1:9999';
    const other = new Engine({ clock, transports: [network.transport(taken)] });
    await other.start();
    const engine = new Engine({ clock, transports: [network.transport(SERVER), network.transport(taken)] });
    const troubles: (Error | undefined)[] = [];
    engine.on('trouble', (error) => troubles.push(error));
    await engine.start();
    assert.match(engine.trouble?.message ?? '', /9999/);
    assert.equal(engine.addresses.length, 1);
    await other.close();
    await clock.advance(10_000);
    assert.deepEqual(troubles, [undefined]);
    assert.equal(engine.trouble, undefined);
    assert.equal(engine.addresses.length, 2);
    await engine.close();
    assert.equal(clock.timers, 0);
  });

  it('leaves nothing behind when a port is taken', async () => {
    const clock = new SimulatedClock();
    const network = new MemoryNetwork(clock);
    const one = new Engine({ clock, transports: [network.transport(SERVER)] });
    await one.start();
    const two = new Engine({ clock, transports: [network.transport(SERVER)] });
    await assert.rejects(two.start(), { code: 'TRANSPORT' });
    await one.close();
    await two.close();
    assert.equal(clock.timers, 0);
  });
});
