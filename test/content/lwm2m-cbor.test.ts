import assert from 'node:assert/strict';
import { CodecError } from '../../src/errors';
import { decodeContent, decodePaths, encodeContent, encodePaths, NO_TYPES, type TypeLookup } from '../../src/content';
import { ROOT, formatPath, parsePath } from '../../src/model';
import { hex, rowsOf, typesOf, valuesOf, type Row } from './support/values';

const LWM2M_CBOR = 11544;

const decode = (path: string, bytes: string, types: TypeLookup = NO_TYPES): Row[] =>
  rowsOf(decodeContent(LWM2M_CBOR, parsePath(path), hex(bytes), types));
const encode = (path: string, types: TypeLookup, ...rows: Row[]): string =>
  encodeContent(LWM2M_CBOR, parsePath(path), valuesOf(...rows), types).toString('hex');

describe('LwM2M CBOR', () => {
  it('reads a resource by every way of nesting its path', () => {
    for (const bytes of [
      'a1830d181a01182a', // {[13, 26, 1]: 42}
      'bf9f0d181a01ff182aff', // {_ [_ 13, 26, 1]: 42}
      'a10da1181aa101182a', // {13: {26: {1: 42}}}
      'a1810da181181aa18101182a', // {[13]: {[26]: {[1]: 42}}}
      'bf9f0dffbf9f181affbf9f01ff182affffff',
      'a10da182181a01182a', // {13: {[26, 1]: 42}}
    ]) {
      assert.deepEqual(decode('/13/26/1', bytes), [['/13/26/1', 42]], bytes);
      assert.deepEqual(decode('/13', bytes), [['/13/26/1', 42]], bytes);
    }
  });

  it('reads an instance whose resources come together or apart', () => {
    const rows = [
      ['/13/26/1', 42],
      ['/13/26/2', 21],
    ];
    for (const bytes of [
      'a1820d181aa201182a0215', // {[13, 26]: {1: 42, 2: 21}}
      'a2830d181a01182a830d181a0215', // {[13, 26, 1]: 42, [13, 26, 2]: 21}
      'a2820d181aa101182a830d181a0215', // {[13, 26]: {1: 42}, [13, 26, 2]: 21}
      'bf820d181abf01182a0215ffff',
    ]) {
      assert.deepEqual(decode('/13/26', bytes), rows, bytes);
    }
  });

  it('reads and writes a composite', () => {
    const bytes = 'a20da1181aa101010ea1181ba10202'; // {13: {26: {1: 1}}, 14: {27: {2: 2}}}
    const rows: Row[] = [
      ['/13/26/1', 1],
      ['/14/27/2', 2],
    ];
    assert.deepEqual(decode('/', bytes), rows);
    assert.equal(encode('/', NO_TYPES, ...rows), bytes);
  });

  it('writes the path of the request as one key', () => {
    assert.equal(encode('/13/26/1', NO_TYPES, ['/13/26/1', 42]), 'a1830d181a01182a');
    assert.equal(encode('/13/26', NO_TYPES, ['/13/26/1', 42], ['/13/26/2', 21]), 'a1820d181aa201182a0215');
    assert.equal(encode('/13', NO_TYPES, ['/13/26/1', 42]), 'a10da1181aa101182a');
    assert.equal(encode('/13/26/1/2', NO_TYPES, ['/13/26/1/2', 42]), 'a1840d181a0102182a');
    assert.equal(encode('/13/26', NO_TYPES), 'a0');
  });

  it('reads and writes every type', () => {
    const types = typesOf({
      ...{ 1: 'unsigned', 2: 'integer', 3: 'float', 4: 'string', 5: 'opaque', 6: 'objlnk', 7: 'boolean', 8: 'time' },
    });
    const rows: Row[] = [
      ['/13/26/1', 1],
      ['/13/26/2', -1],
      ['/13/26/3', 2.5],
      ['/13/26/4', 'test'],
      ['/13/26/5', hex('11223344')],
      ['/13/26/6', '12:34'],
      ['/13/26/7', true],
      ['/13/26/8', new Date(1476186613000)],
      ['/13/26/9/0', null],
    ];
    const bytes =
      'a1820d181aa901010220' + '03fa40200000' + '046474657374' + '054411223344' + '066531323a3334' + '07f5' +
      '08c11a57fcd1f5' + '09a100f6'; // prettier-ignore
    assert.equal(encode('/13/26', types, ...rows), bytes);
    assert.deepEqual(decode('/13/26', bytes, types), rows);
    assert.deepEqual(decode('/13/26', 'a1820d181aa103f94100', types), [['/13/26/3', 2.5]]);
  });

  it('refuses keys that are no ids, paths that are too long, and what was not asked for', () => {
    for (const bytes of [
      'a1820d181aa11a0001000005', // an id of 65536
      'a1820d181aa119ffff05', // an id of 65535
      'a1850d181a03040505', // five ids
      'a1830d181a01a182030405', // five ids, nested
      'a10da1181aa101a102a10304',
      'a10da18018' + '1a', // no ids
      'a1830dfb3fd0a3d70a3d70a401182a', // an id of 0.26
      'a10da1623236a101182a', // an id as text
      'a12000', // a negative id
      'a10da1181a81a101182a', // an array as a value
      '00',
      '8401020304',
      'a1820d181aa1', // cut off
      'a1820d181a05', // a value of an instance
    ]) {
      assert.throws(() => decode('/', bytes), CodecError, bytes);
    }
    for (const path of ['/14', '/13/27', '/13/26/2', '/13/26/1/69']) {
      assert.throws(() => decode(path, 'a1830d181a01182a'), CodecError, path);
    }
  });

  it('names the paths of a FETCH, null in the place of values', () => {
    const bytes = encodePaths(LWM2M_CBOR, [parsePath('/3'), parsePath('/1/0/1')]);
    assert.equal(bytes.toString('hex'), 'a203f683010001f6');
    assert.deepEqual(decodePaths(LWM2M_CBOR, bytes).map(formatPath), ['/3', '/1/0/1']);
    assert.throws(() => encodePaths(LWM2M_CBOR, [ROOT]), CodecError);
  });
});
