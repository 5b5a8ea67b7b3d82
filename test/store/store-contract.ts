import assert from 'node:assert/strict';
import type { AccessStore } from '../../src/access';
import type { DeviceRecord, Store } from '../../src/fleet';
import type { Registration, StoredObservation } from '../../src/server';
import type { SimulatedClock } from '../support/simulated-clock';
import { auditContract } from './audit-contract';
import { keyedContract } from './keyed-contract';

/** A store under test, opened, with the clock it lives by. */
export interface StoreUnderTest {
  store: Store & AccessStore;
  clock: SimulatedClock;
}

export function registrationOf(changes: Partial<Registration> = {}): Registration {
  return {
    id: 'id-1',
    endpoint: 'lamp-1',
    revision: 1,
    owner: 'one',
    version: '1.1',
    binding: 'U',
    queueMode: false,
    lifetime: 60,
    lifetimeRequested: 60,
    objects: { objects: [{ id: 3, version: '1.0', instances: [0] }], rootPath: [], contentFormats: [] },
    scheme: 'coap',
    address: { host: '192.0.2.1', port: 5683 },
    identity: { mode: 'nosec' },
    registeredAt: 1_700_000_000_000,
    ...changes,
  };
}

export function observationOf(changes: Partial<StoredObservation> = {}): StoredObservation {
  return {
    endpoint: 'lamp-1',
    registrationId: 'id-1',
    token: Buffer.from('0102030405060708', 'hex'),
    paths: ['/3303/0/5700'],
    composite: false,
    ...changes,
  };
}

async function endpointsOf(store: Store): Promise<string[]> {
  const endpoints: string[] = [];
  for await (const registration of store.registrations.all()) endpoints.push(registration.endpoint);
  return endpoints.sort();
}

async function expiredIn(store: Store): Promise<string[]> {
  return (await store.registrations.takeExpired(1000)).map(({ endpoint }) => endpoint).sort();
}

/** What every store promises. Run over each of them. */
export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of stores`, () => {
    let store: Store & AccessStore;
    let clock: SimulatedClock;

    beforeEach(async () => {
      ({ store, clock } = await open());
    });

    afterEach(async () => {
      await store.close();
    });

    registrationContract(
      () => store,
      () => clock,
    );
    lifetimeContract(
      () => store,
      () => clock,
    );
    observationContract(() => store);
    deviceRecordContract(() => store);
    secretContract(() => store);
    for (const name of ['orders', 'policies', 'groups', 'suspensions', 'values', 'grants'] as const) {
      // Of what type the things are is their owner's business.
      keyedContract(name, () => store[name]);
    }
    auditContract(() => store.audit);

    it('says that it is well', async () => {
      await store.check();
    });
  });
}

function registrationContract(storeOf: () => Store, clockOf: () => SimulatedClock): void {
  describe('for registrations', () => {
    it('finds what was put by endpoint and by id, whole', async () => {
      const { registrations } = storeOf();
      const registration = registrationOf({ smsNumber: '+49', profileId: 'p', identity: { mode: 'psk', name: 'x' } });
      assert.equal(await registrations.put(registration, 0), true);
      assert.deepEqual(await registrations.byEndpoint('lamp-1'), registration);
      assert.deepEqual(await registrations.byId('id-1'), registration);
      assert.equal(await registrations.count(), 1);
    });

    it('finds nothing that was never put', async () => {
      const { registrations } = storeOf();
      assert.equal(await registrations.byEndpoint('lamp-1'), undefined);
      assert.equal(await registrations.byId('id-1'), undefined);
      assert.equal(await registrations.byEndpoint('__proto__'), undefined);
    });

    it('sets only over the revision that was expected', async () => {
      const { registrations } = storeOf();
      const first = registrationOf();
      assert.equal(await registrations.put(first, 1), false);
      assert.equal(await registrations.byEndpoint('lamp-1'), undefined);
      assert.equal(await registrations.put(first, 0), true);
      assert.equal(await registrations.put(registrationOf({ id: 'id-2' }), 0), false);
      assert.deepEqual(await registrations.byEndpoint('lamp-1'), first);
      assert.equal(await registrations.byId('id-2'), undefined);
      const second = registrationOf({ revision: 2, lifetime: 90 });
      assert.equal(await registrations.put(second, 1), true);
      assert.deepEqual(await registrations.byId('id-1'), second);
    });

    it('forgets the old id when a new registration of the endpoint replaces it', async () => {
      const { registrations } = storeOf();
      await registrations.put(registrationOf(), 0);
      await registrations.put(registrationOf({ id: 'id-2', revision: 2 }), 1);
      assert.equal(await registrations.byId('id-1'), undefined);
      assert.equal((await registrations.byId('id-2'))?.endpoint, 'lamp-1');
      assert.equal(await registrations.count(), 1);
    });

    it('lets only one of two concurrent writers win', async () => {
      const { registrations } = storeOf();
      const outcomes = await Promise.all(
        ['a', 'b', 'c'].map(async (id) => registrations.put(registrationOf({ id }), 0)),
      );
      assert.deepEqual(outcomes.filter(Boolean).length, 1);
      const winner = ['a', 'b', 'c'][outcomes.indexOf(true)];
      assert.equal((await registrations.byEndpoint('lamp-1'))?.id, winner);
    });

    it('removes only the revision that was expected', async () => {
      const { registrations } = storeOf();
      await registrations.put(registrationOf(), 0);
      assert.equal(await registrations.remove('lamp-1', 2), false);
      assert.equal(await registrations.count(), 1);
      assert.equal(await registrations.remove('lamp-1', 1), true);
      assert.equal(await registrations.remove('lamp-1', 1), false);
      assert.equal(await registrations.byId('id-1'), undefined);
      assert.equal(await registrations.put(registrationOf({ id: 'id-3' }), 0), true);
    });

    it('settles changes of one endpoint in the order in which they were asked for', async () => {
      const { registrations } = storeOf();
      const outcomes = await Promise.all([
        registrations.put(registrationOf(), 0),
        registrations.renew('lamp-1', 1),
        registrations.put(registrationOf({ revision: 2 }), 1),
        registrations.remove('lamp-1', 1),
        registrations.remove('lamp-1', 2),
        registrations.put(registrationOf({ id: 'id-9' }), 0),
      ]);
      assert.deepEqual(outcomes, [true, true, true, false, true, true]);
      assert.equal((await registrations.byEndpoint('lamp-1'))?.id, 'id-9');
      assert.equal((await registrations.byId('id-9'))?.endpoint, 'lamp-1');
    });

    it('lists all of them', async () => {
      const { registrations } = storeOf();
      for (const endpoint of ['c', 'a', 'b']) await registrations.put(registrationOf({ endpoint, id: endpoint }), 0);
      assert.deepEqual(await endpointsOf(storeOf()), ['a', 'b', 'c']);
      await clockOf().advance(1000);
      assert.equal(await registrations.count(), 3);
    });
  });
}

function lifetimeContract(storeOf: () => Store, clockOf: () => SimulatedClock): void {
  describe('for lifetimes', () => {
    it('gives out an expired registration once, within two seconds of its end, and forgets it', async () => {
      const store = storeOf();
      await store.registrations.put(registrationOf(), 0);
      await clockOf().advance(59_900);
      assert.deepEqual(await expiredIn(store), []);
      await clockOf().advance(2_100);
      assert.deepEqual(await expiredIn(store), ['lamp-1']);
      assert.deepEqual(await expiredIn(store), []);
      assert.equal(await store.registrations.byEndpoint('lamp-1'), undefined);
      assert.equal(await store.registrations.byId('id-1'), undefined);
    });

    it('starts a fresh lifetime on renew and on put', async () => {
      const store = storeOf();
      await store.registrations.put(registrationOf(), 0);
      await clockOf().advance(50_000);
      assert.equal(await store.registrations.renew('lamp-1', 1), true);
      await clockOf().advance(50_000);
      assert.deepEqual(await expiredIn(store), []);
      await store.registrations.put(registrationOf({ revision: 2 }), 1);
      await clockOf().advance(50_000);
      assert.deepEqual(await expiredIn(store), []);
      await clockOf().advance(12_000);
      assert.deepEqual(await expiredIn(store), ['lamp-1']);
    });

    it('renews only the revision that was expected', async () => {
      const store = storeOf();
      assert.equal(await store.registrations.renew('lamp-1', 1), false);
      await store.registrations.put(registrationOf(), 0);
      await clockOf().advance(50_000);
      assert.equal(await store.registrations.renew('lamp-1', 2), false);
      await clockOf().advance(12_000);
      assert.deepEqual(await expiredIn(store), ['lamp-1']);
      assert.equal(await store.registrations.renew('lamp-1', 1), false);
    });

    it('heeds a lifetime that became shorter', async () => {
      const store = storeOf();
      await store.registrations.put(registrationOf({ lifetime: 86_400 }), 0);
      await store.registrations.put(registrationOf({ lifetime: 20, revision: 2 }), 1);
      await clockOf().advance(22_000);
      assert.deepEqual(await expiredIn(store), ['lamp-1']);
    });

    it('gives out at most as many as asked for, and the rest next time', async () => {
      const store = storeOf();
      for (let n = 0; n < 5; n += 1)
        await store.registrations.put(registrationOf({ endpoint: `e${n}`, id: `i${n}` }), 0);
      await clockOf().advance(70_000);
      const first = await store.registrations.takeExpired(3);
      const second = await store.registrations.takeExpired(3);
      assert.deepEqual([first.length, second.length], [3, 2]);
      assert.equal(new Set([...first, ...second].map(({ endpoint }) => endpoint)).size, 5);
    });

    it('never expires what was removed', async () => {
      const store = storeOf();
      await store.registrations.put(registrationOf(), 0);
      await store.registrations.remove('lamp-1', 1);
      await clockOf().advance(70_000);
      assert.deepEqual(await expiredIn(store), []);
    });
  });
}

function observationContract(storeOf: () => Store): void {
  describe('for observations', () => {
    it('keeps them whole, by endpoint', async () => {
      const { observations } = storeOf();
      const one = observationOf();
      const two = observationOf({
        token: Buffer.from('ff', 'hex'),
        paths: ['/3/0/9', '/3/0/10'],
        composite: true,
        contentFormat: 'senml-cbor',
        attributes: { pmin: 1, gt: 20.5 },
      });
      await observations.put(one);
      await observations.put(two);
      await observations.put(observationOf({ endpoint: 'lamp-2' }));
      assert.deepEqual(await observations.of('lamp-1'), [one, two]);
      assert.equal((await observations.of('lamp-2')).length, 1);
      assert.deepEqual(await observations.of('lamp-3'), []);
      assert.equal(await observations.count(), 3);
    });

    it('replaces the one with the same token', async () => {
      const { observations } = storeOf();
      await observations.put(observationOf());
      await observations.put(observationOf({ registrationId: 'id-2' }));
      assert.deepEqual(await observations.of('lamp-1'), [observationOf({ registrationId: 'id-2' })]);
      assert.equal(await observations.count(), 1);
    });

    it('lists all of them', async () => {
      const { observations } = storeOf();
      const others = observationOf({ endpoint: 'lamp-2' });
      await observations.put(observationOf());
      await observations.put(others);
      const all: StoredObservation[] = [];
      for await (const observation of observations.all()) all.push(observation);
      assert.deepEqual(
        all.sort((a, b) => a.endpoint.localeCompare(b.endpoint)),
        [observationOf(), others],
      );
    });

    it('removes one, or all of an endpoint', async () => {
      const { observations } = storeOf();
      const other = Buffer.from('aa', 'hex');
      await observations.put(observationOf());
      await observations.put(observationOf({ token: other }));
      await observations.put(observationOf({ endpoint: 'lamp-2' }));
      assert.equal(await observations.remove('lamp-1', other), true);
      assert.equal(await observations.remove('lamp-1', other), false);
      assert.equal((await observations.of('lamp-1')).length, 1);
      assert.equal(await observations.removeOf('lamp-1'), 1);
      assert.equal(await observations.removeOf('lamp-1'), 0);
      assert.equal(await observations.count(), 1);
    });
  });
}

export function recordOf(changes: Partial<DeviceRecord> = {}): DeviceRecord {
  return { endpoint: 'lamp-1', labels: {}, groups: [], priority: 'normal', revision: 1, ...changes };
}

const PSK = { mode: 'psk', identity: 'id-1', key: Buffer.from('000102ff', 'hex') } as const;
const RPK = { mode: 'rpk', publicKey: Buffer.from('3059aa', 'hex') } as const;
const X509 = { mode: 'x509', name: 'lamp-1.example.com' } as const;

function deviceRecordContract(storeOf: () => Store): void {
  describe('for device records', () => {
    const endpointsOfRecords = async (): Promise<string[]> => {
      const endpoints: string[] = [];
      for await (const { endpoint } of storeOf().devices.all()) endpoints.push(endpoint);
      return endpoints.sort();
    };

    it('finds what was put, whole', async () => {
      const { devices } = storeOf();
      const record = recordOf({
        security: PSK,
        labels: { site: 'north', ['__proto__']: 'x' },
        groups: ['main street'],
        priority: 'high',
        owner: 'city',
        metadata: { serial: 7, place: { lat: 1.5 } },
      });
      assert.equal(await devices.put(record, 0), true);
      assert.deepEqual(await devices.get('lamp-1'), record);
      assert.equal(await devices.get('lamp-2'), undefined);
      assert.equal(await devices.get('__proto__'), undefined);
    });

    it('finds a record by each kind of credential, and by no other', async () => {
      const { devices } = storeOf();
      await devices.put(recordOf({ endpoint: 'a', security: PSK }), 0);
      await devices.put(recordOf({ endpoint: 'b', security: RPK }), 0);
      await devices.put(recordOf({ endpoint: 'c', security: X509 }), 0);
      await devices.put(recordOf({ endpoint: 'd', security: { mode: 'nosec' } }), 0);
      await devices.put(recordOf({ endpoint: 'e' }), 0);
      assert.equal((await devices.byPskIdentity('id-1'))?.endpoint, 'a');
      assert.equal((await devices.byPublicKey(Buffer.from('3059aa', 'hex')))?.endpoint, 'b');
      assert.equal((await devices.byCertificateName('lamp-1.example.com'))?.endpoint, 'c');
      assert.equal(await devices.byPskIdentity('lamp-1.example.com'), undefined);
      assert.equal(await devices.byPskIdentity('__proto__'), undefined);
      assert.equal(await devices.byCertificateName('id-1'), undefined);
      assert.equal(await devices.byPublicKey(Buffer.from('3059', 'hex')), undefined);
      assert.deepEqual(await endpointsOfRecords(), ['a', 'b', 'c', 'd', 'e']);
    });

    it('sets and removes only over the revision that was expected', async () => {
      const { devices } = storeOf();
      assert.equal(await devices.put(recordOf(), 1), false);
      assert.equal(await devices.put(recordOf(), 0), true);
      assert.equal(await devices.put(recordOf({ owner: 'x' }), 0), false);
      assert.equal(await devices.put(recordOf({ owner: 'y', revision: 2 }), 1), true);
      assert.equal((await devices.get('lamp-1'))?.owner, 'y');
      assert.equal(await devices.remove('lamp-1', 1), false);
      assert.equal(await devices.remove('lamp-1', 2), true);
      assert.equal(await devices.remove('lamp-1', 2), false);
      assert.equal(await devices.get('lamp-1'), undefined);
    });

    for (const security of [PSK, RPK, X509]) {
      it(`gives a credential of mode ${security.mode} to one record at most, and frees it with the record`, async () => {
        const { devices } = storeOf();
        await devices.put(recordOf({ security }), 0);
        assert.equal(await devices.put(recordOf({ endpoint: 'thief', security }), 0), false);
        assert.equal(await devices.get('thief'), undefined);
        await devices.put(recordOf({ security: { mode: 'nosec' }, revision: 2 }), 1);
        assert.equal(await devices.put(recordOf({ endpoint: 'heir', security }), 0), true);
        await devices.remove('heir', 1);
        assert.equal(await devices.byPskIdentity('id-1'), undefined);
        assert.equal(await devices.byPublicKey(RPK.publicKey), undefined);
        assert.equal(await devices.byCertificateName(X509.name), undefined);
      });
    }

    it('knows the new credential of a record that changed, and not the old one', async () => {
      const { devices } = storeOf();
      await devices.put(recordOf({ security: PSK }), 0);
      const security = { ...PSK, identity: 'id-2' };
      await devices.put(recordOf({ security, revision: 2 }), 1);
      assert.equal(await devices.byPskIdentity('id-1'), undefined);
      assert.deepEqual((await devices.byPskIdentity('id-2'))?.security, security);
    });

    it('gives a credential to one of two that ask for it at once', async () => {
      const { devices } = storeOf();
      const outcomes = await Promise.all(
        ['a', 'b', 'c'].map(async (endpoint) => devices.put(recordOf({ endpoint, security: PSK }), 0)),
      );
      assert.deepEqual(outcomes, [true, false, false]);
      assert.equal((await devices.byPskIdentity('id-1'))?.endpoint, 'a');
    });

    it('gives a credential on that is given up at the same time', async () => {
      const { devices } = storeOf();
      await devices.put(recordOf({ endpoint: 'a', security: PSK }), 0);
      const outcomes = await Promise.all([
        devices.put(recordOf({ endpoint: 'a', revision: 2 }), 1),
        devices.put(recordOf({ endpoint: 'b', security: PSK }), 0),
      ]);
      assert.deepEqual(outcomes, [true, true]);
      assert.equal((await devices.byPskIdentity('id-1'))?.endpoint, 'b');
    });

    it('lives apart from registrations', async () => {
      const { devices, registrations } = storeOf();
      await devices.put(recordOf(), 0);
      assert.equal(await registrations.byEndpoint('lamp-1'), undefined);
      await registrations.put(registrationOf(), 0);
      await devices.remove('lamp-1', 1);
      assert.equal((await registrations.byEndpoint('lamp-1'))?.id, 'id-1');
    });
  });
}

function secretContract(storeOf: () => Store): void {
  it('keeps the first secret of a name', async () => {
    const { secrets } = storeOf();
    assert.equal(await secrets.get('key'), undefined);
    assert.equal(await secrets.add('key', Buffer.from('one')), true);
    assert.equal(await secrets.add('key', Buffer.from('two')), false);
    assert.deepEqual(await secrets.get('key'), Buffer.from('one'));
  });
}
