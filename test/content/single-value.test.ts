import assert from 'node:assert/strict';
import { CodecError } from '../../src/errors';
import {
  contentFormatId,
  contentFormatName,
  decodeContent,
  decodePaths,
  encodeContent,
  encodePaths,
  NO_TYPES,
} from '../../src/content';
import { parsePath, type ResourceType } from '../../src/model';
import { DEVICE, hex, rowsOf, typesOf, valuesOf, type Row } from './support/values';

const PATH = '/9/0/5';

function decode(format: number, bytes: Buffer, type?: ResourceType, path = PATH): Row[1] | undefined {
  const types = type ? typesOf({ 5: type }) : NO_TYPES;
  return decodeContent(format, parsePath(path), bytes, types)[0]?.value;
}

function encode(format: number, value: Row[1], type?: ResourceType): Buffer {
  const types = type ? typesOf({ 5: type }) : NO_TYPES;
  return encodeContent(format, parsePath(PATH), valuesOf([PATH, value]), types);
}

describe('plain text', () => {
  const written: [ResourceType, Row[1], string][] = [
    ['string', 'Open Mobile Alliance', 'Open Mobile Alliance'],
    ['integer', -5, '-5'],
    ['integer', -(2n ** 63n), '-9223372036854775808'],
    ['unsigned', 2n ** 64n - 1n, '18446744073709551615'],
    ['float', 21.5, '21.5'],
    ['float', 1e21, '1e+21'],
    ['boolean', true, '1'],
    ['boolean', false, '0'],
    ['opaque', Buffer.from([0xfb, 0xff, 1]), '+/8B'],
    ['time', new Date(1476186613000), '1476186613'],
    ['objlnk', '10:3', '10:3'],
    ['corelnk', '</3/0>', '</3/0>'],
  ];
  for (const [type, value, text] of written) {
    it(`${type}: ${text}`, () => {
      assert.equal(encode(0, value, type).toString(), text);
      assert.deepEqual(decode(0, Buffer.from(text), type), value);
    });
  }

  const read: [ResourceType, string, Row[1]][] = [
    ['integer', ' 42\n', 42],
    ['integer', '+42', 42],
    ['integer', '-0', 0],
    ['float', '.5', 0.5],
    ['float', '5.', 5],
    ['float', '-1E-3', -0.001],
    ['boolean', 'true', true],
    ['time', '1476186613.5', new Date(1476186613500)],
    ['opaque', '-_8B', Buffer.from([0xfb, 0xff, 1])],
  ];
  for (const [type, text, value] of read) {
    it(`${type}: reads '${text.trim()}'`, () => assert.deepEqual(decode(0, Buffer.from(text), type), value));
  }

  const kept: [ResourceType, string][] = [
    ['integer', 'full'],
    ['integer', '1.5'],
    ['integer', '9223372036854775808'],
    ['integer', ''],
    ['integer', '0x10'],
    ['unsigned', '-1'],
    ['unsigned', '18446744073709551616'],
    ['float', 'NaN'],
    ['float', 'Infinity'],
    ['float', '1e999'],
    ['float', `${'1'.repeat(60_000)}x`],
    ['boolean', 'constructor'],
    ['boolean', '2'],
    ['opaque', '***'],
    ['objlnk', '65536:0'],
    ['objlnk', '1:2:3'],
    ['time', '1e15'],
  ];
  for (const [type, text] of kept) {
    it(`${type}: delivers '${text.slice(0, 20)}' as the text it is`, () => {
      assert.equal(decode(0, Buffer.from(text), type), text);
    });
  }

  it('without a known type is a string, and without UTF-8 its bytes', () => {
    assert.equal(decode(0, Buffer.from('42')), '42');
    assert.deepEqual(decode(0, hex('ff'), 'string'), hex('ff'));
  });

  it('resets with nothing at all', () => {
    assert.deepEqual(encode(0, null, 'string'), Buffer.alloc(0));
    assert.equal(decode(0, Buffer.alloc(0), 'string'), '');
  });
});

describe('opaque', () => {
  it('is the bytes, in a buffer of its own', () => {
    const payload = hex('00ff');
    const value = decode(42, payload, 'opaque');
    payload.fill(1);
    assert.deepEqual(value, hex('00ff'));
    assert.deepEqual(encode(42, hex('00ff'), 'opaque'), hex('00ff'));
    assert.throws(() => encode(42, 'text', 'opaque'), CodecError);
  });
});

describe('CBOR of a single value', () => {
  const written: [ResourceType, Row[1], string][] = [
    ['string', 'IETF', '6449455446'],
    ['integer', -500, '3901f3'],
    ['unsigned', 2n ** 64n - 1n, '1bffffffffffffffff'],
    ['float', 3, 'fa40400000'],
    ['float', 1.1, 'fb3ff199999999999a'],
    ['boolean', true, 'f5'],
    ['opaque', Buffer.from([1, 2]), '420102'],
    ['time', new Date(1476186613000), 'c11a57fcd1f5'],
    ['objlnk', '10:3', '6431303a33'],
  ];
  for (const [type, value, bytes] of written) {
    it(`${type}: ${bytes}`, () => {
      assert.equal(encode(60, value, type).toString('hex'), bytes);
      assert.deepEqual(decode(60, hex(bytes), type), value);
    });
  }

  it('reads a time that is a plain number, or a text', () => {
    assert.deepEqual(decode(60, hex('1a57fcd1f5'), 'time'), new Date(1476186613000));
    const text = Buffer.from('2016-10-11T11:50:13Z');
    for (const head of ['c074', '74']) {
      assert.deepEqual(decode(60, Buffer.concat([hex(head), text]), 'time'), new Date(1476186613000));
    }
    assert.deepEqual(decode(60, hex('c11a57fcd1f5')), new Date(1476186613000));
  });

  it('reads the times and object links of Zephyr', () => {
    const time = Buffer.concat([hex('c07819'), Buffer.from('2016-10-11T11:50:13-00:00')]);
    assert.deepEqual(decode(60, time, 'time'), new Date(1476186613000));
    assert.equal(decode(60, hex('6531303a3300'), 'objlnk'), '10:3');
  });

  it('refuses arrays and maps', () => {
    assert.throws(() => decode(60, hex('8101')), CodecError);
    assert.throws(() => decode(60, hex('a0')), CodecError);
  });
});

describe('formats of a single value', () => {
  for (const format of [0, 42, 60]) {
    it(`${format} refuses what is no single value`, () => {
      for (const path of ['/', '/9', '/9/0']) {
        assert.throws(() => decodeContent(format, parsePath(path), hex('61'), NO_TYPES), CodecError);
      }
      const two = valuesOf(['/9/0/5/0', 'a'], ['/9/0/5/1', 'b']);
      assert.throws(() => encodeContent(format, parsePath('/9/0/5'), two, NO_TYPES), CodecError);
      assert.throws(() => encodeContent(format, parsePath('/9/0/5'), [], NO_TYPES), CodecError);
    });
  }

  it('may be asked for a resource instance', () => {
    assert.deepEqual(rowsOf(decodeContent(60, parsePath('/9/0/5/1'), hex('05'), NO_TYPES)), [['/9/0/5/1', 5]]);
  });
});

describe('content formats', () => {
  it('have names and numbers', () => {
    for (const id of [0, 40, 42, 60, 110, 112, 320, 322, 11542, 11543, 11544]) {
      const name = contentFormatName(id);
      assert.ok(name);
      assert.equal(contentFormatId(name), id);
    }
    assert.equal(contentFormatName(50), undefined);
  });

  it('of before LwM2M 1.0 are read', () => {
    assert.deepEqual(rowsOf(decodeContent(1541, parsePath('/3/0/9'), Buffer.from('95'), DEVICE)), [['/3/0/9', 95]]);
    assert.deepEqual(rowsOf(decodeContent(1542, parsePath('/3/0'), hex('c1095f'), DEVICE)), [['/3/0/9', 95]]);
    const json = Buffer.from('{"bn":"/3/0/","e":[{"n":"9","v":95}]}');
    assert.deepEqual(rowsOf(decodeContent(1543, parsePath('/3/0'), json, DEVICE)), [['/3/0/9', 95]]);
  });

  it('that are unknown are refused, and so are lists of paths in those that have none', () => {
    assert.throws(() => decodeContent(50, parsePath('/3'), hex('00'), NO_TYPES), CodecError);
    assert.throws(() => encodeContent(50, parsePath('/3'), [], NO_TYPES), CodecError);
    for (const format of [0, 11542, 11543]) {
      assert.throws(() => encodePaths(format, [parsePath('/3')]), CodecError);
      assert.throws(() => decodePaths(format, hex('00')), CodecError);
    }
  });
});
