import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { inspect } from 'node:util';
import { CoapCode, encodeMessage, MessageType } from '../../src/coap';
import { contentFormatId, encodePaths, parseLinks } from '../../src/content';
import { InvalidArgumentError, TimeoutError, TransportError, type Lwm2mError } from '../../src/errors';
import { simulateFleet, type PskSecurity } from '../../src/simulator';
import { realNetwork, SimulatedClock } from '../support/simulated-clock';
import { makeLamp, startLamp, type Lamp } from './lamp';
import { encode, paths, ScriptedServer, valuesOf } from './scripted-server';

const KEY = Buffer.from('73656372657450534b', 'hex');
const SECURITY: PskSecurity = { mode: 'psk', key: KEY };
const KEYS = new Map([['lamp-1', KEY]]);

describe('A simulated device over coaps', () => {
  let lamp: Lamp;
  let failures: Lwm2mError[];

  beforeEach(async () => {
    lamp = await startLamp({ security: SECURITY }, KEYS);
    failures = [];
    lamp.device.on('failed', (error) => failures.push(error));
  });

  afterEach(async () => {
    await lamp.end();
    assert.deepEqual(lamp.faults, []);
    assert.equal(lamp.clock.timers, 0, 'nothing of it is left');
  });

  /** The server that the lamp knows, started anew; it has no session with anybody. */
  const restart = async (keys: ReadonlyMap<string, Buffer> = KEYS) => {
    const server = await new ScriptedServer({ keys }).start(lamp.server.port);
    Object.assign(lamp, { server });
  };

  const registeredAgain = async () => {
    const isThere = () => lamp.server.requests.some(({ method }) => method === 'register');
    await lamp.clock.advanceUntil(isThere, 120_000, 100, realNetwork);
    return lamp.server.next('register');
  };

  it('proves its name with its key', () => {
    assert.equal(lamp.channel.scheme, 'coaps');
    assert.deepEqual(lamp.channel.identity, { mode: 'psk', name: 'lamp-1' });
  });

  it('proves another identity when it has one, in UTF-8', async () => {
    const identity = 'Straßenlampe №1';
    const other = await startLamp({ security: { ...SECURITY, identity } }, new Map([[identity, KEY]]));
    assert.equal(other.channel.identity.name, identity);
    await other.end();
  });

  it('answers every operation', async () => {
    const read = await lamp.ask('GET', '/3/0/0');
    assert.equal(read.payload.toString(), 'Open LwM2M');
    assert.equal((await lamp.ask('PUT', '/3311/0/5851', { format: 'text', payload: '40' })).code, '2.04');
    const executed = once(lamp.device, 'executed');
    assert.equal((await lamp.ask('POST', '/3301/0/5605')).code, '2.04');
    assert.deepEqual(await executed, ['/3301/0/5605', '']);
    assert.equal((await lamp.ask('PUT', '/3311/0/5851', { query: ['pmin=0'] })).code, '2.04');
    const links = parseLinks((await lamp.ask('GET', '/3311/0', { accept: 'link-format' })).payload);
    assert.equal(links.find(({ target }) => target === '/3311/0/5851')?.attributes.get('pmin'), '0');
    const payload = encode('senml-cbor', '/3311', { '/3311/7/5850': true });
    assert.equal((await lamp.ask('POST', '/3311', { format: 'senml-cbor', payload })).code, '2.01');
    assert.equal((await lamp.ask('DELETE', '/3311/7')).code, '2.02');
    const asked = encodePaths(contentFormatId('senml-cbor'), paths('/3/0/0', '/3311/0/5851'));
    const many = await lamp.ask('FETCH', '/', { format: 'senml-cbor', accept: 'senml-cbor', payload: asked });
    assert.deepEqual(valuesOf(many, '/'), { '/3/0/0': 'Open LwM2M', '/3311/0/5851': 40 });
    const written = encode('senml-cbor', '/', { '/3311/0/5850': true, '/1/0/2': 3 });
    assert.equal((await lamp.ask('IPATCH', '/', { format: 'senml-cbor', payload: written })).code, '2.04');
  });

  it('notifies until the observation is cancelled', async () => {
    const { observation, inbox } = await lamp.server.observe(lamp.channel, 'GET', '/3311/0/5851');
    await lamp.ask('PUT', '/3311/0/5851', { format: 'text', payload: '30' });
    assert.equal((await inbox.next()).payload.toString(), '30');
    await observation?.cancel('get');
    assert.equal(lamp.device.observations, 0);
  });

  it('sends of its own accord, updates and de-registers', async () => {
    await lamp.device.send(['/3311/0/5851']);
    assert.ok((await lamp.server.next('send')).payload.length > 0);
    const updated = once(lamp.device, 'updated');
    await lamp.ask('POST', '/1/0/8');
    assert.equal((await lamp.server.next('update')).channel, lamp.channel);
    await updated;
    await lamp.device.close();
    assert.equal((await lamp.server.next('deregister')).channel, lamp.channel);
  });

  it('answers in blocks what is long', async () => {
    lamp.device.objects.add(19, 0, { 0: { value: new Map([[0, Buffer.alloc(5_000, 7)]]) } });
    const answer = await lamp.ask('GET', '/19/0/0', { accept: 'senml-cbor' });
    assert.deepEqual(valuesOf(answer, '/19/0/0'), { '/19/0/0/0': Buffer.alloc(5_000, 7) });
  });

  it('executes a request once that comes twice', async () => {
    let executions = 0;
    lamp.device.on('executed', () => (executions += 1));
    const request = encodeMessage({
      type: MessageType.CON,
      code: CoapCode.POST,
      messageId: 0xbeef,
      token: Buffer.of(1),
      options: { uriPath: ['3301', '0', '5605'] },
      payload: Buffer.alloc(0),
    });
    lamp.channel.send(request);
    lamp.channel.send(request);
    await lamp.ask('GET', '/3/0/0');
    assert.equal(executions, 1);
  });

  it('takes no notice of bytes that are no records, nor of strangers', async () => {
    const garbage = [Buffer.alloc(0), Buffer.alloc(200, 0xff), Buffer.from('16fefd0000000000000000000101', 'hex')];
    const { port } = lamp.channel.address;
    const stranger = createSocket('udp4');
    for (const datagram of garbage) {
      lamp.server.udp.channel({ host: '127.0.0.1', port })?.send(datagram);
      stranger.send(datagram, port, '127.0.0.1');
    }
    // close_notify of anybody, without protection.
    stranger.send(Buffer.from('15fefd000000000000000900020100', 'hex'), port, '127.0.0.1');
    assert.equal((await lamp.ask('GET', '/3/0/0')).code, '2.05');
    stranger.close();
    assert.deepEqual(failures, []);
  });

  it('comes back with a new session when its server has ended the old one', async () => {
    const failed = once(lamp.device, 'failed');
    await lamp.server.stop();
    const [error] = (await failed) as [Lwm2mError];
    assert.ok(error instanceof TransportError);
    assert.equal(error.message, 'the server ended the DTLS session');
    assert.equal(lamp.device.registered, false);
    await restart();
    assert.equal((await registeredAgain()).channel.identity.name, 'lamp-1');
    assert.equal(failures.length, 1);
  });

  it('finds its server again that was restarted without a word, at the next update', async () => {
    await lamp.server.crash();
    await restart();
    const { channel } = await registeredAgain();
    assert.equal(channel.identity.name, 'lamp-1');
    assert.deepEqual(
      failures.map(({ message }) => message),
      ['the server does not answer'],
    );
    assert.equal((await lamp.server.ask(channel, 'GET', '/3/0/0')).code, '2.05');
  });

  it('makes a new session after a reboot', async () => {
    await lamp.ask('POST', '/3/0/4');
    const { channel } = await registeredAgain();
    assert.notEqual(channel, lamp.channel);
    assert.deepEqual(failures, []);
  });

  it('is told when its key is taken away, and tries again', async () => {
    const failed = once(lamp.device, 'failed');
    assert.equal(lamp.server.dtls.cutOff(lamp.channel.identity), 1);
    const [error] = (await failed) as [Lwm2mError];
    assert.match(String(error), /the DTLS session ended: received fatal alert: access_denied/);
    await registeredAgain();
  });

  it('ends although its server ends at the same time', async () => {
    await Promise.all([lamp.device.close(), lamp.server.stop()]);
  });
});

describe('The handshake of a simulated device', () => {
  let clock: SimulatedClock;
  let server: ScriptedServer;

  beforeEach(async () => {
    clock = new SimulatedClock();
    server = await new ScriptedServer({ keys: KEYS }).start();
  });

  afterEach(async () => {
    await server.stop();
    assert.equal(clock.timers, 0, 'nothing of it is left');
  });

  const failureOf = async (security: PskSecurity): Promise<Lwm2mError> => {
    const device = makeLamp(server.uri, clock, { security });
    const failures: Lwm2mError[] = [];
    device.on('failed', (error) => failures.push(error));
    await device.start();
    await clock.advanceUntil(() => failures.length > 0, 60_000, 100, realNetwork);
    await device.close();
    const [failure] = failures;
    assert.ok(failure);
    return failure;
  };

  it('says what is wrong with the key, and never the key', async () => {
    const wrong = Buffer.from('wrong-wrong-wrong');
    for (const [security, identity] of [
      [{ mode: 'psk', key: wrong }, 'lamp-1'],
      [{ mode: 'psk', key: wrong, identity: 'nobody' }, 'nobody'],
    ] as const) {
      const error = await failureOf(security);
      assert.ok(error instanceof TransportError);
      assert.equal(
        error.message,
        `the DTLS handshake failed: the server has no identity '${identity}' or another key for it: ` +
          'received fatal alert: decrypt_error',
      );
      assert.doesNotMatch(inspect(error), new RegExp(`wrong-wrong|${wrong.toString('hex')}`));
    }
  });

  it('says what may be wrong when the server is silent', async () => {
    let tries = 0;
    server.lose = () => (tries += 1) > 0;
    const error = await failureOf(SECURITY);
    assert.ok(error instanceof TimeoutError);
    assert.equal(
      error.message,
      `no DTLS session: nobody answers at port ${server.port}, or the server has no identity 'lamp-1' or another key for it`,
    );
    assert.equal(tries, 4);
  });

  it('is tried again from a new port when a datagram is lost', async () => {
    for (const lost of [1, 2, 3]) {
      let count = 0;
      server.lose = () => (count += 1) === lost;
      const device = makeLamp(server.uri, clock, { security: SECURITY });
      const registered = once(device, 'registered');
      await device.start();
      await clock.advanceUntil(() => device.registered, 10_000, 100, realNetwork);
      await registered;
      const { channel } = await server.next('register');
      assert.equal(channel.identity.name, 'lamp-1');
      server.lose = () => false;
      await device.close();
    }
  });

  it('is given up when the device goes away', async () => {
    server.lose = () => true;
    const device = makeLamp(server.uri, clock, { security: SECURITY });
    await device.start();
    await clock.settle();
    await device.close();
    assert.equal(device.registered, false);
  });

  it('takes a key with coaps:// and none without', () => {
    assert.throws(() => makeLamp(server.uri, clock), /coaps:\/\/ needs a key/);
    assert.throws(() => makeLamp('coap://127.0.0.1', clock, { security: SECURITY }), /a key needs a server at coaps/);
    for (const bad of [{ key: Buffer.alloc(0) }, { key: Buffer.alloc(65) }, { identity: '' }]) {
      assert.throws(() => makeLamp(server.uri, clock, { security: { ...SECURITY, ...bad } }), InvalidArgumentError);
    }
  });
});

describe('A fleet of simulated devices over coaps', () => {
  const names = Array.from({ length: 20 }, (_, index) => `lamp-${index + 1}`);
  const keyOf = (endpoint: string) => Buffer.from(`the key of ${endpoint}`);

  const run = async (
    keys: ReadonlyMap<string, Buffer>,
    security: PskSecurity | ((endpoint: string) => PskSecurity),
  ) => {
    const server = await new ScriptedServer({ keys }).start();
    const clock = new SimulatedClock();
    const fleet = simulateFleet({
      kind: 'street-light',
      count: 20,
      endpointPrefix: 'lamp-',
      serverUri: server.uri,
      security,
      clock,
    });
    await fleet.start();
    assert.deepEqual(fleet.counts, { total: 20, registered: 20 });
    const registers = server.requests.filter(({ method }) => method === 'register');
    await fleet.stop();
    assert.equal(server.requests.filter(({ method }) => method === 'deregister').length, 20);
    assert.equal(clock.timers, 0, 'nothing of it is left');
    await server.stop();
    return new Map(registers.map(({ query, channel }) => [query['ep'], channel.identity.name]));
  };

  it('may have one key and its names as identities', async () => {
    const identities = await run(new Map(names.map((name) => [name, KEY])), SECURITY);
    assert.deepEqual(identities, new Map(names.map((name) => [name, name])));
  });

  it('may have an identity and a key each', async () => {
    const keys = new Map(names.map((name) => [`id of ${name}`, keyOf(name)]));
    const identities = await run(keys, (endpoint) => ({
      mode: 'psk',
      identity: `id of ${endpoint}`,
      key: keyOf(endpoint),
    }));
    assert.deepEqual(identities, new Map(names.map((name) => [name, `id of ${name}`])));
  });

  it('does not share one identity', () => {
    const options = { kind: 'street-light', count: 2, endpointPrefix: 'x', serverUri: 'coaps://127.0.0.1' };
    const security = { ...SECURITY, identity: 'all' };
    assert.throws(() => simulateFleet({ ...options, security }), /have an identity each/);
  });
});
