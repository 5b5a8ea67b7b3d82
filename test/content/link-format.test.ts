import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { CodecError } from '../../src/errors';
import { decodeContent, encodeContent, formatLinks, NO_TYPES, parseDiscovery, parseLinks } from '../../src/content';
import { parsePath } from '../../src/model';
import { rowsOf, valuesOf } from './support/values';

const links = (text: string) =>
  parseLinks(Buffer.from(text)).map(({ target, attributes }) => [target, Object.fromEntries(attributes)]);

describe('link format', () => {
  it('reads the example of RFC 6690 s5', () => {
    const text =
      '</sensors>;ct=40;title="Sensor Index",</sensors/temp>;rt="temperature-c";if="sensor",' +
      '<http://www.example.com/sensors/t123>;anchor="/sensors/temp";rel="describedby",</t>;obs';
    assert.deepEqual(links(text), [
      ['/sensors', { ct: '40', title: 'Sensor Index' }],
      ['/sensors/temp', { rt: 'temperature-c', if: 'sensor' }],
      ['http://www.example.com/sensors/t123', { anchor: '/sensors/temp', rel: 'describedby' }],
      ['/t', { obs: undefined }],
    ]);
  });

  it('reads the registrations that clients send', () => {
    const expected = [
      ['/', { rt: 'oma.lwm2m', ct: '110' }],
      ['/1/0', {}],
      ['/3/0', { ver: '1.1' }],
    ];
    for (const text of [
      '</>;rt="oma.lwm2m";ct=110,</1/0>,</3/0>;ver=1.1',
      '</>;rt="oma.lwm2m";ct=110, </1/0>, </3/0>;ver="1.1",',
      ' < / > ; rt = "oma.lwm2m" ; ct = 110 ,\r\n </1/0>;,, </3/0>;ver=1.1;ver=9 ,'.replace('< / >', '</>'),
    ]) {
      assert.deepEqual(links(text), expected, text);
    }
    assert.deepEqual(links('</>;lwm2m="1.0",'), [['/', { lwm2m: '1.0' }]]);
    assert.deepEqual(links(''), []);
  });

  it('takes commas, semicolons and escaped quotes inside of quotes as they are', () => {
    assert.deepEqual(links('</a>;title="x,y;z=\\"q\\" \\\\";b=1'), [['/a', { title: 'x,y;z="q" \\', b: '1' }]]);
  });

  it('refuses what is no list of links', () => {
    for (const text of ['/3/0', '</3/0', '</3/0>x', '</3/0>;a="x', '</3/0>;a="x\\', '{}']) {
      assert.throws(() => parseLinks(Buffer.from(text)), CodecError, text);
    }
    assert.throws(() => parseLinks(Buffer.from([0x3c, 0xff, 0x3e])), CodecError);
  });

  it('refuses more than 64 KiB, and more than 2,000 links', () => {
    assert.equal(links('<>,'.repeat(2000)).length, 2000);
    assert.throws(() => parseLinks(Buffer.from('<>,'.repeat(2001))), /more than 2000 links/);
    assert.throws(() => parseLinks(Buffer.alloc(65537, ',')), /64 KiB/);
  });

  it('gives back what it wrote', () => {
    const link = fc.record(
      {
        target: fc.stringMatching(/^\/[a-z0-9/]{0,20}$/),
        attributes: fc
          .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.option(fc.string(), { nil: undefined })), {
            selector: ([name]) => name,
            maxLength: 5,
          })
          .map((entries) => new Map(entries)),
      },
      { noNullPrototype: true },
    );
    fc.assert(fc.property(fc.array(link), (list) => assert.deepEqual(parseLinks(formatLinks(list)), list)));
  });

  it('survives any text', () => {
    const piece = fc.constantFrom('<', '>', ';', ',', '=', '"', '\\', ' ', '/3', 'a');
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        try {
          parseLinks(Buffer.from(pieces.join('')));
        } catch (error) {
          assert.ok(error instanceof CodecError);
        }
      }),
    );
  });
});

describe('Discover', () => {
  const discover = (text: string, root = '/') => parseDiscovery(Buffer.from(text), root);

  it('gives paths with their attributes typed', () => {
    assert.deepEqual(
      discover('</3/0>;pmin=10;pmax=60,</3/0/7>;dim=8;gt=50;lt=42.2,</3/0/8>;dim=8,</3>;ver=1.1,</3/0/9>;pmin="5"'),
      [
        { path: '/3/0', attributes: { pmin: 10, pmax: 60 } },
        { path: '/3/0/7', attributes: { dim: 8, gt: 50, lt: 42.2 } },
        { path: '/3/0/8', attributes: { dim: 8 } },
        { path: '/3', attributes: { ver: '1.1' } },
        { path: '/3/0/9', attributes: { pmin: 5 } },
      ],
    );
  });

  it('of a bootstrap server tells the servers', () => {
    assert.deepEqual(discover('</>;lwm2m=1.1,</0/1>;ssid=101;uri="coaps://server_1.example.com",</1/0>;ssid=101'), [
      { path: '/', attributes: { lwm2m: '1.1' } },
      { path: '/0/1', attributes: { ssid: 101, uri: 'coaps://server_1.example.com' } },
      { path: '/1/0', attributes: { ssid: 101 } },
    ]);
  });

  it('is relative to the root path, and leaves out what is not under it or no path', () => {
    for (const root of ['/lwm2m', '/lwm2m/']) {
      assert.deepEqual(discover('</lwm2m/3/0>;pmin=1,</3/0>,</lwm2mx/3>,</lwm2m/well-known>', root), [
        { path: '/3/0', attributes: { pmin: 1 } },
      ]);
    }
  });

  it('keeps attributes that are no numbers or have no value, and cannot reach a prototype', () => {
    const [found] = discover('</3/0>;pmin=soon;gt;__proto__=1;constructor=2');
    assert.deepEqual(Object.entries(found?.attributes ?? {}), [
      ['pmin', 'soon'],
      ['gt', ''],
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
    assert.equal(Object.getPrototypeOf(found?.attributes), Object.prototype);
  });
});

describe('link format as the content of a Corelnk resource', () => {
  it('is the text of the links', () => {
    const path = parsePath('/25/0/3');
    const payload = encodeContent(40, path, valuesOf(['/25/0/3', '</3/0>;ver=1.1']), NO_TYPES);
    assert.equal(payload.toString(), '</3/0>;ver=1.1');
    assert.deepEqual(rowsOf(decodeContent(40, path, payload, NO_TYPES)), [['/25/0/3', '</3/0>;ver=1.1']]);
    assert.throws(() => decodeContent(40, path, Buffer.from('no links'), NO_TYPES), CodecError);
    assert.throws(() => encodeContent(40, path, valuesOf(['/25/0/3', 'no links']), NO_TYPES), CodecError);
  });
});
