import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { StoreError } from '../../src/errors';
import type { Registration } from '../../src/server';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store';
import { SimulatedClock } from '../support/simulated-clock';
import { thingsOf } from './keyed-contract';
import { observationOf, recordOf, registrationOf, storeContract } from './store-contract';
import { temporaryDirectory } from './temporary-directory';

const GRANT = {
  id: 'g',
  user: 'ann',
  target: { group: 'north' },
  operations: ['read'],
  from: 1,
  pauses: [],
  grantedAt: 1,
} as const;
const SUSPENSION = { endpoint: 'lamp-1', since: 1, until: 2, opensAt: 2, mode: 'server' } as const;
const ENTRY = { at: 1, operation: 'write', paths: ['/3/0'], outcome: 'succeeded' } as const;

/** As the server makes it: with every property there is. */
function wholeRegistration(changes: Partial<Registration> = {}): Registration {
  return registrationOf({ smsNumber: undefined, profileId: undefined, ...changes });
}

describe('A store in files', () => {
  const directoryOf = temporaryDirectory();
  let clock: SimulatedClock;
  const opened: SqliteStore[] = [];

  async function openStore(directory = directoryOf()): Promise<SqliteStore> {
    const store = new SqliteStore({ directory, clock });
    opened.push(store);
    await store.open();
    return store;
  }

  beforeEach(() => {
    clock = new SimulatedClock();
  });

  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });

  storeContract('It', async () => ({ store: await openStore(), clock }));

  describe('keeps of the audit', () => {
    async function openSmall(): Promise<SqliteStore> {
      const store = new SqliteStore({ directory: directoryOf(), clock, auditEntries: 100 });
      opened.push(store);
      await store.open();
      return store;
    }

    const append = async (store: SqliteStore, from: number, to: number): Promise<void> => {
      const times = Array.from({ length: to - from }, (_unused, n) => from + n);
      await Promise.all(times.map(async (at) => store.audit.append({ ...ENTRY, at })));
    };

    it('the newest entries, and not many more', async () => {
      const store = await openSmall();
      await append(store, 0, 2_000);
      const kept = await store.audit.query({ limit: 10_000 });
      assert.ok(kept.length >= 100 && kept.length <= 100 + 251, `${kept.length}`);
      assert.deepEqual(
        kept.map(({ at, number }) => [at, number]),
        kept.map((_unused, n) => [1_999 - n, 2_000 - n]),
      );
    });

    it('no more from process to process, however few each of them adds', async () => {
      const first = await openStore();
      await append(first, 0, 1_000);
      await first.close();
      for (let start = 0; start < 3; start += 1) {
        const store = await openSmall();
        await append(store, 1_000 + start, 1_001 + start);
        await store.close();
      }
      const last = await openSmall();
      const kept = await last.audit.query({ limit: 10_000 });
      assert.deepEqual([kept.length, kept[0]?.at], [100, 1_002]);
    });
  });

  describe('after a restart', () => {
    it('has everything that was acknowledged', async () => {
      const first = await openStore();
      const objects = {
        objects: [{ id: 5, version: '1.1', instances: [0, 7] }],
        rootPath: ['r'],
        contentFormats: [112],
      };
      const registrations = [
        wholeRegistration(),
        wholeRegistration({ endpoint: 'a\0b', id: 'id-2', revision: 4, smsNumber: '+49', profileId: 'p', objects }),
        wholeRegistration({ endpoint: 'ü "\u2028', id: 'id-3', identity: { mode: 'psk', name: 'x' }, objects }),
      ];
      for (const registration of registrations) {
        await first.registrations.put({ ...registration, revision: 1 }, 0);
        if (registration.revision > 1) await first.registrations.put(registration, 1);
      }
      const observation = observationOf({ attributes: { pmin: 1, gt: null }, contentFormat: 'senml-cbor' });
      await first.observations.put(observation);
      const record = recordOf({
        security: { mode: 'psk', identity: 'i', key: Buffer.from('00ff', 'hex') },
        labels: { ['__proto__']: 'x' },
        metadata: { n: [1] },
      });
      await first.devices.put(record, 0);
      await first.secrets.add('key', Buffer.from('one'));
      await first.suspensions.put('lamp-1', SUSPENSION);
      await first.values.put('lamp-1', { values: [] });
      await first.grants.put('g', GRANT);
      await first.audit.append(ENTRY);
      await first.close();

      const second = await openStore();
      for (const registration of registrations) {
        assert.deepEqual(second.registrations.byEndpoint(registration.endpoint), registration);
        assert.deepEqual(second.registrations.byId(registration.id), registration);
      }
      assert.equal(
        second.registrations.byId('id-2')?.objects,
        second.registrations.byId('id-3')?.objects,
        'devices of one kind share one object list',
      );
      assert.deepEqual(second.observations.of('lamp-1'), [observation]);
      assert.deepEqual(second.devices.byPskIdentity('i'), record);
      assert.deepEqual(second.secrets.get('key'), Buffer.from('one'));
      assert.deepEqual(await thingsOf(second.suspensions), new Map([['lamp-1', SUSPENSION]]));
      assert.deepEqual(await thingsOf(second.values), new Map([['lamp-1', { values: [] }]]));
      assert.deepEqual(await thingsOf(second.grants), new Map([['g', GRANT]]));
      assert.deepEqual(await second.audit.query({ limit: 9 }), [{ ...ENTRY, number: 1 }]);
    });

    it('has nothing of what was removed or had expired', async () => {
      const first = await openStore();
      await first.registrations.put(registrationOf(), 0);
      await first.registrations.put(registrationOf({ endpoint: 'lamp-2', id: 'id-2', lifetime: 10 }), 0);
      await first.registrations.remove('lamp-1', 1);
      await first.observations.put(observationOf());
      await first.observations.put(observationOf({ token: Buffer.from('aa', 'hex') }));
      await first.observations.put(observationOf({ endpoint: 'lamp-2' }));
      await first.observations.remove('lamp-1', Buffer.from('aa', 'hex'));
      await first.observations.removeOf('lamp-2');
      await first.devices.put(recordOf(), 0);
      await first.devices.remove('lamp-1', 1);
      await clock.advance(20_000);
      assert.equal((await first.registrations.takeExpired(10)).length, 1);
      await first.close();

      const second = await openStore();
      assert.deepEqual([...second.registrations.all()], []);
      assert.deepEqual([...second.observations.all()], [observationOf()]);
      assert.deepEqual([...second.devices.all()], []);
    });

    it('gives every registration a fresh lifetime', async () => {
      const first = await openStore();
      await first.registrations.put(registrationOf({ lifetime: 60 }), 0);
      await clock.advance(50_000);
      await first.close();
      const second = await openStore();
      await clock.advance(50_000);
      assert.deepEqual(await second.registrations.takeExpired(10), []);
      await clock.advance(12_000);
      assert.equal((await second.registrations.takeExpired(10)).length, 1);
    });

    it('reads many, page by page', async () => {
      const first = await openStore();
      const count = 4_500;
      await Promise.all(
        Array.from({ length: count }, async (_unused, n) => {
          await first.registrations.put(registrationOf({ endpoint: `e${n}`, id: `id-${n}` }), 0);
          await first.observations.put(observationOf({ endpoint: `e${n % 10}`, token: Buffer.from(`t${n}`) }));
        }),
      );
      await first.close();
      const second = await openStore();
      assert.equal(second.registrations.count(), count);
      assert.equal(second.observations.count(), count);
      assert.equal(second.registrations.byId('id-4321')?.endpoint, 'e4321');
    });
  });

  it('keeps its directory and files from others', async () => {
    const directory = path.join(directoryOf(), 'new', 'one');
    const store = await openStore(directory);
    await store.registrations.put(registrationOf(), 0);
    await store.values.put('x', { values: [] });
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    const files = readdirSync(directory);
    assert.deepEqual(files.sort(), ['lwm2m.db', 'lwm2m.db-wal', 'values.db', 'values.db-wal']);
    for (const file of files) assert.equal(statSync(path.join(directory, file)).mode & 0o777, 0o600, file);
  });

  it('takes the rights of others from files that it finds', async () => {
    await (await openStore()).close();
    const file = path.join(directoryOf(), 'lwm2m.db');
    const { chmodSync } = await import('node:fs');
    chmodSync(file, 0o666);
    await openStore();
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('writes what is asked for before it closes, and refuses what comes later', async () => {
    const store = await openStore();
    const puts = ['a', 'b', 'c'].map(async (id) => store.grants.put(id, GRANT));
    const closed = store.close();
    await assert.rejects(store.grants.put('d', GRANT), StoreError);
    await Promise.all(puts);
    await closed;
    const again = await openStore();
    assert.deepEqual([...(await thingsOf(again.grants)).keys()], ['a', 'b', 'c']);
  });

  it('that is closed while it opens is not open, holds no file, and opens again', async () => {
    const store = new SqliteStore({ directory: directoryOf(), clock });
    const opening = assert.rejects(store.open(), StoreError);
    await store.close();
    await opening;
    await assert.rejects(store.check(), StoreError);
    await openStore();
  });

  it('refuses changes and questions while it is not open', async () => {
    const store = new SqliteStore({ directory: directoryOf(), clock });
    await assert.rejects(async () => store.registrations.put(registrationOf(), 0), StoreError);
    await assert.rejects(async () => store.grants.put('x', GRANT), StoreError);
    await assert.rejects(thingsOf(store.grants), StoreError);
    await assert.rejects(store.audit.query({ limit: 1 }), StoreError);
    await assert.rejects(store.check(), StoreError);
    await store.close();
    await store.open();
    opened.push(store);
    await assert.rejects(store.open(), /is open already/);
  });

  it('says nothing on stderr but what is said to it', async () => {
    const { execFileSync } = await import('node:child_process');
    const script = `
      const { SqliteStore } = require(${JSON.stringify(path.resolve('src/store/sqlite/sqlite-store.ts'))});
      const store = new SqliteStore({ directory: ${JSON.stringify(directoryOf())} });
      store.open().then(() => store.grants.put('x', {})).then(() => store.close()).then(() => console.log('done'));
    `;
    const output = execFileSync('sh', ['-c', '"$0" --import tsx -e "$1" 2>&1', process.execPath, script], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    assert.equal(output, 'done\n');
  });

  describe('that cannot be opened', () => {
    it('says that another has it, leaves that one alone, and opens when it is free', async () => {
      const first = await openStore();
      await first.registrations.put(registrationOf(), 0);
      const second = new SqliteStore({ directory: directoryOf(), clock });
      await assert.rejects(second.open(), (error: StoreError) => {
        assert.ok(error instanceof StoreError);
        assert.match(error.message, /in use by another process or another server/);
        assert.ok(error.cause instanceof Error);
        return true;
      });
      await first.registrations.put(registrationOf({ revision: 2 }), 1);
      await first.close();
      await second.open();
      opened.push(second);
      assert.equal(second.registrations.byEndpoint('lamp-1')?.revision, 2);
    });

    it('says that the directory is none, and opens when it is one', async () => {
      const directory = path.join(directoryOf(), 'file');
      writeFileSync(directory, 'x');
      const store = new SqliteStore({ directory, clock });
      await assert.rejects(store.open(), /is no directory/);
      rmSync(directory);
      await store.open();
      opened.push(store);
      await store.check();
    });

    for (const name of ['lwm2m', 'values']) {
      it(`says that ${name}.db is damaged, never touches it, and opens when it is away`, async () => {
        const file = path.join(directoryOf(), `${name}.db`);
        const garbage = 'This was a database once. '.repeat(400);
        writeFileSync(file, garbage, { mode: 0o600 });
        const store = new SqliteStore({ directory: directoryOf(), clock });
        await assert.rejects(store.open(), /is damaged; it is left as it is/);
        await assert.rejects(store.open(), /is damaged; it is left as it is/);
        assert.equal(readFileSync(file, 'utf8'), garbage);
        renameSync(file, `${file}.old`);
        await store.open();
        opened.push(store);
        await store.check();
      });
    }

    it('says that a page within the file is damaged', async () => {
      const first = await openStore();
      for (let n = 0; n < 200; n += 1)
        await first.registrations.put(registrationOf({ endpoint: `e${n}`, id: `${n}` }), 0);
      await first.close();
      const file = path.join(directoryOf(), 'lwm2m.db');
      const bytes = readFileSync(file);
      const page = bytes.indexOf('"endpoint":"e100"') & ~4095;
      bytes.fill(0x55, page, page + 4096);
      writeFileSync(file, bytes);
      await assert.rejects(openStore(), /is damaged; it is left as it is/);
      assert.deepEqual(readFileSync(file), bytes);
    });

    it('says that the file is of a newer version, and leaves it as it is', async () => {
      await (await openStore()).close();
      const file = path.join(directoryOf(), 'lwm2m.db');
      const database = new DatabaseSync(file);
      database.exec('PRAGMA user_version = 99');
      database.close();
      const before = readFileSync(file);
      await assert.rejects(openStore(), /written by a newer version of this software \(schema 99/);
      assert.deepEqual(readFileSync(file), before);
      assert.deepEqual(readdirSync(directoryOf()).sort(), ['lwm2m.db', 'values.db']);
    });

    it('says that the file is a database of something else', async () => {
      const database = new DatabaseSync(path.join(directoryOf(), 'lwm2m.db'));
      database.exec('CREATE TABLE cats (name TEXT)');
      database.close();
      await assert.rejects(openStore(), /is a database of something else/);
    });

    it('holds no file afterwards', async () => {
      const file = path.join(directoryOf(), 'values.db');
      mkdirSync(file);
      await assert.rejects(openStore(), StoreError);
      const other = new DatabaseSync(path.join(directoryOf(), 'lwm2m.db'));
      other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT');
      other.close();
    });
  });

  describe('in trouble', () => {
    /** What a disk does that fails: the file is not where it was. */
    function lose(name: string): () => void {
      const file = path.join(directoryOf(), name);
      renameSync(file, `${file}.away`);
      return () => renameSync(`${file}.away`, file);
    }

    it('refuses changes, holds what it held, and is well as soon as the trouble is over', async () => {
      const store = await openStore();
      await store.registrations.put(registrationOf(), 0);
      await store.observations.put(observationOf());
      await store.devices.put(recordOf(), 0);
      const bringBack = lose('lwm2m.db');
      const failing = [
        async () => store.registrations.put(registrationOf({ id: 'id-2', revision: 2 }), 1),
        async () => store.registrations.put(registrationOf({ endpoint: 'new', id: 'id-3' }), 0),
        async () => store.registrations.remove('lamp-1', 1),
        async () => store.observations.put(observationOf({ endpoint: 'new' })),
        async () => store.observations.remove('lamp-1', observationOf().token),
        async () => store.observations.removeOf('lamp-1'),
        async () => store.devices.put(recordOf({ revision: 2 }), 1),
        async () => store.devices.remove('lamp-1', 1),
        async () => store.secrets.add('key', Buffer.from('x')),
        async () => store.orders.remove('x'),
        async () => store.grants.put('x', GRANT),
        async () => store.audit.append(ENTRY),
        async () => store.check(),
        async () => thingsOf(store.grants),
        async () => store.audit.query({ limit: 1 }),
      ];
      for (const change of failing) await assert.rejects(change, StoreError);
      await store.values.put('x', { values: [] });
      assert.equal(await store.registrations.renew('lamp-1', 1), true);
      assert.deepEqual([...store.registrations.all()], [registrationOf()]);
      assert.deepEqual([...store.observations.all()], [observationOf()]);
      assert.deepEqual([...store.devices.all()], [recordOf()]);
      assert.equal(store.secrets.get('key'), undefined);

      bringBack();
      await store.check();
      assert.equal(await store.registrations.put(registrationOf({ revision: 2 }), 1), true);
      await store.close();
      const again = await openStore();
      assert.deepEqual(again.registrations.byEndpoint('lamp-1')?.revision, 2);
      assert.deepEqual([...again.observations.all()], [observationOf()]);
      assert.deepEqual([...again.devices.all()], [recordOf()]);
      assert.deepEqual(await thingsOf(again.grants), new Map());
    });

    it('forgets no expired registration that it cannot remove', async () => {
      const store = await openStore();
      await store.registrations.put(registrationOf({ lifetime: 10 }), 0);
      await clock.advance(12_000);
      const bringBack = lose('lwm2m.db');
      await assert.rejects(async () => store.registrations.takeExpired(10), StoreError);
      assert.equal(store.registrations.byEndpoint('lamp-1')?.id, 'id-1');
      bringBack();
      await clock.advance(2_000);
      assert.equal((await store.registrations.takeExpired(10)).length, 1);
      assert.equal(store.registrations.byEndpoint('lamp-1'), undefined);
    });

    it('with its values has none with the rest', async () => {
      const store = await openStore();
      const bringBack = lose('values.db');
      const outcomes = await Promise.allSettled([
        store.values.put('x', { values: [] }),
        store.grants.put('x', GRANT),
        store.values.put('y', { values: [] }),
      ]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['rejected', 'fulfilled', 'rejected'],
      );
      await assert.rejects(store.check(), /was removed or replaced while it was in use/);
      bringBack();
      await store.check();
    });

    it('forgets no registration whose removal was asked for and did not succeed, as often as it is renewed', async () => {
      const store = await openStore();
      await store.registrations.put(registrationOf(), 0);
      const bringBack = lose('lwm2m.db');
      await assert.rejects(async () => store.registrations.remove('lamp-1', 1), StoreError);
      bringBack();
      assert.equal(await store.registrations.renew('lamp-1', 1), true);
      await store.close();
      assert.equal((await openStore()).registrations.byEndpoint('lamp-1')?.id, 'id-1');
    });

    it('because its worker died refuses what was under way, and goes on with another', async () => {
      const workers: Worker[] = [];
      const listener = (worker: Worker) => workers.push(worker);
      process.on('worker', listener);
      try {
        const store = await openStore();
        await store.registrations.put(registrationOf(), 0);
        const put = assert.rejects(
          async () => store.registrations.put(registrationOf({ revision: 2 }), 1),
          /the worker of the store .* has ended/,
        );
        await workers[0]?.terminate();
        await put;
        assert.equal(store.registrations.byEndpoint('lamp-1')?.revision, 1);
        assert.equal(await store.registrations.put(registrationOf({ revision: 2, lifetime: 77 }), 1), true);
        assert.equal(workers.length, 2);
        await store.close();
        assert.equal((await openStore()).registrations.byEndpoint('lamp-1')?.lifetime, 77);
      } finally {
        process.off('worker', listener);
      }
    });
  });

  it('leaves no log beside its files when it is closed', async () => {
    const store = await openStore();
    await store.registrations.put(registrationOf(), 0);
    await store.close();
    assert.equal(existsSync(path.join(directoryOf(), 'lwm2m.db-wal')), false);
  });
});
