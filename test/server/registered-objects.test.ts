import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CodecError } from '../../src/errors';
import {
  mergeRegisteredObjects,
  parseRegisteredObjects,
  RegisteredObjectsCache,
} from '../../src/server/registered-objects';

const parse = (text: string) => parseRegisteredObjects(Buffer.from(text));
const listed = (text: string) =>
  parse(text).objects.map(({ id, version, instances }) => `${id} ${version} [${instances.join()}]`);

describe('The object list of a Register', () => {
  it('names objects, their versions and instances', () => {
    assert.deepEqual(listed('</1/0>,</1/1>,</3/0>,</6>,</3303>;ver=1.1,</3303/7>,</3303/2>'), [
      '1 1.0 [0,1]',
      '3 1.0 [0]',
      '6 1.0 []',
      '3303 1.1 [2,7]',
    ]);
  });

  it('tolerates quoted versions, missing slashes and slashes at the end', () => {
    assert.deepEqual(listed('<3/0/>;ver="1.2",</5>;ver="x"'), ['3 1.2 [0]', '5 1.0 []']);
  });

  it('never shows 0, 21 and 23', () => {
    assert.deepEqual(listed('</0/0>,</0/1>,</21/0>,</23/0>,</3/0>'), ['3 1.0 [0]']);
  });

  it('leaves out what is no object and no instance', () => {
    assert.deepEqual(listed('</3/0>,</3/0/1>,</sensors/temp>,</65535>,</01>,</-1>,</__proto__>'), ['3 1.0 [0]']);
  });

  it('finds the alternate root path and looks only below it', () => {
    const { rootPath, objects } = parse('</lwm2m>;rt="oma.lwm2m",</lwm2m/1/0>,</lwm2m/3/0>,</3303/0>');
    assert.deepEqual(rootPath, ['lwm2m']);
    assert.deepEqual(
      objects.map(({ id }) => id),
      [1, 3],
    );
    assert.deepEqual(parse('</a/b>;rt=oma.lwm2m,</a/b/3/0>').rootPath, ['a', 'b']);
    assert.deepEqual(parse('</>;rt="oma.lwm2m",</3/0>').rootPath, []);
  });

  it('finds the content formats however they are written', () => {
    for (const ct of ['ct=110', 'ct="110"', 'ct="110 112"', 'ct="110,112"']) {
      assert.equal(parse(`</>;${ct},</3/0>`).contentFormats[0], 110, ct);
    }
    assert.deepEqual(parse('</lwm2m>;rt="oma.lwm2m";ct="112 11542",</lwm2m/3/0>').contentFormats, [112, 11542]);
    assert.deepEqual(parse('</3/0>;ct=40').contentFormats, []);
  });

  it('may be empty', () => {
    assert.deepEqual(parse(''), { objects: [], rootPath: [], contentFormats: [] });
  });

  it('reads any bytes to an object list or a CodecError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          parseRegisteredObjects(Buffer.from(bytes));
        } catch (error) {
          assert.ok(error instanceof CodecError);
        }
      }),
    );
  });

  it('is shared by those who send the same bytes, and the cache stays small', () => {
    const cache = new RegisteredObjectsCache();
    const one = cache.parse(Buffer.from('</3/0>'));
    assert.equal(cache.parse(Buffer.from('</3/0>')), one);
    for (let n = 0; n < 2000; n += 1) cache.parse(Buffer.from(`</3/${n}>`));
    assert.notEqual(cache.parse(Buffer.from('</3/0>')), one);
  });

  it('adds to that of a profile', () => {
    const merged = mergeRegisteredObjects(parse('</1/0>,</3/0>,</>;ct=112'), parse('</3/1>,</3303/0>;ver=1.1'));
    assert.deepEqual(merged, {
      objects: [
        { id: 1, version: '1.0', instances: [0] },
        { id: 3, version: '1.0', instances: [0, 1] },
        { id: 3303, version: '1.1', instances: [0] },
      ],
      rootPath: [],
      contentFormats: [112],
    });
  });
});
