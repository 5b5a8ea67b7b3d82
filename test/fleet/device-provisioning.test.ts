import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { parsePath, type Target } from '../../src';
import { CoapCode } from '../../src/coap';
import { StoreError } from '../../src/errors';
import { MemoryStore } from '../../src/store/memory-store';
import { newKeyPair } from '../support/key-pair';
import { SimulatedClock } from '../support/simulated-clock';
import { Harness } from '../server/harness';

const KEY = '000102030405060708090a0b0c0d0e0f';
const PSK = { mode: 'psk', identity: 'lamp-1-psk', key: KEY };
const DIMMER = parsePath('/3311/0/5851');

describe('Device records', () => {
  let harness: Harness;
  let store: MemoryStore;

  beforeEach(async () => {
    const clock = new SimulatedClock();
    store = new MemoryStore(clock);
    harness = await Harness.start({ clock, store });
  });

  afterEach(async () => {
    await harness.close();
  });

  describe('are made and changed', () => {
    it('with what is given, and are shown without their keys', async () => {
      const { engine } = harness;
      const input = {
        endpoint: 'lamp-1',
        security: PSK,
        labels: { site: 'north', pole: 7 },
        groups: ['main street', 'all', 'all'],
        priority: 'high',
        owner: 'city',
        metadata: { serial: 'A1', place: { lat: 1.5 } },
      };
      const shown = {
        endpoint: 'lamp-1',
        security: { mode: 'psk', identity: 'lamp-1-psk' },
        labels: { site: 'north', pole: '7' },
        groups: ['main street', 'all'],
        priority: 'high',
        owner: 'city',
        metadata: { serial: 'A1', place: { lat: 1.5 } },
      };
      assert.deepEqual(await engine.provision(input), shown);
      assert.deepEqual(await engine.provisioned('lamp-1'), shown);
      assert.deepEqual(await engine.provisionedDevices(), [shown]);
      assert.deepEqual(store.devices.get('lamp-1')?.security, { ...PSK, key: Buffer.from(KEY, 'hex') });
    });

    it('with defaults for what is not given', async () => {
      const shown = { endpoint: 'x', labels: {}, groups: [], priority: 'normal' };
      assert.deepEqual(await harness.engine.provision({ endpoint: 'x' }), shown);
      assert.equal(await harness.engine.provisioned('y'), null);
    });

    it('leaving what is not said, and taking away what is null', async () => {
      const { engine } = harness;
      await engine.provision({
        endpoint: 'a',
        security: PSK,
        labels: { x: '1' },
        groups: ['g'],
        priority: 'low',
        owner: 'o',
      });
      const changed = await engine.provision({ endpoint: 'a', labels: { y: '2' }, owner: null, priority: undefined });
      const psk = { mode: 'psk', identity: 'lamp-1-psk' };
      assert.deepEqual(changed, { endpoint: 'a', security: psk, labels: { y: '2' }, groups: ['g'], priority: 'low' });
      const { security } = await engine.provision({ endpoint: 'a', security: null });
      assert.equal(security, undefined);
    });

    it('by their own shown form, which keeps the key', async () => {
      const { engine } = harness;
      for (const security of [PSK, { mode: 'rpk', publicKey: newKeyPair().spki.toString('base64') }]) {
        await engine.provision({ endpoint: 'a', security, owner: 'x' });
        const before = store.devices.get('a')?.security;
        const shown = await engine.provisioned('a');
        assert.deepEqual(await engine.provision({ ...shown, owner: 'y' }), { ...shown, owner: 'y' });
        assert.deepEqual(store.devices.get('a')?.security, before);
      }
    });

    it('with a key as a Buffer, and a public key as PEM, base64 or DER', async () => {
      const { engine } = harness;
      const key = Buffer.from(KEY, 'hex');
      await engine.provision({ endpoint: 'a', security: { ...PSK, key } });
      key.fill(0);
      assert.deepEqual(store.devices.get('a')?.security, { ...PSK, key: Buffer.from(KEY, 'hex') });
      const { spki } = newKeyPair();
      const base64 = spki.toString('base64');
      const pem = `-----BEGIN PUBLIC KEY-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END PUBLIC KEY-----\n`;
      for (const publicKey of [base64, pem, spki, base64.replace(/(.{20})/g, '$1\n')]) {
        const { security } = await engine.provision({ endpoint: 'a', security: { mode: 'rpk', publicKey } });
        assert.deepEqual(security, { mode: 'rpk', publicKey: base64 });
      }
    });

    it('one after the other when many changes come at once', async () => {
      const { engine } = harness;
      const owners = Array.from({ length: 50 }, (_, n) => `owner-${n}`);
      const changes = owners.map((owner) => engine.provision({ endpoint: 'a', owner }));
      const removal = engine.unprovision('a');
      const last = engine.provision({ endpoint: 'a', groups: ['g'] });
      await Promise.all([...changes, removal, last]);
      assert.deepEqual(await engine.provisioned('a'), { endpoint: 'a', labels: {}, groups: ['g'], priority: 'normal' });
      assert.deepEqual(
        engine.devices({ group: 'g' }).map(({ endpoint }) => endpoint),
        ['a'],
      );
    });

    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const ofPem = (key: { export: (options: { format: 'pem'; type: 'spki' }) => string | Buffer }): string =>
      key.export({ format: 'pem', type: 'spki' }).toString();
    const privatePem = newKeyPair().privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const bad: [string, unknown, RegExp][] = [
      ['no object', 'lamp-1', /a device record must be an object/],
      ['an array', [{ endpoint: 'a' }], /must be an object/],
      ['no endpoint', { labels: {} }, /endpoint must be a text/],
      ['an empty endpoint', { endpoint: '' }, /endpoint must be a text/],
      ['a long endpoint', { endpoint: 'x'.repeat(256) }, /255/],
      ['a misspelt property', { endpoint: 'a', securtiy: PSK }, /has no 'securtiy', only endpoint, security/],
      ['an unknown mode', { endpoint: 'a', security: { mode: 'tls' } }, /'psk', 'rpk', 'x509' or 'nosec'/],
      ['no mode', { endpoint: 'a', security: {} }, /security.mode must be/],
      [
        'a psk without an identity',
        { endpoint: 'a', security: { mode: 'psk', key: KEY } },
        /security.identity must be/,
      ],
      ['a psk without a key', { endpoint: 'a', security: { mode: 'psk', identity: 'i' } }, /security.key is missing/],
      ['a key that is no hex', { endpoint: 'a', security: { ...PSK, key: 'Secr3t!' } }, /hexadecimal/],
      ['half a byte', { endpoint: 'a', security: { ...PSK, key: 'abc' } }, /two digits a byte/],
      ['an empty key', { endpoint: 'a', security: { ...PSK, key: '' } }, /hexadecimal/],
      ['an empty Buffer', { endpoint: 'a', security: { ...PSK, key: Buffer.alloc(0) } }, /1 to 64 bytes/],
      ['a long key', { endpoint: 'a', security: { ...PSK, key: Buffer.alloc(65) } }, /1 to 64 bytes/],
      ['a long identity', { endpoint: 'a', security: { ...PSK, identity: 'ä'.repeat(65) } }, /128 bytes/],
      ['a key of nosec', { endpoint: 'a', security: { mode: 'nosec', key: KEY } }, /no 'key'/],
      ['no public key', { endpoint: 'a', security: { mode: 'rpk' } }, /must be a public key/],
      ['a bad public key', { endpoint: 'a', security: { mode: 'rpk', publicKey: 'AAAA' } }, /must be a public key/],
      ['a private key', { endpoint: 'a', security: { mode: 'rpk', publicKey: privatePem } }, /is a private key/],
      ['another curve', { endpoint: 'a', security: { mode: 'rpk', publicKey: ofPem(other.publicKey) } }, /P-256/],
      ['a x509 without a name', { endpoint: 'a', security: { mode: 'x509' } }, /security.name must be/],
      ['labels that are a list', { endpoint: 'a', labels: ['x'] }, /labels must be an object/],
      ['a label with a space', { endpoint: 'a', labels: { 'a b': 'x' } }, /no spaces and no '='/],
      ['a label that is an object', { endpoint: 'a', labels: { x: {} } }, /the label 'x' must be a text/],
      ['a group that is no list', { endpoint: 'a', groups: 'g' }, /groups must be an array/],
      ['a group without a name', { endpoint: 'a', groups: [''] }, /the name of a group/],
      ['an unknown priority', { endpoint: 'a', priority: 'urgent' }, /'low', 'normal' or 'high'/],
      ['metadata that JSON cannot hold', { endpoint: 'a', metadata: { n: 1n } }, /JSON/],
      ['much metadata', { endpoint: 'a', metadata: { x: 'x'.repeat(20_000) } }, /metadata has more than/],
    ];
    for (const [name, input, message] of bad) {
      it(`not with ${name}`, async () => {
        await assert.rejects(harness.engine.provision(input), (error: Error & { code: string }) => {
          assert.equal(error.code, 'INVALID_ARGUMENT');
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /Secr3t|abc|0001020304|BEGIN PRIVATE|MIG/);
          return true;
        });
        assert.deepEqual(await harness.engine.provisionedDevices(), []);
      });
    }

    it('with each credential of one device only', async () => {
      const { engine } = harness;
      const rpk = { mode: 'rpk', publicKey: newKeyPair().spki };
      for (const [security, what] of [
        [PSK, 'identity'],
        [rpk, 'public key'],
        [{ mode: 'x509', name: 'n' }, 'name'],
      ] as const) {
        await engine.provision({ endpoint: 'a', security });
        await assert.rejects(engine.provision({ endpoint: 'b', security }), {
          code: 'INVALID_ARGUMENT',
          message: `the ${what} of b is already that of a`,
        });
        await engine.provision({ endpoint: 'a', security: null });
        await engine.provision({ endpoint: 'b', security });
        await engine.unprovision('b');
      }
    });

    it('or not at all when the store is in trouble', async () => {
      store.devices.put = () => {
        throw new StoreError('the disk is full');
      };
      await assert.rejects(harness.engine.provision({ endpoint: 'a', groups: ['g'] }), { code: 'STORE' });
      assert.deepEqual(harness.engine.devices(), []);
    });
  });

  describe('are seen', () => {
    it('in views and events, by devices that are registered and by those that never were', async () => {
      const { engine } = harness;
      const record = { labels: { site: 'north' }, groups: ['g'], priority: 'high', owner: 'city' };
      await engine.provision({ endpoint: 'lamp-1', ...record });
      await engine.provision({ endpoint: 'lamp-2', ...record });
      await harness.registered();
      const { labels, groups, priority, owner } = harness.eventsOf('registered')[0]?.payload ?? {};
      assert.deepEqual({ labels, groups, priority, owner }, record);
      for (const device of engine.devices()) assert.deepEqual({ ...device, ...record }, device);
      assert.deepEqual(
        engine.devices().map(({ endpoint, connectivity }) => [endpoint, connectivity]),
        [
          ['lamp-1', 'online'],
          ['lamp-2', 'offline'],
        ],
      );
      assert.deepEqual(engine.searchDevices('lamp-2', 5), [{ endpoint: 'lamp-2', connectivity: 'offline' }]);
    });

    it('by selectors, groups and orders at once', async () => {
      const { engine } = harness;
      await harness.registered();
      const found = (target: Target): string[] => engine.devices(target).map(({ endpoint }) => endpoint);
      const targets: Target[] = [
        { group: 'g' },
        { selector: 'label:site=north' },
        { selector: 'group:g priority:high' },
        { selector: 'has:/3311 label:site=north' },
      ];
      for (const target of targets) assert.deepEqual(found(target), []);
      await engine.provision({ endpoint: 'lamp-1', labels: { site: 'north' }, groups: ['g'], priority: 'high' });
      for (const target of targets) {
        assert.deepEqual(found(target), ['lamp-1']);
        assert.deepEqual(
          (await engine.provisionedDevices(target)).map(({ endpoint }) => endpoint),
          ['lamp-1'],
        );
        assert.equal(engine.matcher(target)('lamp-1'), true);
      }
      const run = engine.order({
        target: { group: 'g' },
        operation: { operation: 'execute', path: parsePath('/3/0/4') },
      });
      assert.deepEqual(run.members, ['lamp-1']);
      run.cancel();
      await engine.provision({ endpoint: 'lamp-1', labels: {}, groups: [], priority: 'low' });
      for (const target of targets) assert.deepEqual(found(target), []);
    });

    it('by observation policies at once, both ways', async () => {
      const { engine } = harness;
      const device = await harness.registered();
      const handle = await engine.observePolicy(
        'p',
        { target: { selector: 'label:site=north' }, paths: [DIMMER] },
        { value: () => undefined, failed: ({ error }) => assert.fail(error) },
      );
      await harness.clock.settle();
      assert.equal(device.inbox.length, 0);
      await engine.provision({ endpoint: 'lamp-1', labels: { site: 'north' } });
      const observe = await device.expectRequest();
      assert.equal(observe.message.options.observe, 0);
      observe.reply(CoapCode.Content, { observe: 1, contentFormat: 0 }, '10');
      await harness.clock.settle();
      assert.deepEqual(handle.status(), { devices: 1, observing: 1, waiting: 0, failed: 0 });
      await engine.provision({ endpoint: 'lamp-1', owner: 'city' });
      await engine.provision({ endpoint: 'lamp-1', labels: { site: 'south' } });
      const cancel = await device.expectRequest();
      assert.equal(cancel.message.options.observe, 1);
      cancel.reply(CoapCode.Content, { contentFormat: 0 }, '10');
      assert.deepEqual(handle.status(), { devices: 0, observing: 0, waiting: 0, failed: 0 });
    });

    it('by an engine that starts on the store they are in', async () => {
      await harness.engine.provision({ endpoint: 'lamp-1', security: { mode: 'nosec' }, groups: ['g'] });
      await harness.close();
      harness = await Harness.start({ clock: harness.clock, store, noSec: 'provisioned' });
      assert.deepEqual(
        harness.engine.devices({ group: 'g' }).map(({ endpoint }) => endpoint),
        ['lamp-1'],
      );
      await harness.registered();
      assert.equal((await harness.device('192.0.2.11:1').register({ endpoint: 'lamp-2' })).code, CoapCode.Forbidden);
    });
  });

  describe('end what they do not allow any more', () => {
    const rejections = (): unknown[] => harness.eventsOf('rejected').map(({ payload }) => payload.reason);

    it('the registration without security of a name that gets a key', async () => {
      const device = await harness.registered();
      await harness.engine.provision({ endpoint: 'lamp-1', security: PSK, owner: 'city' });
      await harness.clock.settle();
      assert.deepEqual(harness.topics(), ['registered', 'deregistered']);
      assert.equal(store.registrations.count(), 0);
      assert.equal((await device.update()).code, CoapCode.NotFound);
      assert.equal((await device.register({ endpoint: 'lamp-1' })).code, CoapCode.Forbidden);
      await harness.clock.settle();
      assert.deepEqual(rejections(), ['unknown', 'identity']);
    });

    it('the registration of a record that is removed, with its observations and orders', async () => {
      const { engine } = harness;
      await engine.provision({ endpoint: 'lamp-1', labels: { site: 'north' } });
      const device = await harness.registered({ query: ['Q'] });
      await engine.observePolicy(
        'p',
        { target: { all: true }, paths: [DIMMER] },
        { value: () => undefined, failed: () => undefined },
      );
      (await device.expectRequest()).reply(CoapCode.Content, { observe: 1, contentFormat: 0 }, '10');
      await harness.clock.advance(100_000);
      const waiting = engine.perform('lamp-1', { operation: 'execute', path: parsePath('/3/0/4') });
      const refused = assert.rejects(waiting, { code: 'NOT_REGISTERED' });
      assert.equal(await engine.unprovision('lamp-1'), true);
      await harness.clock.settle();
      await refused;
      assert.deepEqual(harness.topics(), ['registered', 'asleep', 'deregistered']);
      assert.deepEqual([store.registrations.count(), store.observations.count()], [0, 0]);
      assert.deepEqual(engine.devices(), []);
      assert.equal(await engine.provisioned('lamp-1'), null);
    });

    for (const [what, change] of [
      ['changes', () => harness.engine.provision({ endpoint: 'lamp-1', security: PSK })],
      ['is removed', () => harness.engine.unprovision('lamp-1')],
    ] as const) {
      for (const when of ['before', 'after'] as const) {
        it(`even one that the store writes ${when} it is looked for, while its record ${what}`, async () => {
          const { engine } = harness;
          await engine.provision({ endpoint: 'lamp-1', owner: 'city' });
          const put = store.registrations.put.bind(store.registrations);
          let goOn: () => void = () => undefined;
          const registrations: { put: (...args: Parameters<typeof put>) => unknown } = store.registrations;
          registrations.put = async (...args) => {
            const early = when === 'before' && put(...args);
            await new Promise<void>((resolve) => (goOn = resolve));
            return early || put(...args);
          };
          const device = harness.device();
          const response = device.register({ endpoint: 'lamp-1' });
          await harness.clock.settle();
          await change();
          goOn();
          assert.equal((await response).code, CoapCode.ServiceUnavailable);
          await harness.clock.settle();
          assert.equal(store.registrations.count(), 0);
          assert.deepEqual(
            engine.devices().map(({ connectivity }) => connectivity),
            what === 'changes' ? ['offline'] : [],
          );
          assert.deepEqual(harness.topics(), []);
        });
      }
    }

    it('and nothing else: what stays allowed stays registered', async () => {
      const { engine } = harness;
      const device = await harness.registered();
      await engine.provision({ endpoint: 'lamp-1', security: { mode: 'nosec' }, owner: 'city' });
      await engine.provision({ endpoint: 'other', security: PSK });
      await harness.clock.settle();
      assert.deepEqual(harness.topics(), ['registered']);
      assert.equal((await device.update()).code, CoapCode.Changed);
    });
  });
});
