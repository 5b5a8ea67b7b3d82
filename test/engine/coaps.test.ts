import assert from 'node:assert/strict';
import { parsePath, type Engine } from '../../src';
import { CoapCode } from '../../src/coap';
import { MemoryStore } from '../../src/store/memory-store';
import { newAuthority, newCertificate } from '../support/certificates';
import { Suite, type DtlsClientOptions } from '../support/dtls-client';
import { newKeyPair } from '../support/key-pair';
import { SimulatedClock } from '../support/simulated-clock';
import { SecureFixture, type SecureDevice } from './secure-fixture';

const KEY = '000102030405060708090a0b0c0d0e0f';
const OTHER_KEY = 'ffeeddccbbaa99887766554433221100';
const ON_OFF = parsePath('/3311/0/5850');
const DIMMER = parsePath('/3311/0/5851');
const AT = '192.0.2.10:40000';

const psk = (key = KEY, identity = 'lamp-1-psk'): Partial<DtlsClientOptions> => ({
  psk: { identity, key: Buffer.from(key, 'hex') },
});
const security = (key = KEY): object => ({ mode: 'psk', identity: 'lamp-1-psk', key });

const rawKey = newKeyPair();
const raw: Partial<DtlsClientOptions> = {
  suite: Suite.ecdsaCcm8,
  certificate: { kind: 'rpk', der: [rawKey.spki], key: rawKey.privateKey },
};

const authority = newAuthority();
const trustAnchors = authority.certificate.toString();
const certified = (commonName: string, dnsNames: string[] = []): Partial<DtlsClientOptions> => {
  const { raw: der, key } = newCertificate({ commonName, dnsNames }, authority);
  return { suite: Suite.ecdsaCcm8, certificate: { kind: 'x509', der: [der], key } };
};
const serverPair = newCertificate({ commonName: 'server' }, authority);
const credentials = {
  privateKey: serverPair.key.export({ format: 'pem', type: 'pkcs8' }).toString(),
  certificate: serverPair.certificate.toString(),
  trustAnchors,
};

describe('A device over DTLS', () => {
  let fixture: SecureFixture;

  const start = async (options = {}): Promise<Engine> => {
    fixture = await SecureFixture.start(options);
    return fixture.engine;
  };

  afterEach(async () => {
    await fixture.engine.close();
    assert.equal(fixture.clock.timers, 0);
  });

  async function registered(options: Partial<DtlsClientOptions>, address = AT): Promise<SecureDevice> {
    const device = await fixture.device(address, options);
    assert.equal(device.peer.client.connected, true);
    const response = device.register({ endpoint: 'lamp-1' });
    await fixture.settle();
    assert.equal((await response).code, CoapCode.Created);
    return device;
  }

  async function assertReadable(device: SecureDevice): Promise<void> {
    const reading = fixture.engine.perform('lamp-1', { operation: 'read', paths: [ON_OFF] });
    const request = await device.expectRequest();
    request.reply(CoapCode.Content, { contentFormat: 0 }, '1');
    assert.equal((await reading).payload, true);
  }

  const ways: [string, object | undefined, () => Partial<DtlsClientOptions>, object][] = [
    ['a pre-shared key', security(), () => psk(), { mode: 'psk', name: 'lamp-1-psk' }],
    [
      'a raw public key',
      { mode: 'rpk', publicKey: rawKey.spki.toString('base64') },
      () => raw,
      { mode: 'rpk', name: 'lamp-1' },
    ],
    [
      'a certificate of the name in its record',
      { mode: 'x509', name: 'l1.example.com' },
      () => certified('x', ['l1.example.com']),
      { mode: 'x509', name: 'l1.example.com' },
    ],
    ['a certificate of its endpoint', undefined, () => certified('lamp-1'), { mode: 'x509', name: 'lamp-1' }],
  ];
  for (const [name, record, options, identity] of ways) {
    it(`registers with ${name}, and is read`, async () => {
      const engine = await start({ credentials });
      if (record !== undefined) await engine.provision({ endpoint: 'lamp-1', security: record, groups: ['g'] });
      assert.deepEqual(
        engine.addresses.map(({ scheme, port }) => [scheme, port]),
        [
          ['coap', 5683],
          ['coaps', 5684],
        ],
      );
      const device = await registered(options());
      const { payload } = fixture.eventsOf('registered')[0] ?? {};
      assert.deepEqual(payload?.identity, identity);
      assert.deepEqual(payload?.address, { host: '192.0.2.10', port: 40000, transport: 'coaps' });
      assert.deepEqual(payload?.groups, record === undefined ? [] : ['g']);
      await assertReadable(device);
      assert.equal((await device.deregister()).code, CoapCode.Deleted);
    });
  }

  it('of no policy without security still gets in, and others do not', async () => {
    const engine = await start({ noSec: 'none' });
    await engine.provision({ endpoint: 'lamp-1', security: security() });
    await registered(psk());
    const plain = fixture.plainDevice('127.0.0.1:4000');
    assert.equal((await plain.register({ endpoint: 'lamp-2' })).code, CoapCode.Forbidden);
  });

  const refusals: [string, string, Partial<DtlsClientOptions>, string, object][] = [
    ['a wrong key', 'lamp-1', psk(OTHER_KEY), 'identity', { mode: 'psk', name: 'lamp-1-psk' }],
    ['an unknown identity', '', psk(KEY, 'nobody'), 'identity', { mode: 'psk', name: 'nobody' }],
    ['an unknown raw public key', '', raw, 'identity', { mode: 'nosec' }],
    ['a suite that is off', '', { ...psk(), suite: Suite.pskCbc }, 'version', { mode: 'nosec' }],
  ];
  for (const [name, endpoint, options, reason, identity] of refusals) {
    it(`with ${name} is not let in, which is said`, async () => {
      const engine = await start();
      await engine.provision({ endpoint: 'lamp-1', security: security() });
      const device = await fixture.device(AT, options);
      assert.equal(device.peer.client.connected, false);
      device.peer.close();
      assert.deepEqual(
        fixture.events.map(({ topic, payload }) => [topic, payload]),
        [
          [
            'rejected',
            {
              endpoint,
              address: { host: '192.0.2.10', port: 40000, transport: 'coaps' },
              identity,
              operation: 'handshake',
              reason,
            },
          ],
        ],
      );
    });
  }

  it('that went away in its handshake is no rejection', async () => {
    const engine = await start();
    await engine.provision({ endpoint: 'lamp-1', security: security() });
    let sent = 0;
    fixture.network.filter = ({ port }) => port !== 40000 || (sent += 1) <= 2;
    const device = await fixture.device(AT, psk());
    device.peer.close();
    assert.deepEqual([device.peer.client.helloDone, device.peer.client.connected], [true, false]);
    await fixture.clock.advance(120_000);
    assert.deepEqual(fixture.events, []);
  });

  it('may not act as another endpoint than that of its credential', async () => {
    const engine = await start();
    await engine.provision({ endpoint: 'lamp-1', security: security() });
    const device = await fixture.device(AT, psk());
    assert.equal((await device.register({ endpoint: 'lamp-2' })).code, CoapCode.Forbidden);
    await fixture.settle();
    assert.equal(fixture.eventsOf('rejected')[0]?.payload.reason, 'identity');
  });

  it('may leave its name to its credential, from 1.1 on', async () => {
    const engine = await start();
    await engine.provision({ endpoint: 'lamp-1', security: security() });
    const device = await fixture.device(AT, psk());
    const register = async (version: string) =>
      (await device.request(CoapCode.POST, { uriPath: ['rd'], uriQuery: [`lwm2m=${version}`] }, '</3/0>')).code;
    assert.equal(await register('1.0'), CoapCode.BadRequest);
    assert.equal(await register('1.1'), CoapCode.Created);
    await fixture.settle();
    assert.deepEqual(
      engine.devices().map(({ endpoint, connectivity }) => [endpoint, connectivity]),
      [['lamp-1', 'online']],
    );
  });

  it('is cut off when its key changes, and comes back with the new one', async () => {
    const engine = await start();
    await engine.provision({ endpoint: 'lamp-1', security: security() });
    const device = await registered(psk());
    await engine.provision({ endpoint: 'lamp-1', labels: { site: 'north' } });
    await assertReadable(device);
    await engine.provision({ endpoint: 'lamp-1', security: security(OTHER_KEY) });
    await fixture.settle();
    assert.deepEqual(device.peer.client.alerts, ['2 49!']);
    await assert.rejects(engine.perform('lamp-1', { operation: 'read', paths: [ON_OFF] }), {
      code: 'TRANSPORT',
      message: /no DTLS session/,
    });
    const old = await fixture.device('192.0.2.10:40001', psk());
    assert.equal(old.peer.client.connected, false);
    const again = await fixture.device('192.0.2.10:40002', psk(OTHER_KEY));
    again.location = device.location;
    assert.equal((await again.update()).code, CoapCode.Changed);
    await fixture.settle();
    await assertReadable(again);
  });

  it('is cut off when its record is removed, and does not get in again', async () => {
    const engine = await start();
    await engine.provision({ endpoint: 'lamp-1', security: security(), labels: { site: 'north' } });
    const device = await registered(psk());
    assert.equal(await engine.unprovision('lamp-1'), true);
    await fixture.settle();
    assert.deepEqual(device.peer.client.alerts, ['2 49!']);
    assert.deepEqual(
      fixture.events.map(({ topic, endpoint }) => [topic, endpoint]),
      [
        ['registered', 'lamp-1'],
        ['deregistered', 'lamp-1'],
      ],
    );
    assert.deepEqual(engine.devices(), []);
    await assert.rejects(engine.perform('lamp-1', { operation: 'read', paths: [ON_OFF] }), { code: 'NOT_REGISTERED' });
    assert.equal((await fixture.device('192.0.2.10:40001', psk())).peer.client.connected, false);
    assert.equal(await engine.unprovision('lamp-1'), false);
  });

  it('loses its registration when another kind of proof is asked of it', async () => {
    const engine = await start({ credentials });
    const device = await registered(certified('lamp-1'));
    await engine.provision({ endpoint: 'lamp-1', security: security() });
    await fixture.settle();
    assert.deepEqual(device.peer.client.alerts, ['2 49!']);
    assert.deepEqual(
      fixture.events.map(({ topic }) => topic),
      ['registered', 'deregistered'],
    );
    await registered(psk(), '192.0.2.10:40001');
  });

  it('observes on and gets what waits for it in a new session from another port', async () => {
    const engine = await start();
    await engine.provision({ endpoint: 'lamp-1', security: security() });
    const device = await fixture.device(AT, psk());
    await device.register({ endpoint: 'lamp-1', query: ['Q'] });
    const values: unknown[] = [];
    await engine.observePolicy(
      'p',
      { target: { all: true }, paths: [DIMMER] },
      { value: ({ payload }) => values.push(payload), failed: ({ error }) => assert.fail(error) },
    );
    const observe = await device.expectRequest();
    observe.reply(CoapCode.Content, { observe: 1, contentFormat: 0 }, '10');
    await fixture.clock.advance(100_000);
    const writing = engine.perform('lamp-1', { operation: 'write', path: ON_OFF, value: true, mode: 'replace' });
    const again = await fixture.device('192.0.2.10:50505', psk());
    await fixture.settle();
    // The server has its new session, and the old one is over; but nothing was said of the observation.
    again.location = device.location;
    assert.equal((await again.update()).code, CoapCode.Changed);
    const write = await again.expectRequest();
    assert.equal(write.message.code, CoapCode.PUT);
    write.reply(CoapCode.Changed);
    assert.equal((await writing).code, '2.04');
    again.notify(observe.message.token, 2, '20', { contentFormat: 0 });
    await fixture.settle();
    assert.deepEqual(values, [10, 20]);
    assert.deepEqual(fixture.eventsOf('deregistered'), []);
  });

  it('is known by what it proved when it sends from a new session', async () => {
    const engine = await start();
    await engine.provision({ endpoint: 'lamp-1', security: security() });
    await registered(psk());
    const again = await fixture.device('192.0.2.10:50505', psk());
    const options = { uriPath: ['dp'], contentFormat: 110 };
    const response = await again.request(CoapCode.POST, options, '[{"n":"/3311/0/5851","v":66}]');
    assert.equal(response.code, CoapCode.Changed);
    await fixture.settle();
    assert.deepEqual(fixture.eventsOf('sent')[0]?.payload[0]?.value, 66);
    await assertReadable(again);
  });

  it('replaces its registration when it registers again in a new session', async () => {
    const engine = await start();
    await engine.provision({ endpoint: 'lamp-1', security: security() });
    const device = await registered(psk());
    const again = await registered(psk(), '192.0.2.10:50505');
    assert.equal(engine.devices().length, 1);
    await assertReadable(again);
    again.location = device.location;
    assert.equal((await again.update()).code, CoapCode.NotFound);
  });

  it('goes on from another port without a word when it has a connection id', async () => {
    const engine = await start();
    await engine.provision({ endpoint: 'lamp-1', security: security() });
    const device = await registered({ ...psk(), connectionId: Buffer.from('c1', 'hex') });
    device.peer.moveTo('198.51.100.7:1234');
    assert.equal((await device.update()).code, CoapCode.Changed);
    await fixture.settle();
    assert.equal(fixture.eventsOf('updated')[0]?.payload.address.port, 1234);
    await assertReadable(device);
  });

  it('is answered by a server with the same public key after a restart, and its observations go on', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore(clock);
    fixture = await SecureFixture.start({ store }, clock);
    await fixture.engine.provision({ endpoint: 'lamp-1', security: security() });
    const device = await registered(psk());
    const policy = { target: { all: true as const }, paths: [DIMMER] };
    await fixture.engine.observePolicy('p', policy, {
      value: () => undefined,
      failed: ({ error }) => assert.fail(error),
    });
    const observe = await device.expectRequest();
    observe.reply(CoapCode.Content, { observe: 1, contentFormat: 0 }, '10');
    await fixture.settle();
    const { serverPublicKey } = fixture.engine;
    assert.match(serverPublicKey ?? '', /^MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD/);
    await fixture.engine.close();

    fixture = await SecureFixture.start({ store }, clock);
    const { engine } = fixture;
    assert.equal(engine.serverPublicKey, serverPublicKey);
    assert.deepEqual(
      engine.devices().map(({ endpoint, identity }) => [endpoint, identity]),
      [['lamp-1', { mode: 'psk', name: 'lamp-1-psk' }]],
    );
    await assert.rejects(engine.perform('lamp-1', { operation: 'read', paths: [ON_OFF] }), { code: 'TRANSPORT' });
    const again = await fixture.device('192.0.2.10:50505', psk());
    again.location = device.location;
    assert.equal((await again.update()).code, CoapCode.Changed);
    again.notify(observe.message.token, 2, '20', { contentFormat: 0 });
    await fixture.settle();
    assert.equal(engine.devices()[0]?.values['/3311/0/5851']?.reported?.value, 20);
    await assertReadable(again);
  });
});
