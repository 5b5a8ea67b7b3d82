import assert from 'node:assert/strict';
import fc from 'fast-check';
import { csvOfRecords, InvalidArgumentError, StoreError, type BatchFailure, type ProvisionedDevice } from '../../src';
import type { DeviceRecord } from '../../src/fleet';
import { recordsOfCsv } from '../../src/fleet/device-record-csv';
import { MemoryDeviceRecords } from '../../src/store/memory-device-records';
import { MemoryStore } from '../../src/store/memory-store';
import { Harness } from '../server/harness';
import { newKeyPair } from '../support/key-pair';
import { SimulatedClock } from '../support/simulated-clock';

const KEY = '000102030405060708090a0b0c0d0e0f';

describe('Device records as CSV', () => {
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

  it('are read with all that a record has', async () => {
    const { spki } = newKeyPair();
    const publicKey = spki.toString('base64');
    const text = [
      'endpoint,mode,identity,key,publicKey,name,label:site,label:floor,groups,priority,owner,metadata:serial,metadata:volt',
      `lamp-1,psk,lamp-1-psk,${KEY},,,north,3,"a;b c\\ d",high,city,007,230`,
      `lamp-2,RPK,,,${publicKey},,south,,,,,,`,
      'lamp-3,x509,,,,lamp-3.example.com,,,,,,"{""a"":[1]}",true',
      'lamp-4,nosec,,,,,,,,Low,,,',
      'lamp-5',
    ].join('\r\n');
    const { engine } = harness;
    const lamp = { labels: {}, groups: [], priority: 'normal', metadata: {} };
    assert.deepEqual(await engine.provisionCsv(text), [
      {
        endpoint: 'lamp-1',
        security: { mode: 'psk', identity: 'lamp-1-psk' },
        labels: { site: 'north', floor: '3' },
        groups: ['a', 'b', 'c d'],
        priority: 'high',
        owner: 'city',
        metadata: { serial: '007', volt: 230 },
      },
      { ...lamp, endpoint: 'lamp-2', security: { mode: 'rpk', publicKey }, labels: { site: 'south' } },
      {
        ...lamp,
        endpoint: 'lamp-3',
        security: { mode: 'x509', name: 'lamp-3.example.com' },
        metadata: { serial: { a: [1] }, volt: true },
      },
      { ...lamp, endpoint: 'lamp-4', security: { mode: 'nosec' }, priority: 'low' },
      { ...lamp, endpoint: 'lamp-5' },
    ]);
    assert.deepEqual(store.devices.get('lamp-1')?.security, {
      mode: 'psk',
      identity: 'lamp-1-psk',
      key: Buffer.from(KEY, 'hex'),
    });
  });

  it('are read as a German Excel writes them', async () => {
    const text = '\uFEFFEndpoint;MODE;Label:Straße;Groups\r\nlampe-1;nosec;Hauptstraße;"a;b"\r\n;;;\r\n';
    const [lamp] = await harness.engine.provisionCsv(text);
    assert.deepEqual([lamp?.labels, lamp?.groups], [{ Straße: 'Hauptstraße' }, ['a', 'b']]);
  });

  it('change what their columns say: an empty cell takes it back, and no cell takes a key', async () => {
    const { engine } = harness;
    await engine.provision({
      endpoint: 'a',
      security: { mode: 'psk', identity: 'a', key: KEY },
      labels: { site: 'north', floor: '3' },
      groups: ['g'],
      priority: 'high',
      owner: 'city',
      metadata: { serial: 1 },
    });
    const unchanged = await engine.provisioned('a');
    assert.deepEqual(await engine.provisionCsv('endpoint\na\n'), [unchanged]);
    assert.deepEqual(await engine.provisionCsv(csvOfRecords(await engine.provisionedDevices())), [unchanged]);
    assert.deepEqual(await engine.provisionCsv('endpoint,mode,label:site,groups,priority,owner\na,,south,,,\n'), [
      {
        endpoint: 'a',
        security: { mode: 'psk', identity: 'a' },
        labels: { site: 'south' },
        groups: [],
        priority: 'normal',
        metadata: { serial: 1 },
      },
    ]);
    assert.deepEqual(store.devices.get('a')?.security, { mode: 'psk', identity: 'a', key: Buffer.from(KEY, 'hex') });
  });

  it('are written without keys, sorted columns, and no formula among them', async () => {
    const { engine } = harness;
    await engine.provision({ endpoint: '=lamp', security: { mode: 'psk', identity: 'x', key: KEY }, owner: '@me' });
    await engine.provision({ endpoint: 'b', labels: { z: '+1', a: 'x,y' }, metadata: { n: -5, s: '-5', t: 'é' } });
    assert.equal(
      csvOfRecords(await engine.provisionedDevices()),
      [
        'endpoint,mode,identity,publicKey,name,label:a,label:z,groups,priority,owner,metadata:n,metadata:s,metadata:t',
        "'=lamp,psk,x,,,,,,normal,'@me,,,",
        `b,,,,,"x,y",'+1,,normal,,'-5,"""-5""",é`,
        '',
      ].join('\r\n'),
    );
    assert.equal(csvOfRecords([]), 'endpoint,mode,identity,publicKey,name,groups,priority,owner\r\n');
  });

  it('that were written make the same records again', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
      fc.array(fc.constantFrom(...`=+-@'";,\\ \t\r\n7e[]`), { minLength: 1, maxLength: 6 }).map((all) => all.join('')),
    );
    const labelName = text.filter((name) => !/[\s=]/.test(name) && name !== '');
    const security = fc.oneof(
      text.map((identity) => ({ mode: 'psk' as const, identity })),
      text.map((name) => ({ mode: 'x509' as const, name })),
      fc.constant({ mode: 'nosec' as const }),
    );
    const record: fc.Arbitrary<ProvisionedDevice> = fc.record(
      {
        endpoint: text,
        security,
        labels: fc.dictionary(labelName, text, { maxKeys: 3, noNullPrototype: true }),
        groups: fc.uniqueArray(text, { maxLength: 3 }),
        priority: fc.constantFrom('low' as const, 'high' as const),
        owner: text,
        metadata: fc.dictionary(text, fc.oneof(text, fc.constantFrom('', '5', 'true', 'null'), fc.jsonValue()), {
          maxKeys: 3,
          noNullPrototype: true,
        }),
      },
      { requiredKeys: ['endpoint', 'labels', 'groups', 'priority'] },
    );
    const records = fc.uniqueArray(record, { selector: ({ endpoint }) => endpoint, minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(records, (list) => {
        const read = recordsOfCsv(csvOfRecords(list));
        for (const [index, one] of list.entries()) {
          const { owner = null, labels = {}, metadata = {}, groups, ...rest } = read[index]?.input ?? {};
          assert.deepEqual(
            { ...rest, owner, labels, metadata: ofJson(metadata), groups: groups ?? [] },
            { owner: null, ...one, metadata: ofJson(one.metadata ?? {}) },
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  for (const [what, text, says] of [
    ['nothing', '', /^line 1 must name the columns of device records/],
    ['no head', `lamp-1,psk,lamp-1,${KEY}\n`, /^line 1 must name the columns/],
    ['a column that there is not', 'endpoint,keey\n', /^line 1: the name of column 2 must be one of endpoint, mode/],
    ['a label without a name', 'endpoint,label:\n', /^line 1: the name of column 2/],
    ['a column twice', 'endpoint,owner,Owner\n', /^line 1: column 3 is there twice/],
    ['a cell without a column', 'endpoint\na\nb,c\n', /^line 3: column 2 has no name/],
    ['no endpoint', 'endpoint,owner\n,x\n', /^line 2, column endpoint: it is empty/],
    ['a device twice', 'endpoint\na\nb\na\n', /^line 4, column endpoint: the same device as in line 2/],
    [
      'a key without a mode',
      `endpoint,mode,key\na,,${KEY}\n`,
      /^line 2, column mode: it is empty, although there is key/,
    ],
    ['a mode that there is not', 'endpoint,mode\na,tls\n', /^line 2: mode must be/],
    ['a key that is no hex', `endpoint,mode,identity,key\na,psk,a,${KEY}xy\n`, /^line 2: key must be hexadecimal/],
    ['a key for another mode', `endpoint,mode,key\na,nosec,${KEY}\n`, /^line 2: security of mode nosec has no 'key'/],
    ['a priority that there is not', 'endpoint,priority\n"a",\nb,urgent\n', /^line 3: priority must be/],
    ['a broken quote', 'endpoint\n"a\nb', /^line 2, column 1: a quote/],
  ] as const) {
    it(`with ${what} are refused with the line, and nothing is stored or shown of a key`, async () => {
      await assert.rejects(harness.engine.provisionCsv(text), (error: unknown) => {
        assert.ok(error instanceof InvalidArgumentError);
        assert.match(error.message, says);
        assert.ok(!error.message.includes(KEY));
        return true;
      });
      assert.deepEqual(await harness.engine.provisionedDevices(), []);
    });
  }
});

describe('Many device records', () => {
  /** Fails to store this endpoint. */
  class FailingRecords extends MemoryDeviceRecords {
    constructor(private readonly endpoint: string) {
      super();
    }

    override put(record: DeviceRecord, expectedRevision: number): boolean {
      if (record.endpoint === this.endpoint) throw new StoreError('the disk is full');
      return super.put(record, expectedRevision);
    }
  }

  async function withHarness(devices: MemoryDeviceRecords, use: (harness: Harness) => Promise<void>): Promise<void> {
    const clock = new SimulatedClock();
    const store = Object.assign(new MemoryStore(clock), { devices });
    const harness = await Harness.start({ clock, store });
    await use(harness);
    await harness.close();
  }

  const lamp = (n: number, more: object = {}): object => ({ endpoint: `lamp-${n}`, ...more });
  const psk = (identity: string): object => ({ security: { mode: 'psk', identity, key: KEY } });

  it('are all stored, in their order, each after the one before of the same device', async () => {
    await withHarness(new MemoryDeviceRecords(), async ({ engine }) => {
      const inputs = Array.from({ length: 450 }, (_, n) => lamp(n % 300, n < 300 ? psk(`${n}`) : { owner: `${n}` }));
      const stored = await engine.provisionAll(inputs);
      assert.deepEqual(
        stored.map(({ endpoint }) => endpoint),
        inputs.map((_, n) => `lamp-${n % 300}`),
      );
      const [first] = await engine.provisionedDevices({ endpoint: 'lamp-0' });
      assert.deepEqual([first?.security, first?.owner], [{ mode: 'psk', identity: '0' }, '300']);
    });
  });

  for (const [what, last, says] of [
    ['a wrong record', lamp(1000, { priority: 'urgent' }), /^record 251 of the array: priority/],
    ['what is no record', 'lamp', /^record 251 of the array: a device record/],
    [
      'an identity of another one of them',
      lamp(1000, psk('7')),
      /^record 251 of the array: .* already that of lamp-7$/,
    ],
    ['an identity that was there before', lamp(1000, psk('old')), /^record 251 of the array: .* that of before$/],
  ] as const) {
    it(`are not stored at all with ${what} at their end`, async () => {
      await withHarness(new MemoryDeviceRecords(), async ({ engine }) => {
        await engine.provision({ endpoint: 'before', ...psk('old') });
        const inputs = [...Array.from({ length: 250 }, (_, n) => lamp(n, psk(`${n}`))), last];
        await assert.rejects(
          engine.provisionAll(inputs),
          (error: unknown) => error instanceof InvalidArgumentError && says.test(error.message),
        );
        assert.equal((await engine.provisionedDevices()).length, 1);
      });
    });
  }

  it('may take over an identity from one that gives it up before them', async () => {
    await withHarness(new MemoryDeviceRecords(), async ({ engine }) => {
      await engine.provision(lamp(1, psk('x')));
      await engine.provisionAll([lamp(1, psk('y')), lamp(2, psk('x'))]);
      assert.deepEqual(
        (await engine.provisionedDevices()).map(({ security }) => security),
        [
          { mode: 'psk', identity: 'y' },
          { mode: 'psk', identity: 'x' },
        ],
      );
    });
  });

  it('that cannot all be stored say which are', async () => {
    await withHarness(new FailingRecords('lamp-150'), async ({ engine }) => {
      const inputs = Array.from({ length: 250 }, (_, n) => lamp(n));
      await assert.rejects(engine.provisionAll(inputs), (error: unknown) => {
        assert.ok(error instanceof StoreError);
        assert.match(error.message, /^record 151 of the array: the disk is full; 199 of 250 records are stored/);
        const { stored, failed, notTried } = error.cause as BatchFailure;
        assert.deepEqual(failed, [{ endpoint: 'lamp-150', message: 'the disk is full' }]);
        assert.equal(notTried, 50);
        assert.deepEqual([stored.length, stored[0], stored.at(-1)], [199, 'lamp-0', 'lamp-199']);
        return true;
      });
      assert.equal((await engine.provisionedDevices()).length, 199);
    });
  });
});

/** A record holds what JSON can hold. */
function ofJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
