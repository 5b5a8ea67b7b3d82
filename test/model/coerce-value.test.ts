import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { InvalidArgumentError } from '../../src/errors';
import { coerceValue } from '../../src/model/coerce-value';
import type { ResourceType, Value } from '../../src/model/resource-value';

const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

const accepted: [type: ResourceType | undefined, given: unknown, value: Value][] = [
  ['boolean', true, true],
  ['boolean', 'true', true],
  ['boolean', 'false', false],
  ['boolean', 0, false],
  ['boolean', 1, true],
  ['boolean', '0', false],
  ['integer', 21, 21],
  ['integer', -0, 0],
  ['integer', ' -21 ', -21],
  ['integer', '+5', 5],
  ['integer', '21.00', 21],
  ['integer', 5n, 5],
  ['integer', String(MAX_INT64), MAX_INT64],
  ['integer', '9007199254740993', 9007199254740993n],
  ['integer', -(2n ** 63n), -(2n ** 63n)],
  ['unsigned', MAX_UINT64, MAX_UINT64],
  ['unsigned', '0', 0],
  ['float', 21.5, 21.5],
  ['float', '1e-3', 0.001],
  ['float', '.5', 0.5],
  ['float', 2n ** 60n, 2 ** 60],
  ['string', 'x', 'x'],
  ['string', '', ''],
  ['string', 21.5, '21.5'],
  ['string', 5n, '5'],
  ['string', '\u{1F600}', '\u{1F600}'],
  ['corelnk', '</3/0>', '</3/0>'],
  ['objlnk', '3:0', '3:0'],
  ['objlnk', '65535:65535', '65535:65535'],
  ['objlnk', '003:0', '3:0'],
  ['opaque', Buffer.of(1, 2), Buffer.of(1, 2)],
  ['opaque', Uint8Array.of(1, 2).subarray(1), Buffer.of(2)],
  ['opaque', Uint8Array.of(7).buffer, Buffer.of(7)],
  ['opaque', JSON.parse(JSON.stringify(Buffer.of(1, 255))), Buffer.of(1, 255)],
  ['opaque', Buffer.alloc(0), Buffer.alloc(0)],
  ['time', 1_700_000_000, new Date(1_700_000_000_000)],
  ['time', 1_700_000_000_000, new Date(1_700_000_000_000)],
  ['time', 99_999_999_999, new Date(99_999_999_999_000)],
  ['time', 100_000_000_000, new Date(100_000_000_000)],
  ['time', -1, new Date(-1000)],
  ['time', 0, new Date(0)],
  ['time', new Date(1_700_000_000_999), new Date(1_700_000_000_000)],
  ['time', '2024-02-29T12:00:00Z', new Date(Date.UTC(2024, 1, 29, 12))],
  ['time', '2024-02-29T12:00:00.5+01:00', new Date(Date.UTC(2024, 1, 29, 11))],
  ['time', '2024-02-29', new Date(Date.UTC(2024, 1, 29))],
  ['time', '2024-02-29T12:00', new Date(2024, 1, 29, 12)],
  [undefined, 1.5, 1.5],
  [undefined, 'x', 'x'],
  [undefined, false, false],
  [undefined, MAX_UINT64, MAX_UINT64],
  ['none', Buffer.of(1), Buffer.of(1)],
];

const refused: [type: ResourceType | undefined, given: unknown, reason: RegExp][] = [
  ['boolean', 2, /2 is not true or false/],
  ['boolean', 'yes', /'yes' is not true or false/],
  ['boolean', null, /null is not/],
  ['integer', 21.5, /21\.5 is not a whole number/],
  ['integer', '21.5', /'21\.5' is not a whole number/],
  ['integer', '', /'' is not a whole number/],
  ['integer', '0x10', /not a whole number/],
  ['integer', true, /true is not a whole number/],
  ['integer', NaN, /NaN is not/],
  ['integer', 2 ** 53, /lost digits: use a BigInt/],
  ['integer', MAX_INT64 + 1n, /not a signed integer of 64 bits/],
  ['integer', `${MAX_INT64 + 1n}`, /not a signed integer of 64 bits/],
  ['integer', '9'.repeat(31), /not a whole number/],
  ['unsigned', -1, /-1 is not an unsigned integer of 64 bits/],
  ['unsigned', MAX_UINT64 + 1n, /not an unsigned/],
  ['float', NaN, /NaN is not a number/],
  ['float', Infinity, /Infinity is not a number/],
  ['float', '1e999', /not a number/],
  ['float', '21,5', /not a number/],
  ['float', '', /not a number/],
  ['float', false, /not a number/],
  ['float', 2n ** 53n + 1n, /float can hold exactly/],
  ['string', {}, /an object is not a text/],
  ['string', ['a'], /an array is not a text/],
  ['string', NaN, /NaN is not a text/],
  ['string', undefined, /undefined is not a text/],
  ['string', '\ud800', /surrogate/],
  ['opaque', 'c0ffee', /is not a Buffer \(make one of a text with Buffer\.from/],
  ['opaque', { type: 'Buffer', data: [256] }, /an object is not a Buffer/],
  ['opaque', [1, 2], /an array is not a Buffer/],
  ['time', new Date(NaN), /a Date is not a time/],
  ['time', 'yesterday', /not a time/],
  ['time', '2024', /not a time/],
  ['time', '2023-02-29', /not a time/],
  ['time', '2024-13-01', /not a time/],
  ['time', '2024-01-01T25:00', /not a time/],
  ['time', NaN, /not a time/],
  ['time', 1e300, /not a time/],
  ['objlnk', '3', /not an object link such as '3:0'/],
  ['objlnk', '65536:0', /not an object link/],
  ['objlnk', '3:0:1', /not an object link/],
  [undefined, null, /null is not a value/],
  [undefined, Infinity, /not a number/],
  [undefined, MAX_UINT64 + 1n, /64 bits/],
  [undefined, () => 1, /a function is not a value/],
  [undefined, Symbol('x'), /a symbol is not a value/],
];

const show = (value: unknown): string =>
  Buffer.isBuffer(value)
    ? `Buffer ${value.toString('hex')}`
    : typeof value === 'string'
      ? JSON.stringify(value)
      : String(value);

describe('coerceValue', () => {
  for (const [type, given, value] of accepted) {
    it(`takes ${typeof given} ${show(given)} as ${type ?? 'a value of unknown type'}`, () => {
      assert.deepEqual(coerceValue(type, given, 'It'), value);
    });
  }
  for (const [type, given, reason] of refused) {
    it(`refuses ${typeof given} ${show(given).slice(0, 40)} as ${type ?? 'a value of unknown type'}`, () => {
      assert.throws(
        () => coerceValue(type, given, 'It (/1/2/3)'),
        (error) =>
          error instanceof InvalidArgumentError &&
          error.message.startsWith('It (/1/2/3): ') &&
          reason.test(error.message),
      );
    });
  }

  it('understands what a function node makes, which has a realm of its own', () => {
    assert.deepEqual(coerceValue('time', runInNewContext('new Date(5000)'), 'It'), new Date(5000));
    assert.deepEqual(coerceValue('opaque', runInNewContext('Uint8Array.of(1, 2)'), 'It'), Buffer.of(1, 2));
  });

  it('keeps its own copy of bytes', () => {
    const given = Buffer.of(1, 2);
    const value = coerceValue('opaque', given, 'It');
    given.fill(9);
    assert.deepEqual(value, Buffer.of(1, 2));
  });

  it('does not repeat a long text in its error', () => {
    assert.throws(
      () => coerceValue('integer', 'x'.repeat(10_000), 'It'),
      (error: Error) => error.message.length < 120,
    );
  });
});
