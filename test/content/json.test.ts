import assert from 'node:assert/strict';
import { CodecError } from '../../src/errors';
import { decodeContent, encodeContent, NO_TYPES, type TypeLookup } from '../../src/content';
import { parsePath } from '../../src/model';
import { DEVICE, rowsOf, typesOf, valuesOf, type Row } from './support/values';

const JSON_FORMAT = 11543;
const NOW = 1_700_000_000_000;

const decode = (path: string, content: unknown, types: TypeLookup = NO_TYPES): Row[] => {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return rowsOf(decodeContent(JSON_FORMAT, parsePath(path), Buffer.from(text), types, { now: NOW }));
};
const encode = (path: string, types: TypeLookup, ...rows: Row[]): string =>
  encodeContent(JSON_FORMAT, parsePath(path), valuesOf(...rows), types).toString();

describe('OMA LwM2M JSON', () => {
  it('reads and writes the Device instance of LwM2M Core 1.0 s6.4.4', () => {
    const text =
      '{"bn":"/3/0/","e":[{"n":"0","sv":"Open Mobile Alliance"},{"n":"6/0","v":1},{"n":"6/1","v":5},' +
      '{"n":"9","v":100},{"n":"13","v":1367491215},{"n":"14","sv":"+02:00"}]}';
    const rows: Row[] = [
      ['/3/0/0', 'Open Mobile Alliance'],
      ['/3/0/6/0', 1],
      ['/3/0/6/1', 5],
      ['/3/0/9', 100],
      ['/3/0/13', new Date(1367491215000)],
      ['/3/0/14', '+02:00'],
    ];
    assert.deepEqual(decode('/3/0', text, DEVICE), rows);
    assert.equal(encode('/3/0', DEVICE, ...rows), text);
  });

  it('reads the history of LwM2M Core 1.0 s6.4.4', () => {
    const content = {
      e: [
        { n: '1/2', v: 22.4, t: -5 },
        { n: '1/2', v: 22.9, t: -30 },
      ],
      bn: '/72/0/',
      bt: 1_725_462_634,
    };
    assert.deepEqual(decode('/72/0', content), [
      ['/72/0/1/2', 22.4, 1_725_462_629_000],
      ['/72/0/1/2', 22.9, 1_725_462_604_000],
    ]);
    assert.deepEqual(decode('/72/0/1', { e: [{ n: '2', v: 1, t: -5 }] }), [['/72/0/1/2', 1, NOW - 5000]]);
  });

  it('reads links and values of every kind', () => {
    const types = typesOf({ 0: 'objlnk', 1: 'boolean', 2: 'opaque', 3: 'unsigned', 4: 'float' });
    const text =
      '{"bn":"/65/0/","e":[{"n":"0/0","ov":"66:0"},{"n":"0/1","ov":"66:1"},{"n":"1","bv":true},' +
      '{"n":"2","sv":"+/8B"},{"n":"3","v":18446744073709551615},{"n":"4","v":1.5}]}';
    const rows: Row[] = [
      ['/65/0/0/0', '66:0'],
      ['/65/0/0/1', '66:1'],
      ['/65/0/1', true],
      ['/65/0/2', Buffer.from([0xfb, 0xff, 1])],
      ['/65/0/3', 2n ** 64n - 1n],
      ['/65/0/4', 1.5],
    ];
    assert.deepEqual(decode('/65/0', text, types), rows);
    assert.equal(encode('/65/0', types, ...rows), text);
  });

  it('reads base names with and without their slash, and none', () => {
    const rows = [['/3/0/9', 5]];
    for (const content of [
      { bn: '/3/0/', e: [{ n: '9', v: 5 }] },
      { bn: '/3/0', e: [{ n: '9', v: 5 }] },
      { bn: '/3/0', e: [{ n: '/9', v: 5 }] },
      { bn: '/', e: [{ n: '3/0/9', v: 5 }] },
      { bn: '', e: [{ n: '/3/0/9', v: 5 }] },
      { e: [{ n: '9', v: 5 }] },
    ]) {
      assert.deepEqual(decode('/3/0', content), rows, JSON.stringify(content));
    }
    for (const content of [
      { bn: '/3/0/9', e: [{ v: 5 }] },
      { e: [{ n: '', v: 5 }] },
      { bn: '/3/0/9/', e: [{ v: 5 }] },
    ]) {
      assert.deepEqual(decode('/3/0/9', content), rows, JSON.stringify(content));
    }
  });

  it('writes a single resource, an object and a composite', () => {
    assert.equal(encode('/3/0/9', DEVICE, ['/3/0/9', 5]), '{"bn":"/3/0/9","e":[{"n":"","v":5}]}');
    assert.equal(encode('/3', DEVICE, ['/3/0/9', 5]), '{"bn":"/3/","e":[{"n":"0/9","v":5}]}');
    assert.equal(encode('/', DEVICE, ['/3/0/9', 5]), '{"bn":"/","e":[{"n":"3/0/9","v":5}]}');
  });

  it('refuses what it is not', () => {
    for (const text of [
      '[]',
      '1',
      'null',
      '{"e":1}',
      '{"e":[1]}',
      '{"bn":1,"e":[]}',
      '{"e":[{"n":"9","v":"5"}]}',
      '{"e":[{"n":"9","sv":5}]}',
      '{"e":[{"n":"9","bv":1}]}',
      '{"e":[{"n":"9","ov":"x"}]}',
      '{"e":[{"n":"9","v":1,"sv":"1"}]}',
      '{"e":[{"n":"9","v":1,"t":"x"}]}',
      '{"e":[{"n":"x","v":1}]}',
      '{"bn":"/4/0/","e":[{"n":"9","v":1}]}',
      '{"e":[{"n":"9","v":1e999}]}',
      '{"e":[{"v":1}]}',
      '{"e":[',
    ]) {
      assert.throws(() => decode('/3/0', text), CodecError, text);
    }
  });
});
