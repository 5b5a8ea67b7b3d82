import assert from 'node:assert/strict';
import { CodecError } from '../../src/errors';
import { decodeContent, decodePaths, encodeContent, encodePaths, NO_TYPES, type TypeLookup } from '../../src/content';
import { ROOT, formatPath, parsePath } from '../../src/model';
import { DEVICE, rowsOf, typesOf, valuesOf, type Row } from './support/values';

const SENML_JSON = 110;
const SENML_ETCH_JSON = 320;
const NOW = 1_700_000_000_000;

const decode = (path: string, json: unknown, types: TypeLookup = NO_TYPES, format = SENML_JSON): Row[] => {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  return rowsOf(decodeContent(format, parsePath(path), Buffer.from(text), types, { now: NOW }));
};
const encode = (path: string, types: TypeLookup, rows: Row[], format = SENML_JSON): string =>
  encodeContent(format, parsePath(path), valuesOf(...rows), types).toString();

/** LwM2M Core 1.1 s7.4.5: the answer to GET /3/0. */
const DEVICE_TEXT =
  '[{"bn":"/3/0/","n":"0","vs":"Open Mobile Alliance"},{"n":"1","vs":"Lightweight M2M Client"},' +
  '{"n":"2","vs":"345000123"},{"n":"3","vs":"1.0"},{"n":"6/0","v":1},{"n":"6/1","v":5},{"n":"7/0","v":3800},' +
  '{"n":"7/1","v":5000},{"n":"8/0","v":125},{"n":"8/1","v":900},{"n":"9","v":100},{"n":"10","v":15},' +
  '{"n":"11/0","v":0},{"n":"13","v":1367491215},{"n":"14","vs":"+02:00"},{"n":"16","vs":"U"}]';

const DEVICE_ROWS: Row[] = [
  ['/3/0/0', 'Open Mobile Alliance'],
  ['/3/0/1', 'Lightweight M2M Client'],
  ['/3/0/2', '345000123'],
  ['/3/0/3', '1.0'],
  ['/3/0/6/0', 1],
  ['/3/0/6/1', 5],
  ['/3/0/7/0', 3800],
  ['/3/0/7/1', 5000],
  ['/3/0/8/0', 125],
  ['/3/0/8/1', 900],
  ['/3/0/9', 100],
  ['/3/0/10', 15],
  ['/3/0/11/0', 0],
  ['/3/0/13', new Date(1367491215000)],
  ['/3/0/14', '+02:00'],
  ['/3/0/16', 'U'],
];

describe('SenML JSON by the examples of the specification', () => {
  it('reads and writes the Device instance', () => {
    assert.deepEqual(decode('/3/0', DEVICE_TEXT, DEVICE), DEVICE_ROWS);
    assert.equal(encode('/3/0', DEVICE, DEVICE_ROWS), DEVICE_TEXT);
  });

  it('reads and writes object links', () => {
    const types = typesOf({ 0: 'objlnk', 1: 'string', 2: 'integer' });
    const text =
      '[{"bn":"/65/0/","n":"0/0","vlo":"66:0"},{"n":"0/1","vlo":"66:1"},{"n":"1","vs":"8613800755500"},' +
      '{"n":"2","v":305419896}]';
    const rows: Row[] = [
      ['/65/0/0/0', '66:0'],
      ['/65/0/0/1', '66:1'],
      ['/65/0/1', '8613800755500'],
      ['/65/0/2', 0x12345678],
    ];
    assert.deepEqual(decode('/65/0', text, types), rows);
    assert.equal(encode('/65/0', types, rows), text);
  });

  it('reads names that change their base name from record to record', () => {
    const pack = [
      { bn: '/1/0/', n: '1', v: 86400 },
      { n: '7', vs: 'U' },
      { bn: '/3/0/', n: '9', v: 95 },
      { bn: '', n: '/3303/1/5700', v: 21.5 },
    ];
    assert.deepEqual(decode('/', pack), [
      ['/1/0/1', 86400],
      ['/1/0/7', 'U'],
      ['/3/0/9', 95],
      ['/3303/1/5700', 21.5],
    ]);
  });

  it('adds base time and time, as RFC 8428 s5.1.3 does', () => {
    const pack = [
      { bn: '/3303/0/', bt: 1.276020076e9, n: '5700', v: 1.2, t: -5 },
      { n: '5700', v: 1.3, t: -4 },
      { n: '5700', v: 1.7 },
    ];
    assert.deepEqual(decode('/3303/0/5700', pack), [
      ['/3303/0/5700', 1.2, 1276020071000],
      ['/3303/0/5700', 1.3, 1276020072000],
      ['/3303/0/5700', 1.7, 1276020076000],
    ]);
  });
});

describe('SenML JSON times', () => {
  it('are relative to now below 2^28 seconds, and absolute from there', () => {
    const at = (fields: object) => decode('/3/0/9', [{ n: '/3/0/9', v: 1, ...fields }])[0]?.[2];
    assert.equal(at({}), undefined);
    assert.equal(at({ t: 0 }), NOW);
    assert.equal(at({ t: -30.5 }), NOW - 30_500);
    assert.equal(at({ bt: -10, t: -5 }), NOW - 15_000);
    assert.equal(at({ t: 2 ** 28 - 1 }), NOW + (2 ** 28 - 1) * 1000);
    assert.equal(at({ t: 2 ** 28 }), 2 ** 28 * 1000);
    assert.equal(at({ bt: 1_700_000_000, t: -0.25 }), 1_699_999_999_750);
  });

  it('that no calendar holds are refused', () => {
    assert.throws(() => decode('/3/0/9', [{ n: '/3/0/9', v: 1, t: 1e300 }]), CodecError);
    assert.throws(() => decode('/3/0/9', '[{"n":"/3/0/9","v":1,"t":1e999}]'), CodecError);
  });

  it('are written with each record', () => {
    assert.equal(
      encode('/3/0/9', DEVICE, [
        ['/3/0/9', 1, 1_700_000_000_000],
        ['/3/0/9', 2, 1_700_000_000_250],
      ]),
      '[{"bn":"/3/0/9","v":1,"t":1700000000},{"v":2,"t":1700000000.25}]',
    );
    assert.throws(() => encode('/3/0/9', DEVICE, [['/3/0/9', 1, 1000]]), CodecError);
  });
});

describe('SenML JSON values', () => {
  it('add their base value', () => {
    const pack = [
      { bn: '/3303/0/', bv: 20, n: '5700', v: 1.5 },
      { n: '5701', vs: 'Cel' },
      { n: '5602', v: 5 },
    ];
    assert.deepEqual(decode('/3303/0', pack), [
      ['/3303/0/5700', 21.5],
      ['/3303/0/5701', 'Cel'],
      ['/3303/0/5602', 25],
    ]);
  });

  it('of 64 bits are exact, both ways', () => {
    const types = typesOf({ 1: 'integer', 2: 'unsigned', 3: 'float' });
    const text =
      '[{"bn":"/9/0/","n":"1","v":-9223372036854775808},{"n":"2","v":18446744073709551615},' +
      '{"n":"3","v":0.1234567890123456}]';
    const rows: Row[] = [
      ['/9/0/1', -(2n ** 63n)],
      ['/9/0/2', 2n ** 64n - 1n],
      ['/9/0/3', 0.1234567890123456],
    ];
    assert.deepEqual(decode('/9/0', text, types), rows);
    assert.equal(encode('/9/0', types, rows), text);
  });

  it('of 64 bits keep their exact base value', () => {
    const text = '[{"bn":"/9/0/","bv":9007199254740993,"n":"1","v":2}]';
    assert.deepEqual(decode('/9/0', text, typesOf({ 1: 'integer' })), [['/9/0/1', 9007199254740995n]]);
  });

  it('a float resource takes an integer of any size', () => {
    const text = '[{"n":"/9/0/3","v":18446744073709551615}]';
    assert.deepEqual(decode('/9/0', text, typesOf({ 3: 'float' })), [['/9/0/3', 2 ** 64]]);
  });

  it('data is base64url, written without padding and read with it and in the plain alphabet', () => {
    const types = typesOf({ 1: 'opaque' });
    const value = Buffer.from([0xfb, 0xff, 0xfe, 0x01]);
    assert.equal(encode('/9/0/1', types, [['/9/0/1', value]]), '[{"bn":"/9/0/1","vd":"-__-AQ"}]');
    for (const vd of ['-__-AQ', '-__-AQ==', '+//+AQ==', '+//+AQ']) {
      assert.deepEqual(decode('/9/0/1', [{ n: '/9/0/1', vd }], types), [['/9/0/1', value]]);
    }
    for (const vd of ['-__-A', '-__-AQ=', '-__-A Q', '=', '-__-!Q']) {
      assert.throws(() => decode('/9/0/1', [{ n: '/9/0/1', vd }], types), CodecError, vd);
    }
  });

  it('of another type than defined are delivered as they are', () => {
    const pack = [
      { bn: '/3/0/', n: '9', vs: 'full' },
      { n: '0', v: 1.5 },
      { n: '13', v: 1e300 },
    ];
    assert.deepEqual(decode('/3/0', pack, DEVICE), [
      ['/3/0/9', 'full'],
      ['/3/0/0', 1.5],
      ['/3/0/13', 1e300],
    ]);
  });

  it('without a known type are what the wire shows', () => {
    const pack = [
      { bn: '/9/0/', n: '0', v: 1 },
      { n: '1', vb: true },
      { n: '2', vd: 'AQ' },
      { n: '3', vlo: '3:0' },
      { n: '4', vs: 'x' },
    ];
    assert.deepEqual(decode('/9/0', pack), [
      ['/9/0/0', 1],
      ['/9/0/1', true],
      ['/9/0/2', Buffer.from([1])],
      ['/9/0/3', '3:0'],
      ['/9/0/4', 'x'],
    ]);
  });
});

describe('SenML JSON records', () => {
  it('of base fields alone carry no value', () => {
    assert.deepEqual(
      decode('/3/0', [
        { bn: '/3/0/', bt: 1_700_000_000 },
        { n: '9', v: 1 },
      ]),
      [['/3/0/9', 1, 1_700_000_000_000]],
    );
  });

  it('outside of the path that was asked for are refused', () => {
    for (const n of ['/3/1/9', '/4/0/9', '/3', '/']) {
      assert.throws(() => decode('/3/0', [{ n, v: 1 }]), CodecError, n);
    }
  });

  it('with a name that is no path are refused', () => {
    for (const n of [
      '',
      'urn:dev:ow:10e2073a01080063',
      '/3/0/9/0/0',
      '/3//9',
      '/3/0/65535',
      '/3/0/-1',
      '/3/0/000009',
    ]) {
      assert.throws(() => decode('/', [{ n, v: 1 }]), CodecError, n);
    }
  });

  it('of the wrong shape are refused', () => {
    for (const text of [
      '{}',
      '[1]',
      '[[]]',
      '[null]',
      '[{"n":"/3/0/9","v":1,"vs":"x"}]',
      '[{"n":"/3/0/9","v":"1"}]',
      '[{"n":"/3/0/9","vs":1}]',
      '[{"n":"/3/0/9","vb":1}]',
      '[{"n":"/3/0/9","vlo":"3"}]',
      '[{"n":"/3/0/9","vlo":"65536:0"}]',
      '[{"n":9,"v":1}]',
      '[{"n":"/3/0/9","v":1e999}]',
      '[{"n":"/3/0/9","v":NaN}]',
      '[{"n":"/3/0","v":1}]',
      '[{"bver":11,"n":"/3/0/9","v":1}]',
      '[{"n":"/3/0/9","v":1,"must_":1}]',
      '[{"n":"/3/0/9","v":1}',
    ]) {
      assert.throws(() => decode('/', text), CodecError, text);
    }
  });

  it('may carry what LwM2M does not use', () => {
    const pack = [{ bver: 10, bn: '/3/0/', bu: 'Cel', bs: 1, n: '9', u: '%', ut: 1, s: 2, v: 1, extra: { a: [1] } }];
    assert.deepEqual(decode('/3/0', pack), [['/3/0/9', 1]]);
  });

  it('are refused when no UTF-8, nested too deep, or too many', () => {
    const invalid = Buffer.concat([Buffer.from('[{"n":"/3/0/9","vs":"'), Buffer.from([0xff]), Buffer.from('"}]')]);
    assert.throws(() => decodeContent(SENML_JSON, ROOT, invalid, NO_TYPES), CodecError);
    assert.throws(() => decode('/', '['.repeat(17) + ']'.repeat(17)), /deeper than 16/);
    assert.throws(() => decode('/', `[${'{"n":"/3/0/9","v":1},'.repeat(10_000)}{}]`), /more than 10000 records/);
  });

  it('cannot reach a prototype', () => {
    const text = '[{"toString":{"v":1},"constructor":{"v":1},"n":"/3/0/9","vs":"__proto__"}]';
    assert.deepEqual(decode('/3/0', text), [['/3/0/9', '__proto__']]);
    assert.throws(() => decode('/3/0', '[{"__proto__":{"v":1},"n":"/3/0/9"}]'), /label '__proto__' is not known/);
    assert.equal(({} as { v?: unknown }).v, undefined);
  });

  it('of one path and time count once, the last one', () => {
    assert.deepEqual(
      decode('/3/0', [
        { bn: '/3/0/', n: '9', v: 1 },
        { n: '10', v: 5 },
        { n: '9', v: 2 },
      ]),
      [
        ['/3/0/9', 2],
        ['/3/0/10', 5],
      ],
    );
  });
});

describe('SenML-ETCH JSON', () => {
  it('removes with null', () => {
    const text = '[{"bn":"/3/0/","n":"6/1","v":null},{"n":"9","v":5}]';
    const rows: Row[] = [
      ['/3/0/6/1', null],
      ['/3/0/9', 5],
    ];
    assert.equal(encode('/3/0', DEVICE, rows, SENML_ETCH_JSON), text);
    assert.deepEqual(decode('/3/0', text, DEVICE, SENML_ETCH_JSON), rows);
  });

  it('names the paths of a FETCH, the root and base names included', () => {
    assert.equal(
      encodePaths(SENML_ETCH_JSON, [ROOT, parsePath('/3/0'), parsePath('/1/0/1')]).toString(),
      '[{"n":"/"},{"n":"/3/0"},{"n":"/1/0/1"}]',
    );
    const paths = (pack: unknown) => decodePaths(SENML_JSON, Buffer.from(JSON.stringify(pack))).map(formatPath);
    assert.deepEqual(paths([{ n: '/' }, { n: '/3' }]), ['/', '/3']);
    assert.deepEqual(paths([{ bn: '/3/0/', n: '0' }, { n: '1' }, { bn: '/1/0' }]), ['/3/0/0', '/3/0/1', '/1/0']);
    assert.deepEqual(paths([{ bn: '/3/0/' }, { n: '0' }]), ['/3/0/0']);
  });
});
