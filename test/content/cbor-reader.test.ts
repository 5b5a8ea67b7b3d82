import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { CodecError } from '../../src/errors';
import { readCbor, type CborValue } from '../../src/content/cbor-reader';
import { CborWriter } from '../../src/content/cbor-writer';
import { hex } from './support/values';

/** RFC 8949 appendix A, as far as LwM2M uses it. */
const EXAMPLES: [string, CborValue][] = [
  ['00', 0],
  ['17', 23],
  ['1818', 24],
  ['1903e8', 1000],
  ['1a000f4240', 1000000],
  ['1b000000e8d4a51000', 1000000000000],
  ['1bffffffffffffffff', 18446744073709551615n],
  ['3bffffffffffffffff', -18446744073709551616n],
  ['20', -1],
  ['3903e7', -1000],
  ['f90000', 0],
  ['f98000', -0],
  ['f93c00', 1],
  ['fb3ff199999999999a', 1.1],
  ['f97bff', 65504],
  ['fa47c35000', 100000],
  ['fa7f7fffff', 3.4028234663852886e38],
  ['fb7e37e43c8800759c', 1e300],
  ['f90001', 5.960464477539063e-8],
  ['f90400', 0.00006103515625],
  ['f9c400', -4],
  ['fbc010666666666666', -4.1],
  ['f4', false],
  ['f5', true],
  ['f6', null],
  ['c074323031332d30332d32315432303a30343a30305a', new Date('2013-03-21T20:04:00Z')],
  ['c11a514b67b0', new Date(1363896240000)],
  ['c1fb41d452d9ec200000', new Date(1363896240500)],
  ['40', Buffer.alloc(0)],
  ['4401020304', hex('01020304')],
  ['60', ''],
  ['6449455446', 'IETF'],
  ['62225c', '"\\'],
  ['62c3bc', 'ü'],
  ['64f0908591', '\u{10151}'],
  ['80', []],
  ['8301820203820405', [1, [2, 3], [4, 5]]],
  ['a201020304', new Map([[1, 2], [3, 4]])], // prettier-ignore
  ['5f42010243030405ff', hex('0102030405')],
  ['7f657374726561646d696e67ff', 'streaming'],
  ['5fff', Buffer.alloc(0)],
  ['9fff', []],
  ['9f018202039f0405ffff', [1, [2, 3], [4, 5]]],
  ['83018202039f0405ff', [1, [2, 3], [4, 5]]],
  ['bf6346756ef563416d7421ff', new Map<CborValue, CborValue>([['Fun', true], ['Amt', -2]])], // prettier-ignore
];

describe('reading CBOR', () => {
  for (const [bytes, value] of EXAMPLES) {
    it(`${bytes} of RFC 8949 appendix A`, () => assert.deepEqual(readCbor(hex(bytes)), value));
  }

  it('gives a number wherever that is exact, and else a BigInt', () => {
    assert.equal(readCbor(hex('1b0000000000000005')), 5);
    assert.equal(readCbor(hex('1b001fffffffffffff')), Number.MAX_SAFE_INTEGER);
    assert.equal(readCbor(hex('1b0020000000000000')), 2n ** 53n);
    assert.equal(readCbor(hex('3b001ffffffffffffe')), Number.MIN_SAFE_INTEGER);
    assert.equal(readCbor(hex('3b001fffffffffffff')), -(2n ** 53n));
  });

  it('gives byte strings that share nothing with the payload', () => {
    const payload = hex('420102');
    const value = readCbor(payload);
    payload.fill(0);
    assert.deepEqual(value, hex('0102'));
  });

  it('reads a time of 64 bits, and leaves one that no calendar holds as it is', () => {
    assert.deepEqual(readCbor(hex('c11b00000000514b67b0')), new Date(1363896240000));
    assert.deepEqual(readCbor(hex('c11bffffffffffffffff')), 2n ** 64n - 1n);
  });

  const refused: Record<string, string[]> = {
    'a cut end': [
      '',
      '18',
      '19ff',
      '1aff',
      '1bff',
      'f9ff',
      '62c3',
      '820',
      '8201',
      'a101',
      '9f01',
      'bf01',
      '5f4101',
      'c1',
    ],
    'bytes after the end': ['0000', 'f6f6', '8000'],
    'a length beyond the end': [
      '5affffffff',
      '7bffffffffffffffff',
      '9affffffff',
      'bb7fffffffffffffff',
      '5b0000000100000000',
    ],
    'NaN and the infinities': ['f97e00', 'f97c00', 'f9fc00', 'fa7fc00000', 'faff800000', 'fb7ff8000000000000'],
    'other tags': ['c249010000000000000000', 'c482201820', 'd818456449455446', 'd9d9f700', 'c1616e', 'c001', 'd81b00'],
    'other simple values': ['f7', 'e0', 'f8ff', 'f820', 'ff'],
    'reserved lengths': ['1c', '1d', '3e', '5c', '7d', '9e', 'bc', 'dc', 'fc', '1f', '3f', 'df'],
    'chunks of another kind': ['5f6161ff', '7f4161ff', '5f5f4101ffff', '5f01ff'],
    'text that is no UTF-8': ['61ff', '62c328', '7f61c361bcff'],
    'a map cut between key and value': ['bf01ff'],
  };
  for (const [what, payloads] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      for (const payload of payloads) assert.throws(() => readCbor(hex(payload)), CodecError, payload);
    });
  }

  it('refuses more than 16 levels', () => {
    assert.doesNotThrow(() => readCbor(hex('81'.repeat(16) + '00')));
    assert.throws(() => readCbor(hex('81'.repeat(17) + '00')), /deeper than 16/);
    assert.throws(() => readCbor(hex('c1'.repeat(60_000))), /deeper than 16/);
  });

  it('refuses more items than any payload has', () => {
    assert.throws(() => readCbor(Buffer.concat([hex('9a00030d41'), Buffer.alloc(200_001)])), /more than 200000 items/);
  });
});

describe('writing CBOR', () => {
  it('takes the shortest form of an integer', () => {
    for (const [value, bytes] of [
      [23, '17'],
      [24, '1818'],
      [256, '190100'],
      [65536, '1a00010000'],
      [2 ** 32, '1b0000000100000000'],
      [-1, '20'],
      [-257, '390100'],
      [2n ** 64n - 1n, '1bffffffffffffffff'],
      [-(2n ** 63n), '3b7fffffffffffffff'],
    ] as const) {
      const writer = new CborWriter();
      writer.integer(value);
      assert.equal(writer.finish().toString('hex'), bytes);
    }
  });

  it('keeps a float a float', () => {
    for (const [value, bytes] of [
      [3, 'fa40400000'],
      [1.1, 'fb3ff199999999999a'],
      [-0, 'fa80000000'],
    ] as const) {
      const writer = new CborWriter();
      writer.float(value);
      assert.equal(writer.finish().toString('hex'), bytes);
      assert.equal(readCbor(hex(bytes)), value);
    }
  });

  it('grows with what is written', () => {
    const writer = new CborWriter();
    writer.array(2);
    writer.bytes(Buffer.alloc(5000, 7));
    writer.text('é'.repeat(5000));
    assert.deepEqual(readCbor(writer.finish()), [Buffer.alloc(5000, 7), 'é'.repeat(5000)]);
  });
});

describe('our CBOR and that of cbor-x', () => {
  let cborX: { encode(value: unknown): Buffer; decode(bytes: Buffer): unknown };

  before(async () => {
    // Its types are those of an ES module.
    const { Encoder } = await import('cbor-x');
    cborX = new Encoder({ mapsAsObjects: false, useRecords: false });
  });

  const scalar = fc.oneof(
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }),
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  );
  const { tree } = fc.letrec<{ tree: CborValue }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      scalar,
      fc.array(tie('tree'), { maxLength: 5 }),
      fc
        .uniqueArray(fc.tuple(fc.nat(100000), tie('tree')), { selector: ([key]) => key, maxLength: 5 })
        .map((entries) => new Map<CborValue, CborValue>(entries)),
    ),
  }));

  it('ours reads what cbor-x wrote', () => {
    fc.assert(fc.property(tree, (value) => assert.deepEqual(readCbor(cborX.encode(value)), value)));
  });

  it('cbor-x reads what ours wrote', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const writer = new CborWriter();
        write(writer, value);
        assert.deepEqual(cborX.decode(writer.finish()), value);
      }),
    );
  });

  function write(writer: CborWriter, value: CborValue): void {
    if (value === null) writer.null();
    else if (typeof value === 'boolean') writer.boolean(value);
    else if (typeof value === 'string') writer.text(value);
    else if (typeof value === 'bigint') writer.integer(value);
    else if (typeof value === 'number') {
      if (Number.isInteger(value)) writer.integer(value);
      else writer.float(value);
    } else if (Buffer.isBuffer(value)) writer.bytes(value);
    else if (value instanceof Map) {
      writer.map(value.size);
      for (const [key, item] of value) {
        write(writer, key);
        write(writer, item);
      }
    } else if (Array.isArray(value)) {
      writer.array(value.length);
      for (const item of value) write(writer, item);
    }
  }
});
