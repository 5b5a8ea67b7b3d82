import assert from 'node:assert/strict';
import { once } from 'node:events';
import { CoapCode } from '../../src/coap';
import { ResponseError, TimeoutError } from '../../src/errors';
import { pathOf } from '../../src/model';
import { SimulatedClock } from '../support/simulated-clock';
import { makeLamp, startLamp, type Lamp } from './lamp';
import { ScriptedServer, valuesOf, type Answer } from './scripted-server';

describe('The registration of a simulated device', () => {
  let lamp: Lamp;

  beforeEach(async () => {
    lamp = await startLamp();
  });

  afterEach(async () => {
    await lamp.end();
    assert.deepEqual(lamp.faults, []);
  });

  const refusing = (code: number, maxAge?: number) => () => ({
    code,
    ...(maxAge !== undefined && { options: { maxAge } }),
  });

  it('says who it is and what it has', async () => {
    const server = await new ScriptedServer().start();
    for (const version of ['1.0', '1.1', '1.2'] as const) {
      const device = makeLamp(server.uri, new SimulatedClock(), { endpoint: 'lamp & co=1', lifetime: 300, version });
      await device.start();
      const { query, payload, location } = await server.next('register');
      assert.equal(location, '/rd');
      assert.deepEqual(query, { ep: 'lamp & co=1', lt: '300', lwm2m: version, b: 'U' });
      const ct = {
        '1.0': '11543',
        '1.1': '"60 110 112 11542 11543"',
        '1.2': '"60 110 112 320 322 11542 11543 11544"',
      }[version];
      const ver = version === '1.0' ? ['', ''] : [`</1>;ver="${version}",`, `</3>;ver="${version}",`];
      const objects = `${ver[0]}</1/0>,${ver[1]}</3/0>,</3301>;ver="1.1",</3301/0>,</3311/0>`;
      assert.equal(payload.toString().replace(/ver=([0-9.]+)/g, 'ver="$1"'), `</>;rt="oma.lwm2m";ct=${ct},${objects}`);
      await device.close();
    }
    await server.stop();
  });

  it('is updated before the lifetime ends, with nothing that the server knows', async () => {
    for (let round = 0; round < 3; round += 1) {
      await lamp.clock.advance(44_900);
      assert.equal(lamp.server.requests.length, 0);
      const updated = once(lamp.device, 'updated');
      await lamp.clock.advance(9_100);
      const { query, payload } = await lamp.server.next('update');
      assert.deepEqual(query, {});
      assert.equal(payload.length, 0);
      await updated;
    }
  });

  it('is updated at once with a lifetime that the server has written', async () => {
    const updated = once(lamp.device, 'updated');
    assert.equal((await lamp.ask('PUT', '/1/0/1', { format: 'text', payload: '600' })).code, '2.04');
    assert.deepEqual((await lamp.server.next('update')).query, { lt: '600' });
    await updated;
    await lamp.clock.advance(440_000);
    assert.equal(lamp.server.requests.length, 0);
    await lamp.clock.advance(100_000);
    assert.deepEqual((await lamp.server.next('update')).query, {});
  });

  it('is updated when the server asks for it', async () => {
    assert.equal((await lamp.ask('POST', '/1/0/8')).code, '2.04');
    assert.deepEqual((await lamp.server.next('update')).query, {});
  });

  it('is made anew when the server has forgotten it', async () => {
    lamp.server.respond = ({ method }) => (method === 'update' ? { code: CoapCode.NotFound } : undefined);
    const registered = once(lamp.device, 'registered');
    await lamp.ask('POST', '/1/0/8');
    await lamp.server.next('update');
    assert.equal((await lamp.server.next('register')).query['ep'], 'lamp-1');
    assert.deepEqual(await registered, ['/rd/2']);
  });

  it('survives a server that restarts, and finds it again with growing waits', async () => {
    const { port } = lamp.server;
    const failedAt: number[] = [];
    lamp.device.on('failed', (error) => {
      assert.ok(error instanceof TimeoutError);
      failedAt.push(lamp.clock.monotonic());
    });
    await lamp.server.stop();
    await lamp.clock.advanceUntil(() => failedAt.length === 8, 1_000_000);
    assert.equal(lamp.device.registered, false);
    const waits = failedAt.slice(1).map((time, index) => time - (failedAt[index] ?? NaN) - 31_000);
    for (const [index, most] of [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000].entries()) {
      const wait = waits[index] ?? NaN;
      assert.ok(wait >= most / 2 && wait <= most, `wait ${index} is ${wait} ms`);
    }
    const restarted = await new ScriptedServer().start(port);
    const registered = once(lamp.device, 'registered');
    await lamp.clock.advance(60_000);
    await restarted.next('register');
    await registered;
    await lamp.device.close();
    await restarted.stop();
  });

  it('waits as long as an overloaded server tells it to', async () => {
    lamp.server.respond = refusing(CoapCode.ServiceUnavailable, 300);
    const failed = once(lamp.device, 'failed');
    await lamp.ask('POST', '/1/0/8');
    await lamp.server.next('update');
    const [error] = (await failed) as [unknown];
    assert.ok(error instanceof ResponseError && error.responseCode === '5.03');
    assert.equal(lamp.device.registered, true, 'put off is not forgotten');
    lamp.server.respond = () => undefined;
    await lamp.clock.advance(299_000);
    assert.equal(lamp.server.requests.length, 0);
    await lamp.clock.advance(32_000);
    await lamp.server.next('update');
  });

  it('is tried again when it is refused', async () => {
    const server = await new ScriptedServer().start();
    server.respond = refusing(CoapCode.Forbidden);
    const clock = new SimulatedClock();
    const device = makeLamp(server.uri, clock);
    const failed = once(device, 'failed');
    await device.start();
    const [error] = (await failed) as [unknown];
    assert.ok(error instanceof ResponseError && error.responseCode === '4.03');
    await server.next('register');
    server.respond = () => undefined;
    const registered = once(device, 'registered');
    await clock.advance(2_000);
    await server.next('register');
    await registered;
    await device.close();
    await server.stop();
  });

  it('ends with a De-register when the device is closed', async () => {
    const deregistered = once(lamp.device, 'deregistered');
    await lamp.device.close();
    assert.equal((await lamp.server.next('deregister')).location, '/rd/1');
    await deregistered;
    assert.equal(lamp.device.registered, false);
  });

  it('pauses when the server disables it, for the time that the server has set', async () => {
    assert.equal((await lamp.ask('PUT', '/1/0/5', { format: 'text', payload: '120' })).code, '2.04');
    assert.equal((await lamp.ask('POST', '/1/0/4')).code, '2.04');
    await lamp.server.next('deregister');
    const silent = new AbortController();
    const unanswered = assert.rejects(
      lamp.server.ask(lamp.channel, 'GET', '/3/0/0', {}, silent.signal),
      /abort|cancel/i,
    );
    await lamp.clock.advance(119_000);
    assert.equal(lamp.server.requests.length, 0);
    silent.abort();
    await unanswered;
    const registered = once(lamp.device, 'registered');
    await lamp.clock.advance(1_000);
    await lamp.server.next('register');
    await registered;
    assert.equal((await lamp.ask('GET', '/3/0/0')).code, '2.05');
  });

  it('waits on when a server that disabled it puts it off, and finds its way back', async () => {
    await lamp.ask('PUT', '/1/0/5', { format: 'text', payload: '60' });
    await lamp.ask('POST', '/1/0/4');
    await lamp.server.next('deregister');
    lamp.server.respond = refusing(CoapCode.ServiceUnavailable, 200);
    const failed = once(lamp.device, 'failed');
    await lamp.clock.advance(60_000);
    await lamp.server.next('register');
    await failed;
    lamp.server.respond = () => undefined;
    await lamp.clock.advance(199_000);
    assert.equal(lamp.server.requests.length, 0);
    const registered = once(lamp.device, 'registered');
    // A tenth more, by chance.
    await lamp.clock.advance(21_000);
    await lamp.server.next('register');
    await registered;
  });

  it('is updated from another address by a modem that comes back after a time', async () => {
    const returned = once(lamp.device, 'returned');
    lamp.device.vanish(30);
    await lamp.clock.advance(29_000);
    assert.equal(lamp.server.requests.length, 0);
    await lamp.clock.advance(1_000);
    await returned;
    const { channel, location } = await lamp.server.next('update');
    assert.equal(location, '/rd/1', 'the registration stands');
    assert.notEqual(channel.address.port, lamp.channel.address.port);
  });

  it('is made anew after a reboot, without a word before', async () => {
    assert.equal((await lamp.ask('POST', '/3/0/4')).code, '2.04');
    await lamp.clock.advance(4_900);
    assert.equal(lamp.server.requests.length, 0);
    await lamp.clock.advance(100);
    assert.equal((await lamp.server.next('register')).query['ep'], 'lamp-1');
  });

  it('is updated by a device that vanished and came back, from the same address', async () => {
    lamp.device.vanish();
    await lamp.clock.advance(200_000);
    assert.equal(lamp.server.requests.length, 0);
    lamp.device.comeBack();
    const { channel, location } = await lamp.server.next('update');
    assert.equal(location, '/rd/1');
    assert.deepEqual(channel.address, lamp.channel.address);
    assert.equal((await lamp.ask('GET', '/3/0/0')).code, '2.05');
  });

  it('does not say goodbye for a device that has vanished', async () => {
    lamp.device.vanish();
    await lamp.device.close();
    assert.equal(lamp.server.requests.length, 0);
  });

  it('shows that the address is its own when the server asks for an Echo', async () => {
    const echo = Buffer.from('c0ffee', 'hex');
    let asked = 0;
    lamp.server.respond = ({ method }) => {
      if (method !== 'update') return undefined;
      asked += 1;
      return asked === 1 ? { code: CoapCode.Unauthorized, options: { echo } } : undefined;
    };
    const updated = once(lamp.device, 'updated');
    await lamp.ask('POST', '/1/0/8');
    await lamp.server.next('update');
    assert.deepEqual((await lamp.server.next('update')).echo, echo);
    await updated;
  });

  it('carries a list of objects that is longer than a datagram', async () => {
    for (let id = 1; id <= 300; id += 1) lamp.device.objects.add(3311, id, { 5850: { value: false } });
    let payload = '';
    while (!payload.includes('</3311/300>')) payload = (await lamp.server.next('update')).payload.toString();
    assert.ok(payload.length > 3_000);
    assert.ok(payload.endsWith('</3311/299>,</3311/300>'));
  });

  it('tells of an instance that came while an update was on its way', async () => {
    lamp.server.respond = ({ method }) => {
      if (method === 'update' && !lamp.device.objects.find(3311, 5, 5850)) {
        lamp.device.objects.add(3311, 5, { 5850: { value: false } });
      }
      return undefined;
    };
    lamp.device.objects.add(3311, 4, { 5850: { value: false } });
    assert.doesNotMatch((await lamp.server.next('update')).payload.toString(), /3311\/5/);
    assert.match((await lamp.server.next('update')).payload.toString(), /<\/3311\/4>,<\/3311\/5>$/);
  });

  describe('once it stands', () => {
    it('lets the device send values, with their times', async () => {
      await lamp.device.send(['/3311/0/5851', '/3/0/6'], 'senml-json');
      const first = await lamp.server.next('send');
      const answer: Answer = { code: '2.04', payload: first.payload, options: { contentFormat: 110 } };
      assert.deepEqual(valuesOf(answer, '/'), { '/3311/0/5851': 100, '/3/0/6/0': 6 });
      const timestamp = Date.UTC(2030, 0, 1, 12);
      await lamp.device.send([{ path: pathOf(3301, 0, 5700), value: 12.5, timestamp }], 'senml-json');
      assert.match((await lamp.server.next('send')).payload.toString(), new RegExp(String(timestamp / 1000)));
    });

    it('sends nothing that the server has muted, that is not there, or that it refuses', async () => {
      await assert.rejects(lamp.device.send(['/3/0/99']), { message: /99/ });
      lamp.server.respond = refusing(CoapCode.NotFound);
      await assert.rejects(lamp.device.send(['/3/0/0']), (error) => {
        return error instanceof ResponseError && error.responseCode === '4.04';
      });
      await lamp.ask('PUT', '/1/0/23', { format: 'text', payload: '1' });
      await assert.rejects(lamp.device.send(['/3/0/0']), { code: 'INVALID_ARGUMENT' });
      await lamp.device.close();
      await assert.rejects(lamp.device.send(['/3/0/0']), { code: 'NOT_REGISTERED' });
    });
  });
});
