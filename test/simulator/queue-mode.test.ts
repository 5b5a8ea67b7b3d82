import assert from 'node:assert/strict';
import { once } from 'node:events';
import { realNetwork } from '../support/simulated-clock';
import { startLamp, type Lamp } from './lamp';
import type { SimulatedDeviceOptions } from '../../src/simulator';

const QUEUE_MODE: Partial<SimulatedDeviceOptions> = {
  queueMode: true,
  awakeTime: 10,
  updateInterval: 60,
  lifetime: 3600,
};

describe('A simulated device in queue mode', () => {
  let lamp: Lamp;

  const start = async (options: Partial<SimulatedDeviceOptions> = {}, keys?: ReadonlyMap<string, Buffer>) => {
    lamp = await startLamp({ ...QUEUE_MODE, ...options }, keys);
    return lamp;
  };

  afterEach(async () => {
    assert.deepEqual(lamp.faults, []);
    await lamp.end();
    assert.equal(lamp.clock.timers, 0);
  });

  const fallAsleep = async () => {
    const asleep = once(lamp.device, 'asleep');
    await lamp.clock.advance(10_000);
    await asleep;
  };

  it('says so when it registers, each version in its own words', async () => {
    for (const [version, binding, q] of [
      ['1.0', 'UQ', false],
      ['1.1', 'U', true],
      ['1.2', 'U', true],
    ] as const) {
      let query: Readonly<Record<string, string | undefined>> = {};
      const register = ({ query: asked }: { query: typeof query }) => {
        query = asked;
        return undefined;
      };
      await start({ version }, undefined);
      lamp.server.respond = register;
      const registered = once(lamp.device, 'registered');
      await lamp.ask('POST', '/3/0/4');
      await lamp.clock.advance(5_000);
      await registered;
      assert.deepEqual([query['b'], 'Q' in query], [binding, q]);
      assert.equal((await lamp.server.next('register')).query['ep'], 'lamp-1');
      assert.equal(lamp.device.objects.find(1, 0, 7)?.value, binding);
      if (version !== '1.2') await lamp.end();
    }
  });

  it('answers for its awake time after each exchange, and then no longer', async () => {
    await start();
    await lamp.clock.advance(9_000);
    assert.equal((await lamp.ask('GET', '/3/0/0')).code, '2.05');
    await lamp.clock.advance(9_000);
    assert.equal((await lamp.ask('GET', '/3/0/0')).code, '2.05');
    await fallAsleep();
    assert.equal(lamp.device.asleep, true);
    assert.equal(lamp.device.registered, true);
    const silent = new AbortController();
    const unanswered = assert.rejects(lamp.server.ask(lamp.channel, 'GET', '/3/0/0', {}, silent.signal));
    await realNetwork();
    silent.abort();
    await unanswered;
  });

  it('wakes at its update interval, at another address, and answers there', async () => {
    await start();
    await fallAsleep();
    const awake = once(lamp.device, 'awake');
    const updated = once(lamp.device, 'updated');
    await lamp.clock.advance(50_000);
    await awake;
    const { channel, location } = await lamp.server.next('update');
    await updated;
    assert.equal(location, '/rd/1');
    assert.notEqual(channel.address.port, lamp.channel.address.port);
    assert.equal((await lamp.server.ask(channel, 'GET', '/3/0/0')).code, '2.05');
    await fallAsleep();
  });

  it('wakes for a notification, which follows the update that tells where it is', async () => {
    await start();
    const { inbox } = await lamp.server.observe(lamp.channel, 'GET', '/3311/0/5851');
    await fallAsleep();
    const dimmer = lamp.device.objects.find(3311, 0, 5851);
    assert.ok(dimmer);
    lamp.server.respond = ({ method, channel }) => {
      if (method === 'update') lamp.server.move(lamp.channel, channel);
      return undefined;
    };
    dimmer.value = 20;
    await lamp.server.next('update');
    assert.equal((await inbox.next()).payload.toString(), '20');
  });

  it('wakes to send', async () => {
    await start();
    await fallAsleep();
    const sent = lamp.device.send(['/3311/0/5851']);
    const update = await lamp.server.next('update');
    const { channel } = await lamp.server.next('send');
    assert.equal(channel.address.port, update.channel.address.port);
    await sent;
  });

  it('stays awake while an answer is missing', async () => {
    await start();
    lamp.server.lose = () => true;
    const failed = once(lamp.device, 'failed');
    lamp.device.on('asleep', () => assert.fail('it slept through its own request'));
    lamp.device.objects.add(3311, 4, { 5850: { value: false } });
    await lamp.clock.advance(31_000);
    await failed;
    lamp.server.lose = () => false;
    lamp.device.removeAllListeners('asleep');
    await lamp.clock.advance(3_000);
    await lamp.server.next('register');
  });

  it('keeps its DTLS session while it sleeps', async () => {
    const key = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
    await start({ security: { mode: 'psk', key } }, new Map([['lamp-1', key]]));
    await fallAsleep();
    const updated = once(lamp.device, 'updated');
    await lamp.clock.advance(50_000);
    const { channel } = await lamp.server.next('update');
    await updated;
    assert.equal(channel, lamp.channel);
  });

  it('makes a new DTLS session and registers when its modem returns elsewhere', async () => {
    const key = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
    await start({ security: { mode: 'psk', key } }, new Map([['lamp-1', key]]));
    const registered = once(lamp.device, 'registered');
    lamp.device.vanish();
    lamp.device.comeBack(true);
    const { channel } = await lamp.server.next('register');
    await registered;
    assert.notEqual(channel.address.port, lamp.channel.address.port);
    assert.equal((await lamp.server.ask(channel, 'GET', '/3/0/0')).code, '2.05');
  });

  it('says goodbye although it sleeps', async () => {
    await start();
    await fallAsleep();
    await lamp.device.close();
    await lamp.server.next('deregister');
  });
});
