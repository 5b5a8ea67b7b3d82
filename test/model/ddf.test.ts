import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../src/errors';
import { DdfError, MAX_DDF_LENGTH, parseDdf, readDdf } from '../../src/model/ddf';
import { ddfText, greenhouse } from './definitions';

function broken(xml: string): DdfError {
  try {
    parseDdf(xml, 'broken.xml');
  } catch (error) {
    assert.ok(error instanceof DdfError, String(error));
    assert.ok(error instanceof InvalidArgumentError);
    assert.equal(error.message, `broken.xml:${error.line}:${error.column}: ${error.reason}`);
    return error;
  }
  throw new assert.AssertionError({ message: 'the file was accepted' });
}

function brokenByChange(from: string | RegExp, to: string): DdfError {
  const text = ddfText('64001.xml');
  assert.notEqual(text.replace(from, to), text);
  return broken(text.replace(from, to));
}

describe('parseDdf', () => {
  it('reads what an object is', () => {
    const { resources, ...object } = greenhouse;
    assert.deepEqual(object, {
      id: 64001,
      version: '1.0',
      lwm2mVersion: '1.0',
      name: 'Greenhouse',
      camelName: 'greenhouse',
      urn: 'urn:oma:lwm2m:x:64001',
      multiple: true,
      mandatory: false,
    });
    assert.deepEqual(resources.get(1), {
      id: 1,
      name: 'Target & Mean Temperature',
      camelName: 'targetMeanTemperature',
      operations: 'RW',
      multiple: false,
      mandatory: false,
      type: 'float',
      range: '-20..60',
      units: 'Cel',
    });
    const types = [...resources.values()].map(({ type }) => type);
    assert.deepEqual(types.slice(0, 10), [
      ...['boolean', 'float', 'string', 'unsigned', 'integer', 'opaque', 'time', 'objlnk', 'corelnk', 'none'],
    ]);
    assert.equal(resources.get(11)?.camelName, 'mode11');
  });

  it('reads several objects of one file, and takes for granted what may be left out', () => {
    const [first, second] = parseDdf(ddfText('64002.xml'), '64002.xml');
    assert.deepEqual([first?.version, first?.lwm2mVersion, first?.urn], ['1.0', '1.0', 'urn:oma:lwm2m:x:64002']);
    assert.deepEqual([second?.version, second?.urn], ['1.1', 'urn:oma:lwm2m:x:64002:1.1']);
    assert.equal(first?.resources.get(0)?.type, 'none');
  });

  it('says file, line, column and reason', () => {
    const error = brokenByChange('<ObjectID>64001<', '<ObjectID>65535<');
    assert.deepEqual([error.fileName, error.line, error.column], ['broken.xml', 7, 5]);
    assert.equal(error.reason, "'65535' is no id of 0 to 65534");
    assert.equal(error.code, 'INVALID_ARGUMENT');
  });

  const mistakes: [what: string, from: string | RegExp, to: string, line: number, reason: RegExp][] = [
    ['an id that is no number', 'ID="2"', 'ID="two"', 17, /'two' is no id/],
    ['an item without id', 'Item ID="3"', 'Item', 18, /without an ID/],
    ['a resource twice', 'ID="4"', 'ID="3"', 21, /resource 3 is defined twice/],
    ['unknown operations', '>RW<', '>RWX<', 14, /unknown operations 'RWX'/],
    ['an unknown type', '>Objlnk<', '>Link<', 24, /unknown type 'Link'/],
    ['an unknown multiplicity', '>Single<', '>Several<', 14, /<MultipleInstances> is 'Several'/],
    ['an unknown obligation', '>Optional<', '>Perhaps<', 12, /<Mandatory> is 'Perhaps'/],
    ['a version that is none', '<ObjectVersion>1.0', '<ObjectVersion>one', 10, /'one' is no version/],
    ['no name', '<Name>Greenhouse</Name>', '', 4, /no <Name> in <Object>/],
    ['an empty name', '>Greenhouse<', '> <', 5, /<Name> is empty/],
    ['two names', '<Name>Mode</Name>', '<Name>Mode</Name><Name>Mood</Name>', 18, /a second <Name> in <Item>/],
    ['an element within a text', '>Greenhouse<', '>Green<b>house</b><', 5, /<b> in <Name>/],
    ['a name of a page', '>Greenhouse<', `>${'x'.repeat(1001)}<`, 5, /longer than 1000/],
    ['a strange element among the items', '<Resources>', '<Resources><Thing/>', 13, /<Thing> in <Resources>/],
    ['no object', /<Object [^]*<\/Object>/, '', 3, /no <Object>/],
    ['another root', /LWM2M>/g, 'LWM3M>', 3, /root element is <LWM3M>/],
    ['a tag that is not closed', '</Object>', '', 32, /not well-formed XML/],
    ['an undeclared entity', '>Greenhouse<', '>&green;<', 5, /not well-formed XML: undefined entity/],
  ];
  for (const [what, from, to, line, reason] of mistakes) {
    it(`refuses ${what}`, () => {
      const error = brokenByChange(from, to);
      assert.match(error.reason, reason);
      assert.equal(error.line, line);
    });
  }

  it('refuses the same version of an object twice', () => {
    const error = broken(ddfText('64002.xml').replace('<ObjectVersion>1.1</ObjectVersion>', ''));
    assert.match(error.reason, /object 64002 in version 1.0 is defined twice/);
  });

  it('refuses texts that are no XML at all', () => {
    for (const text of ['', ' ', 'plain', '{}', '\0', '<', '<a', '<a></b>', '<a/><b/>']) {
      assert.match(broken(text).reason, /not well-formed XML|root element/);
    }
  });
});

describe('parseDdf of hostile files', () => {
  it('refuses a DOCTYPE with an external entity', () => {
    const xxe =
      '<!DOCTYPE LWM2M [<!ENTITY xxe SYSTEM "file:///etc/passwd">]><LWM2M><Object><Name>&xxe;</Name></Object></LWM2M>';
    assert.equal(broken(xxe).reason, 'a DOCTYPE is not allowed');
  });

  it('refuses an entity bomb before any entity is read', () => {
    const entities = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('');
    const bomb = `<!DOCTYPE LWM2M [<!ENTITY l0 "lol">${entities}]><LWM2M>&l9;</LWM2M>`;
    assert.equal(broken(bomb).reason, 'a DOCTYPE is not allowed');
  });

  it('refuses a DOCTYPE wherever and however it comes', () => {
    for (const doctype of [
      '<!DOCTYPE a>',
      '<!DOCTYPE LWM2M SYSTEM "http://127.0.0.1:1/x.dtd">',
      '<!-- x --><!DOCTYPE LWM2M PUBLIC "a" "b">',
    ]) {
      assert.equal(broken(`${doctype}<LWM2M/>`).reason, 'a DOCTYPE is not allowed');
    }
    broken('<!DOCTYPE LWM2M [ <LWM2M/>');
    broken('<LWM2M><!DOCTYPE LWM2M></LWM2M>');
  });

  it('refuses a huge file, deep nesting and very many elements', () => {
    assert.match(broken(' '.repeat(MAX_DDF_LENGTH + 1)).reason, /larger than/);
    assert.match(broken('<a>'.repeat(100)).reason, /nest deeper/);
    assert.match(broken(`<LWM2M>${'<a/>'.repeat(60_000)}</LWM2M>`).reason, /more than 50000 elements/);
    const bytes = new Uint8Array(MAX_DDF_LENGTH + 1);
    assert.throws(() => readDdf(bytes, 'huge.xml'), DdfError);
  });

  it('is not led astray by names of the prototype', () => {
    const [object] = parseDdf(
      ddfText('64001.xml')
        .replace('>Greenhouse<', '>__proto__<')
        .replace('>Vent Open<', '>constructor<')
        .replace('ID="1"', 'ID="1" __proto__="x"'),
      'x.xml',
    );
    assert.equal(object?.camelName, 'proto');
    assert.equal(object?.resources.get(0)?.camelName, 'constructor');
    assert.equal(({} as { x?: unknown }).x, undefined);
  });
});

describe('readDdf', () => {
  const xml = ddfText('64001.xml').replace('>Greenhouse<', '>Gew\u00e4chshaus<');
  const nameOf = (bytes: Uint8Array): string | undefined => readDdf(bytes, 'x.xml')[0]?.name;

  it('reads UTF-8 with and without byte order mark', () => {
    assert.equal(nameOf(Buffer.from(xml)), 'Gew\u00e4chshaus');
    assert.equal(nameOf(Buffer.from(`\ufeff${xml}`)), 'Gew\u00e4chshaus');
  });

  it('reads the encoding that is declared, and UTF-16 by its byte order mark', () => {
    assert.equal(nameOf(Buffer.from(xml.replace('UTF-8', 'ISO-8859-1'), 'latin1')), 'Gew\u00e4chshaus');
    assert.equal(nameOf(Buffer.from(`\ufeff${xml.replace('UTF-8', 'UTF-16')}`, 'utf16le')), 'Gew\u00e4chshaus');
  });

  it('refuses bytes that are not of the encoding, and encodings that are none', () => {
    assert.throws(() => nameOf(Buffer.from(xml, 'latin1')), /x\.xml:1:1: the file is not text in utf-8/i);
    assert.throws(() => nameOf(Buffer.from(xml.replace('UTF-8', 'klingon'))), /not text in klingon/);
  });
});
