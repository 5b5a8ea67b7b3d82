import assert from 'node:assert/strict';
import { CodecError } from '../../src/errors';
import { decodeContent, decodePaths, encodeContent, encodePaths, NO_TYPES, type TypeLookup } from '../../src/content';
import { formatPath, parsePath } from '../../src/model';
import { DEVICE, hex, rowsOf, typesOf, valuesOf, type Row } from './support/values';

const SENML_CBOR = 112;
const SENML_ETCH_CBOR = 322;
const NOW = 1_700_000_000_000;

const decode = (path: string, bytes: string, types: TypeLookup = NO_TYPES, format = SENML_CBOR): Row[] =>
  rowsOf(decodeContent(format, parsePath(path), hex(bytes), types, { now: NOW }));
const encode = (path: string, types: TypeLookup, rows: Row[], format = SENML_CBOR): string =>
  encodeContent(format, parsePath(path), valuesOf(...rows), types).toString('hex');

/** LwM2M Core 1.1 s7.4.6: the answer to GET /3/0. */
const DEVICE_BYTES =
  '90' +
  'a321652f332f302f00613003744f70656e204d6f62696c6520416c6c69616e6365' +
  'a20061310376' +
  '4c69676874776569676874204d324d20436c69656e74' +
  'a20061320369333435303030313233' +
  'a20061330363312e30' +
  'a20063362f300201' +
  'a20063362f310205' +
  'a20063372f3002190ed8' +
  'a20063372f3102191388' +
  'a20063382f3002187d' +
  'a20063382f3102190384' +
  'a2006139021864' +
  'a200623130020f' +
  'a2006431312f300200' +
  'a200623133021a5182428f' +
  'a20062313403662b30323a3030' +
  'a200623136036155';

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

describe('SenML CBOR by the examples of the specification', () => {
  it('reads and writes the Device instance', () => {
    assert.deepEqual(decode('/3/0', DEVICE_BYTES, DEVICE), DEVICE_ROWS);
    assert.equal(encode('/3/0', DEVICE, DEVICE_ROWS), DEVICE_BYTES);
  });

  it('reads an object link under its text label', () => {
    const bytes = '81a20069' + '2f36352f302f302f30' + '63766c6f' + '6436363a30';
    assert.deepEqual(decode('/65/0/0/0', bytes, typesOf({ 0: 'objlnk' })), [['/65/0/0/0', '66:0']]);
    assert.equal(
      encode('/65/0/0/0', typesOf({ 0: 'objlnk' }), [['/65/0/0/0', '66:0']]),
      bytes.replace('00692f', '21692f'),
    );
  });
});

describe('SenML CBOR', () => {
  it('writes and reads every type', () => {
    const types = typesOf({
      ...{ 0: 'string', 1: 'integer', 2: 'unsigned', 3: 'float', 4: 'boolean', 5: 'opaque', 6: 'time', 7: 'objlnk' },
    });
    const rows: Row[] = [
      ['/9/0/0', 'a'],
      ['/9/0/1', -(2n ** 63n)],
      ['/9/0/2', 2n ** 64n - 1n],
      ['/9/0/3', 3],
      ['/9/0/4', false],
      ['/9/0/5', Buffer.from([1])],
      ['/9/0/6', new Date(1000)],
      ['/9/0/7', '3:0'],
    ];
    const bytes =
      '88a321652f392f302f006130036161' +
      'a2006131023b7fffffffffffffff' +
      'a2006132021bffffffffffffffff' +
      'a200613302fa40400000' +
      'a200613404f4' +
      'a2006135084101' +
      'a20061360201' +
      'a200613763766c6f63333a30';
    assert.equal(encode('/9/0', types, rows), bytes);
    assert.deepEqual(decode('/9/0', bytes, types), rows);
  });

  it('reads base time, time and base value, tagged as some meters do', () => {
    // [{-2: "/3/0/", -3: 1(1720696276), 0: "9", 2: 5}, {0: "9", 6: -10, 2: 6}, {0: "9", -5: 100, 6: -5.5, 2: 1.5}]
    const bytes =
      '83' + 'a421652f332f302f22c11a668fbdd40061390205' + 'a300613906290206' + 'a4006139241864' + '06f9c58002f93e00';
    assert.deepEqual(decode('/3/0', bytes), [
      ['/3/0/9', 5, 1720696276000],
      ['/3/0/9', 6, 1720696266000],
      ['/3/0/9', 101.5, 1720696270500],
    ]);
  });

  it('writes times with each record, in whole seconds where they are', () => {
    const rows: Row[] = [
      ['/3/0/9', 1, 1_700_000_000_000],
      ['/3/0/9', 2, 1_700_000_000_250],
    ];
    const bytes = '82a321662f332f302f390201061a6553f100a2020206fb41d954fc40100000';
    assert.equal(encode('/3/0/9', DEVICE, rows), bytes);
    assert.deepEqual(decode('/3/0/9', bytes.replace('a20202', 'a3006002' + '02'), DEVICE), rows);
  });

  it('reads what comes in indefinite lengths', () => {
    // [_ {_ -2: (_ "/3/", "0/"), 0: "9", 2: 95}, {_ 0: "5", 8: (_ h'01', h'02')}]
    const bytes = '9fbf217f632f332f62302fff00613902185fffbf006135085f41014102ffffff';
    assert.deepEqual(decode('/3/0', bytes), [
      ['/3/0/9', 95],
      ['/3/0/5', Buffer.from([1, 2])],
    ]);
  });

  it('reads an object link that ends in a NUL, as Zephyr sends it', () => {
    assert.deepEqual(decode('/9/0/7', '81a200662f392f302f3763766c6f64333a3000'), [['/9/0/7', '3:0']]);
  });

  it('refuses records of the wrong shape', () => {
    for (const bytes of [
      'a0', // no array
      '8101', // no map
      '81a2006139026161', // v is text
      '81a2006139030a', // vs is a number
      '81a20061390401', // vb is a number
      '81a2006139086161', // vd is text
      '81a200613963766c6f6133', // vlo is no link
      '81a3006139020103' + '6161', // two values
      '81a200090201', // n is a number
      '81a320' + '0b0061390201', // version 11
      '81a3006139020163615f' + '01', // a label that must be understood, cut off
      '81a30061390201' + '62615f01', // a label that must be understood
      '81a200642f332f31' + '0201', // a value of an instance
    ]) {
      assert.throws(() => decode('/', bytes), CodecError, bytes);
    }
    assert.throws(() => decode('/3/0', '81a200662f332f312f390201'), /outside/);
  });

  it('removes with null in its ETCH form', () => {
    const rows: Row[] = [['/3/0/6/1', null]];
    assert.equal(encode('/3/0', DEVICE, rows, SENML_ETCH_CBOR), '81a321652f332f302f0063362f3102f6');
    assert.deepEqual(decode('/3/0', '81a321652f332f302f0063362f3102f6', DEVICE, SENML_ETCH_CBOR), rows);
  });

  it('names the paths of a FETCH', () => {
    const bytes = encodePaths(SENML_ETCH_CBOR, [parsePath('/3/0'), parsePath('/1/0/1')]);
    assert.equal(bytes.toString('hex'), '82a100642f332f30a100662f312f302f31');
    assert.deepEqual(decodePaths(SENML_CBOR, bytes).map(formatPath), ['/3/0', '/1/0/1']);
  });
});
