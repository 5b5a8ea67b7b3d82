import assert from 'node:assert/strict';
import { CodecError } from '../../src/errors';
import { decodeContent, encodeContent, NO_TYPES, type TypeLookup } from '../../src/content';
import { parsePath, type ResourceType } from '../../src/model';
import { DEVICE, hex, rowsOf, typesOf, valuesOf, type Row } from './support/values';

const TLV = 11542;

const decode = (path: string, bytes: string, types: TypeLookup): Row[] =>
  rowsOf(decodeContent(TLV, parsePath(path), hex(bytes), types));
const encode = (path: string, types: TypeLookup, ...rows: Row[]): string =>
  encodeContent(TLV, parsePath(path), valuesOf(...rows), types).toString('hex');

/** LwM2M Core 1.0 s6.4.3.1: the answer to GET /3/0. */
const DEVICE_BYTES =
  'c800144f70656e204d6f62696c6520416c6c69616e6365c801164c69676874776569676874204d324d20436c69656e74' +
  'c80209333435303030313233c303312e30860641000141010588070842000ed842011388870841007d42010384c10964' +
  'c10a0f830b410000c40d5182428fc60e2b30323a3030c11055';

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

/** LwM2M Core 1.0 s6.4.3.2: the answer to GET /2, two instances with their wrappers. */
const ACCESS_BYTES = '08000ec10001c101008302417f07c1037f' + '080212c10003c101008702417f0761013601c1037f';
const ACCESS = typesOf({ 0: 'integer', 1: 'integer', 2: 'integer', 3: 'integer' });
const ACCESS_ROWS: Row[] = [
  ['/2/0/0', 1],
  ['/2/0/1', 0],
  ['/2/0/2/127', 7],
  ['/2/0/3', 127],
  ['/2/2/0', 3],
  ['/2/2/1', 0],
  ['/2/2/2/127', 7],
  ['/2/2/2/310', 1],
  ['/2/2/3', 127],
];

/** LwM2M Core 1.0 s6.4.3.3: the answer to GET /65/0, with object links. */
const LINK_BYTES = '88000c4400004200004401004200' + '01c8010d38363133383030373535353030c40212345678';
const LINK = typesOf({ 0: 'objlnk', 1: 'string', 2: 'integer' });
const LINK_ROWS: Row[] = [
  ['/65/0/0/0', '66:0'],
  ['/65/0/0/1', '66:1'],
  ['/65/0/1', '8613800755500'],
  ['/65/0/2', 0x12345678],
];

describe('TLV by the examples of the specification', () => {
  it('reads and writes the Device instance', () => {
    assert.deepEqual(decode('/3/0', DEVICE_BYTES, DEVICE), DEVICE_ROWS);
    assert.equal(encode('/3/0', DEVICE, ...DEVICE_ROWS), DEVICE_BYTES);
  });

  it('reads and writes the Device object, its instance in a wrapper', () => {
    assert.deepEqual(decode('/3', `080079${DEVICE_BYTES}`, DEVICE), DEVICE_ROWS);
    assert.equal(encode('/3', DEVICE, ...DEVICE_ROWS), `080079${DEVICE_BYTES}`);
  });

  it('reads and writes several instances, and 16-bit ids', () => {
    assert.deepEqual(decode('/2', ACCESS_BYTES, ACCESS), ACCESS_ROWS);
    assert.equal(encode('/2', ACCESS, ...ACCESS_ROWS), ACCESS_BYTES);
  });

  it('reads and writes object links', () => {
    assert.deepEqual(decode('/65/0', LINK_BYTES, LINK), LINK_ROWS);
    assert.equal(encode('/65/0', LINK, ...LINK_ROWS), LINK_BYTES);
  });
});

describe('TLV of real clients', () => {
  it('an object read answered without the wrapper is instance 0', () => {
    assert.deepEqual(decode('/3', 'c10964', DEVICE), [['/3/0/9', 100]]);
  });

  it('an instance read answered with the wrapper', () => {
    assert.deepEqual(decode('/3/0', '0300c10964', DEVICE), [['/3/0/9', 100]]);
  });

  it('a resource read answered with the resource, or with the instance around it', () => {
    assert.deepEqual(decode('/3/0/9', 'c10964', DEVICE), [['/3/0/9', 100]]);
    assert.deepEqual(decode('/3/0/9', '0300c10964', DEVICE), [['/3/0/9', 100]]);
  });

  it('a multiple resource read answered with the resource, or with its instances alone', () => {
    const rows = [
      ['/3/0/6/0', 1],
      ['/3/0/6/1', 5],
    ];
    assert.deepEqual(decode('/3/0/6', '8606410001410105', DEVICE), rows);
    assert.deepEqual(decode('/3/0/6', '410001410105', DEVICE), rows);
  });

  it('a resource instance read answered with the instance, or with the resource around it', () => {
    assert.deepEqual(decode('/3/0/6/1', '410105', DEVICE), [['/3/0/6/1', 5]]);
    assert.deepEqual(decode('/3/0/6/1', '8306410105', DEVICE), [['/3/0/6/1', 5]]);
  });

  it('another instance, resource or resource instance than asked for is refused', () => {
    for (const [path, bytes] of [
      ['/3/0', '0301c10964'],
      ['/3/0/9', 'c10a64'],
      ['/3/0/9', '0301c10964'],
      ['/3/0/6/1', '8306410205'],
    ] as const) {
      assert.throws(() => decode(path, bytes, DEVICE), CodecError, `${path} ${bytes}`);
    }
  });

  it('of a resource that is there twice the last one holds, at the place of the first', () => {
    assert.deepEqual(decode('/3/0', 'c10964c10a0fc10932', DEVICE), [
      ['/3/0/9', 50],
      ['/3/0/10', 15],
    ]);
  });
});

describe('TLV values', () => {
  const written: [ResourceType, Row[1], string][] = [
    ['integer', 0, 'c10500'],
    ['integer', -128, 'c10580'],
    ['integer', 128, 'c2050080'],
    ['integer', -32768, 'c2058000'],
    ['integer', 32768, 'c40500008000'],
    ['integer', 2 ** 31, 'c805080000000080000000'],
    ['integer', -(2n ** 63n), 'c805088000000000000000'],
    ['integer', 2n ** 63n - 1n, 'c805087fffffffffffffff'],
    ['unsigned', 255, 'c105ff'],
    ['unsigned', 65535, 'c205ffff'],
    ['unsigned', 2 ** 32 - 1, 'c405ffffffff'],
    ['unsigned', 2n ** 64n - 1n, 'c80508ffffffffffffffff'],
    ['float', 1.5, 'c4053fc00000'],
    ['float', 0.1, 'c805083fb999999999999a'],
    ['boolean', true, 'c10501'],
    ['boolean', false, 'c10500'],
    ['time', new Date(1367491215000), 'c4055182428f'],
    ['time', new Date(2 ** 31 * 1000), 'c805080000000080000000'],
    ['objlnk', '65535:65535', 'c405ffffffff'],
    ['string', 'é', 'c205c3a9'],
    ['corelnk', '</3/0>', 'c6053c2f332f303e'],
    ['opaque', Buffer.from([0, 255]), 'c20500ff'],
    ['string', '', 'c005'],
  ];
  for (const [type, value, bytes] of written) {
    it(`${type}: ${bytes}`, () => {
      assert.equal(encode('/1/0/5', typesOf({ 5: type }), ['/1/0/5', value]), bytes);
      assert.deepEqual(decode('/1/0/5', bytes, typesOf({ 5: type })), [['/1/0/5', value]]);
    });
  }

  it('lengths of 8, 16 and 24 bits', () => {
    for (const [length, head] of [
      [7, 'c705'],
      [8, 'c80508'],
      [255, 'c805ff'],
      [256, 'd0050100'],
      [65535, 'd005ffff'],
      [65536, 'd805010000'],
    ] as const) {
      const value = Buffer.alloc(length, 1);
      const bytes = encode('/1/0/5', NO_TYPES, ['/1/0/5', value]);
      assert.equal(bytes.slice(0, head.length), head);
      assert.deepEqual(decode('/1/0/5', bytes, NO_TYPES), [['/1/0/5', value]]);
    }
  });

  it('a value that is not as long as its type is delivered as bytes', () => {
    assert.deepEqual(decode('/3/0/9', 'c309010203', DEVICE), [['/3/0/9', hex('010203')]]);
    assert.deepEqual(decode('/3/0/0', 'c200ffff', DEVICE), [['/3/0/0', hex('ffff')]]);
    assert.deepEqual(decode('/65/0/0', 'c2000001', LINK), [['/65/0/0', hex('0001')]]);
  });

  it('NaN and the infinities are refused, both ways', () => {
    const types = typesOf({ 5: 'float' });
    for (const bytes of ['c4057fc00000', 'c4057f800000', 'c80508fff0000000000000', 'c805087ff8000000000000']) {
      assert.throws(() => decode('/1/0/5', bytes, types), CodecError);
    }
    for (const value of [NaN, Infinity]) assert.throws(() => encode('/1/0/5', types, ['/1/0/5', value]), CodecError);
  });

  it('an unknown resource is its bytes, in a buffer of its own', () => {
    const payload = hex('c20501ff');
    const [value] = decodeContent(TLV, parsePath('/1/0/5'), payload, NO_TYPES);
    payload.fill(0);
    assert.deepEqual(value?.value, hex('01ff'));
  });

  it('Create without an instance id has no wrapper', () => {
    const payload = encodeContent(TLV, parsePath('/3'), valuesOf(['/3/0/9', 100]), DEVICE, { withoutInstanceId: true });
    assert.equal(payload.toString('hex'), 'c10964');
    const two = valuesOf(['/3/0/9', 1], ['/3/1/9', 1]);
    assert.throws(() => encodeContent(TLV, parsePath('/3'), two, DEVICE, { withoutInstanceId: true }), CodecError);
    const one = valuesOf(['/3/0/9', 1]);
    assert.throws(() => encodeContent(112, parsePath('/3'), one, DEVICE, { withoutInstanceId: true }), /only TLV/);
  });

  it('what TLV cannot say is refused', () => {
    const cases: [path: string, rows: Row[]][] = [
      ['/', [['/3/0/9', 1]]],
      ['/3/0', [['/3/1/9', 1]]],
      ['/3/0', [['/3/0/6/0', null]]],
      ['/3/0', [['/3/0/9', 'text']]],
      [
        '/3/0',
        [
          ['/3/0/9', 1],
          ['/3/0/9', 2],
        ],
      ],
      [
        '/3/0',
        [
          ['/3/0/6', 1],
          ['/3/0/6/0', 2],
        ],
      ],
    ];
    for (const [path, rows] of cases) assert.throws(() => encode(path, DEVICE, ...rows), CodecError);
  });
});
