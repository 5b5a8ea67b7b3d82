import assert from 'node:assert/strict';
import type { EngineOptions, PendingDevice } from '../../src';
import { CoapCode } from '../../src/coap';
import { StoreError } from '../../src/errors';
import { PendingDevices } from '../../src/fleet/pending-devices';
import type { Rejection } from '../../src/server';
import { MemoryStore } from '../../src/store/memory-store';
import { Harness } from '../server/harness';
import { SimulatedClock } from '../support/simulated-clock';

const KEY = '000102030405060708090a0b0c0d0e0f';
const NOSEC = { mode: 'nosec' as const };

describe('Newcomers', () => {
  let harness: Harness;
  let clock: SimulatedClock;
  let store: MemoryStore;
  let hosts = 0;

  async function start(options: EngineOptions = {}): Promise<void> {
    clock = new SimulatedClock();
    store = new MemoryStore(clock);
    harness = await Harness.start({ clock, store, noSec: 'provisioned', ...options });
  }

  afterEach(async () => {
    await harness.close();
  });

  /** Registers from an address of its own. */
  async function register(endpoint: string, address = `192.0.2.${(hosts += 1) % 250}:5000`): Promise<number> {
    const { code } = await harness.settled(harness.device(address).register({ endpoint }));
    await clock.settle();
    return code;
  }

  async function registerAs(endpoint: string, address: string, mode: 'psk' | 'x509', name: string): Promise<number> {
    const device = harness.secureDevice(address, { mode, name });
    const { code } = await harness.settled(device.register({ endpoint }));
    await clock.settle();
    return code;
  }

  function pendingNames(): string[] {
    return harness.engine.pending().map(({ endpoint }) => endpoint);
  }

  describe('that were turned away are pending', () => {
    it('with who they are, from where, how often and since when', async () => {
      await start();
      assert.equal(await register('lamp-1', '192.0.2.10:5000'), CoapCode.Forbidden);
      const first = clock.now();
      await clock.advance(60_000);
      assert.equal(await register('lamp-2', '192.0.2.11:5000'), CoapCode.Forbidden);
      assert.equal(await register('lamp-1', '192.0.2.10:5001'), CoapCode.Forbidden);
      const now = clock.now();
      const address = { host: '192.0.2.10', port: 5001, transport: 'coap' };
      assert.deepEqual(harness.engine.pending(), [
        { endpoint: 'lamp-1', reason: 'noSec', identity: NOSEC, address, count: 2, firstSeen: first, lastSeen: now },
        {
          endpoint: 'lamp-2',
          reason: 'noSec',
          identity: NOSEC,
          address: { ...address, host: '192.0.2.11', port: 5000 },
          count: 1,
          firstSeen: now,
          lastSeen: now,
        },
      ]);
    });

    it('not when they are provisioned, or known by another name', async () => {
      await start();
      const { engine } = harness;
      await engine.provision({ endpoint: 'lamp-1', security: { mode: 'psk', identity: 'lamp-1', key: KEY } });
      await engine.provision({ endpoint: 'car-1', security: { mode: 'x509', name: 'car-1.example.com' } });
      assert.equal(await register('lamp-1'), CoapCode.Forbidden);
      assert.equal(await registerAs('lamp-2', '192.0.2.99:1', 'psk', 'lamp-1'), CoapCode.Forbidden);
      assert.equal(await registerAs('car-2', '192.0.2.99:2', 'x509', 'car-1.example.com'), CoapCode.Forbidden);
      assert.deepEqual(engine.pending(), []);
      assert.equal(await registerAs('car-2', '192.0.2.99:3', 'x509', 'car-2.example.com'), CoapCode.Forbidden);
      assert.deepEqual(pendingNames(), ['car-2']);
    });

    it('no more when they are provisioned or registered', async () => {
      await start();
      for (const endpoint of ['lamp-1', 'lamp-2', 'lamp-3']) await register(endpoint);
      await harness.engine.provision({ endpoint: 'lamp-3', labels: { site: 'north' } });
      await harness.engine.provision({ endpoint: 'lamp-1', security: NOSEC });
      assert.deepEqual(pendingNames(), ['lamp-3', 'lamp-2']);
      await harness.engine.permitJoin();
      await register('lamp-2');
      assert.deepEqual(pendingNames(), ['lamp-3']);
    });
  });

  describe('are accepted', () => {
    it('without security where provisioned devices may be without', async () => {
      await start();
      await register('lamp-1');
      await register('lamp-2');
      const { engine } = harness;
      assert.deepEqual(await engine.accept('lamp-1'), {
        endpoint: 'lamp-1',
        security: NOSEC,
        labels: {},
        groups: [],
        priority: 'normal',
      });
      const second = await engine.accept({ endpoint: 'lamp-2', groups: ['main'] });
      assert.deepEqual([second.security, second.groups], [NOSEC, ['main']]);
      assert.equal(await register('lamp-1'), CoapCode.Created);
      assert.equal(await register('lamp-2'), CoapCode.Created);
      assert.equal(await register('lamp-3'), CoapCode.Forbidden);
    });

    it('with a key, and with the certificate that they came with', async () => {
      await start({ noSec: 'none' });
      const { engine } = harness;
      await register('lamp-1');
      await registerAs('car-2', '192.0.2.99:3', 'x509', 'car-2.example.com');
      const security = { mode: 'psk', identity: 'lamp-1', key: KEY };
      assert.deepEqual((await engine.accept({ endpoint: 'lamp-1', security })).security?.mode, 'psk');
      assert.deepEqual((await engine.accept('car-2')).security, { mode: 'x509', name: 'car-2.example.com' });
      assert.equal(await registerAs('lamp-1', '192.0.2.99:4', 'psk', 'lamp-1'), CoapCode.Created);
      assert.equal(await registerAs('car-2', '192.0.2.99:5', 'x509', 'car-2.example.com'), CoapCode.Created);
    });

    for (const noSec of ['none', 'loopback'] as const) {
      it(`not without security by the policy ${noSec}, which would not let them in`, async () => {
        await start({ noSec });
        await register('lamp-1');
        await assert.rejects(harness.engine.accept('lamp-1'), { code: 'INVALID_ARGUMENT', message: /without DTLS/ });
        assert.deepEqual(await harness.engine.provisionedDevices(), []);
      });
    }

    it('not when nobody of the name is pending', async () => {
      await start();
      for (const input of ['lamp-1', { endpoint: 'lamp-1' }, '', {}, undefined, null, 7]) {
        await assert.rejects(harness.engine.accept(input), { code: 'INVALID_ARGUMENT' }, JSON.stringify(input));
      }
    });
  });

  describe('join while they may', () => {
    it('and have a record from then on, which says what the window says', async () => {
      await start();
      const { engine } = harness;
      const window = await engine.permitJoin({
        duration: 180,
        labels: { floor: 3 },
        groups: ['new'],
        priority: 'low',
        owner: 'city',
        user: 'ann',
      });
      assert.deepEqual(window, { open: true, until: clock.now() + 180_000, limit: 1000, joined: [] });
      assert.equal(await register('lamp-1'), CoapCode.Created);
      const record = { labels: { floor: '3' }, groups: ['new'], priority: 'low', owner: 'city' };
      assert.deepEqual(await engine.provisioned('lamp-1'), { endpoint: 'lamp-1', security: NOSEC, ...record });
      assert.deepEqual(harness.topics(), ['registered', 'joined']);
      const { endpoint, labels, groups, priority, owner } = harness.eventsOf('joined')[0]?.payload ?? assert.fail();
      assert.deepEqual({ endpoint, labels, groups, priority, owner }, { endpoint: 'lamp-1', ...record });
      assert.deepEqual(engine.joinWindow, { ...window, joined: ['lamp-1'] });
    });

    it('and not any longer: it closes by itself', async () => {
      await start();
      const { engine } = harness;
      await engine.permitJoin({ duration: 10 });
      const device = harness.device('192.0.2.10:5000');
      assert.equal((await harness.settled(device.register({ endpoint: 'lamp-1' }))).code, CoapCode.Created);
      await clock.advance(10_000);
      assert.equal(engine.joinWindow?.open, false);
      assert.equal(await register('lamp-2'), CoapCode.Forbidden);
      assert.equal((await harness.settled(device.update())).code, CoapCode.Changed);
      assert.equal(await register('lamp-1'), CoapCode.Created, 'who has joined stays');
    });

    it('is in the audit trail, and so is each device that joined, by who opened it', async () => {
      await start();
      const { engine } = harness;
      await engine.permitJoin({ user: 'ada' });
      await register('lamp-1');
      const trail = (await engine.audit()).map(
        ({ user, operation, endpoint = '-' }) => `${user} ${operation} ${endpoint}`,
      );
      assert.deepEqual(trail, ['ada join lamp-1', 'ada join -']);
    });

    it('until it is closed, or until so many have joined', async () => {
      await start();
      const { engine } = harness;
      await engine.permitJoin({ limit: 2 });
      for (const [endpoint, code] of [
        ['lamp-1', CoapCode.Created],
        ['lamp-1', CoapCode.Created],
        ['lamp-2', CoapCode.Created],
        ['lamp-3', CoapCode.Forbidden],
      ] as const) {
        assert.equal(await register(endpoint), code, endpoint);
      }
      assert.equal(engine.joinWindow?.open, false);
      await engine.permitJoin();
      assert.equal(await register('lamp-3'), CoapCode.Created);
      assert.deepEqual((await engine.permitJoin({ duration: 0 })).open, false);
      assert.equal(await register('lamp-4'), CoapCode.Forbidden);
    });

    it('never under a name with a security, nor under that of a device that proved who it is', async () => {
      await start();
      const { engine } = harness;
      await engine.provision({ endpoint: 'lamp-1', security: { mode: 'psk', identity: 'lamp-1', key: KEY } });
      assert.equal(await registerAs('car-1', '192.0.2.99:1', 'x509', 'car-1'), CoapCode.Created);
      await engine.permitJoin();
      assert.equal(await register('lamp-1'), CoapCode.Forbidden);
      assert.equal(await register('car-1'), CoapCode.Forbidden);
      assert.equal(engine.devices({ endpoint: 'car-1' })[0]?.identity?.mode, 'x509');
      assert.deepEqual(
        (await engine.provisionedDevices()).map(({ security }) => security?.mode),
        ['psk'],
      );
    });

    it('keeping what was entered of them before', async () => {
      await start();
      const { engine } = harness;
      await engine.provision({ endpoint: 'lamp-1', labels: { pole: '7' } });
      assert.equal(await register('lamp-1'), CoapCode.Forbidden);
      await engine.permitJoin({ labels: { floor: 3 }, groups: ['new'] });
      assert.equal(await register('lamp-1'), CoapCode.Created);
      assert.deepEqual(await engine.provisioned('lamp-1'), {
        endpoint: 'lamp-1',
        security: NOSEC,
        labels: { pole: '7' },
        groups: [],
        priority: 'normal',
      });
    });

    it('without taking the key from one that gets it at the same moment', async () => {
      await start();
      const { engine } = harness;
      await engine.permitJoin();
      const put = store.devices.put.bind(store.devices);
      store.devices.put = (record, revision) => {
        store.devices.put = put;
        // Another instance was faster.
        put({ ...record, security: { mode: 'psk', identity: 'x', key: Buffer.from(KEY, 'hex') }, revision: 1 }, 0);
        return put(record, revision);
      };
      await register('lamp-1');
      assert.equal(store.devices.get('lamp-1')?.security?.mode, 'psk');
      assert.deepEqual(engine.joinWindow?.joined, []);
    });

    it('where all are let in too, to get a record', async () => {
      await start({ noSec: 'any' });
      const { engine } = harness;
      await register('lamp-1');
      assert.equal(await engine.provisioned('lamp-1'), null);
      await engine.permitJoin({ groups: ['new'] });
      await register('lamp-2');
      assert.deepEqual((await engine.provisioned('lamp-2'))?.groups, ['new']);
    });

    it('only from this machine where only this machine is let in, and not at all where nobody is', async () => {
      await start({ noSec: 'loopback' });
      await harness.engine.permitJoin();
      assert.equal(await register('lamp-1'), CoapCode.Forbidden);
      assert.equal(await register('lamp-2', '127.0.0.1:5000'), CoapCode.Created);
      assert.equal((await harness.engine.provisioned('lamp-2'))?.security?.mode, 'nosec');
      await harness.close();
      await start({ noSec: 'none' });
      await assert.rejects(harness.engine.permitJoin(), { code: 'INVALID_ARGUMENT', message: /noSec: none/ });
    });

    it('and come again when the store had no room for their record', async () => {
      await start();
      await harness.engine.permitJoin({ duration: 60 });
      const put = store.devices.put.bind(store.devices);
      store.devices.put = () => {
        throw new StoreError('the disk is full');
      };
      assert.equal(await register('lamp-1'), CoapCode.Created);
      assert.ok(harness.logged.some((line) => line.includes('lamp-1') && line.includes('the disk is full')));
      assert.deepEqual(harness.engine.joinWindow?.joined, []);
      store.devices.put = put;
      assert.equal(await register('lamp-1'), CoapCode.Created);
      assert.deepEqual(harness.engine.joinWindow?.joined, ['lamp-1']);
    });

    for (const [what, options] of [
      ['a negative duration', { duration: -1 }],
      ['a duration that is no number', { duration: Number.NaN }],
      ['more than a day', { duration: 86_401 }],
      ['no place', { limit: 0 }],
      ['labels that cannot be', { labels: { 'a b': 1 } }],
      ['a priority that there is not', { priority: 'urgent' }],
    ] as const) {
      it(`not with ${what}`, async () => {
        await start();
        await assert.rejects(harness.engine.permitJoin(options), { code: 'INVALID_ARGUMENT' });
        assert.equal(harness.engine.joinWindow, undefined);
      });
    }
  });
});

describe('The list of pending devices', () => {
  function rejection(endpoint: string, more: Partial<Rejection> = {}): Rejection {
    const address = { host: '192.0.2.1', port: 1, transport: 'coap' as const };
    return { endpoint, address, identity: NOSEC, operation: 'register', reason: 'noSec', ...more };
  }

  function listOf(rejections: readonly Rejection[]): PendingDevice[] {
    let now = 0;
    const pending = new PendingDevices({
      identityOf: () => undefined,
      endpointOf: ({ name }) => (name === 'known' ? 'lamp' : undefined),
      now: () => (now += 1),
    });
    for (const one of rejections) pending.rejected(one);
    return pending.list();
  }

  it('has a thousand at most: who came longest ago is forgotten', () => {
    const names = Array.from({ length: 1000 }, (_, n) => `lamp-${n}`);
    const list = listOf([...names, 'lamp-0', 'new'].map((name) => rejection(name)));
    assert.equal(list.length, 1000);
    assert.deepEqual(
      list.slice(0, 2).map(({ endpoint, count, firstSeen }) => [endpoint, count, firstSeen]),
      [
        ['new', 1, 1002],
        ['lamp-0', 2, 1],
      ],
    );
    assert.equal(list.at(-1)?.endpoint, 'lamp-2');
  });

  it('has identities of pre-shared keys that nobody knows, and nothing else that failed in its handshake', () => {
    const handshake = { operation: 'handshake', reason: 'identity' } as const;
    const psk = (name: string): Rejection => rejection('', { ...handshake, identity: { mode: 'psk', name } });
    const list = listOf([
      psk('new'),
      psk('new'),
      psk('known'),
      rejection('', { ...handshake, identity: { mode: 'x509', name: 'car' } }),
      rejection('', { ...handshake, reason: 'version' }),
      rejection('lamp-1', { reason: 'overload' }),
      rejection('lamp-1', { operation: 'deregister' }),
      rejection('', { operation: 'update' }),
    ]);
    assert.deepEqual(
      list.map(({ endpoint, identity, count }) => [endpoint, identity, count]),
      [['', { mode: 'psk', name: 'new' }, 2]],
    );
  });
});
