import assert from 'node:assert/strict';
import { Engine, parsePath } from '../../src';
import { CoapCode } from '../../src/coap';
import { parseRegisteredObjects } from '../../src/server/registered-objects';
import { MemoryStore } from '../../src/store/memory-store';
import { MemoryNetwork } from '../support/memory-network';
import { ScriptedDevice } from '../support/scripted-device';
import { SimulatedClock } from '../support/simulated-clock';

/** A store in memory that is as one in files after a restart: all lifetimes begin anew when it opens. */
class RestartedStore extends MemoryStore {
  override async open(): Promise<void> {
    for (const { endpoint, revision } of this.registrations.all()) this.registrations.renew(endpoint, revision);
    await super.open();
  }
}

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

  it('gives every registration a fresh lifetime, and ends it when that is over', async () => {
    const clock = new SimulatedClock();
    const store = new RestartedStore(clock);
    const network = new MemoryNetwork(clock);
    const first = new Engine({ clock, store, noSec: 'any', transports: [network.transport(SERVER)] });
    await first.start();
    await new ScriptedDevice(network, '192.0.2.10:4000', SERVER).register({ endpoint: 'lamp-1', lifetime: 60 });
    await first.close();
    await clock.advance(3_600_000);

    const second = new Engine({ clock, store, noSec: 'any', transports: [network.transport(SERVER)] });
    const expired: string[] = [];
    second.on('device', ({ topic, endpoint }) => {
      if (topic === 'expired') expired.push(endpoint);
    });
    await second.start();
    await clock.advance(59_000);
    assert.deepEqual([second.devices().length, expired], [1, []]);
    await clock.advance(5_000);
    assert.deepEqual(expired, ['lamp-1']);
    await second.close();
  });

  it('takes up 100,000 registrations a few at a time: everything else has its turn, and devices hear to come again', async function () {
    this.timeout(60_000);
    const clock = new SimulatedClock();
    const store = new MemoryStore(clock);
    const network = new MemoryNetwork(clock);
    const objects = parseRegisteredObjects(Buffer.from('</1/0>,</3/0>,</3311/0>'));
    for (let n = 0; n < 100_000; n += 1) {
      store.registrations.put(
        {
          id: `id-${n}`,
          endpoint: `lamp-${n}`,
          revision: 1,
          owner: 'engine',
          version: '1.1',
          binding: 'U',
          queueMode: false,
          lifetime: 300,
          lifetimeRequested: 300,
          objects,
          scheme: 'coap',
          address: { host: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, port: 5683 },
          identity: { mode: 'nosec' },
          registeredAt: clock.now(),
        },
        0,
      );
    }
    const engine = new Engine({ clock, store, noSec: 'any', transports: [network.transport(SERVER)] });
    let turns = 0;
    let started = false;
    const turn = (): void => {
      turns += 1;
      if (!started) setImmediate(turn);
    };
    const device = new ScriptedDevice(network, '10.0.0.1:5683', SERVER);
    const starting = engine.start().then(() => {
      started = true;
    });
    setImmediate(turn);
    device.location = ['rd', 'id-1'];
    while (engine.addresses.length === 0) await clock.settle();
    const early = device.update();
    assert.equal(started, false);
    await starting;
    assert.equal((await early).code, CoapCode.Changed);
    // 500 at once, by the server and then by the fleet.
    assert.ok(turns >= 400, `${turns} turns`);
    assert.equal((await device.update()).code, CoapCode.Changed);
    assert.equal(engine.devices().length, 100_000);
    await engine.close();
    assert.equal(clock.timers, 0);
  });

  it('forgets observations of registrations that ended unnoticed', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore(clock);
    const network = new MemoryNetwork(clock);
    const first = new Engine({ clock, store, noSec: 'any', transports: [network.transport(SERVER)] });
    await first.start();
    await new ScriptedDevice(network, '192.0.2.10:4000', SERVER).register({ endpoint: 'lamp-1' });
    await first.close();
    for (const endpoint of ['lamp-1', 'lamp-2']) {
      const token = Buffer.from(endpoint);
      store.observations.put({ endpoint, registrationId: 'before', token, paths: ['/3311/0/5851'], composite: false });
    }
    const second = new Engine({ clock, store, noSec: 'any', transports: [network.transport(SERVER)] });
    await second.start();
    assert.equal(store.observations.count(), 0);
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
