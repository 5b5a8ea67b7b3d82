import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { contentFormatId, decodeContent, decodePaths, encodeContent, encodePaths } from '../../src/content';
import type { ContentFormatName } from '../../src/content';
import { ROOT, formatPath, pathOf, type ResourceValue } from '../../src/model';
import { LEVELS, TYPED, composite, requestPath, rowsOf } from './support/values';

const STRUCTURED: ContentFormatName[] = [
  'tlv',
  'senml-json',
  'senml-cbor',
  'senml-etch-json',
  'senml-etch-cbor',
  'json',
  'lwm2m-cbor',
];
const TIMED: ContentFormatName[] = ['senml-json', 'senml-cbor', 'senml-etch-json', 'senml-etch-cbor', 'json'];
const SINGLE: ContentFormatName[] = ['text', 'cbor'];

/** From 1978 on, in ms. */
const timestamps = fc.integer({ min: 2 ** 28 * 1000, max: 2 ** 42 });

function comesBack(format: ContentFormatName, path: ReturnType<typeof pathOf>, values: ResourceValue[]): void {
  const id = contentFormatId(format);
  assert.deepEqual(rowsOf(decodeContent(id, path, encodeContent(id, path, values, TYPED), TYPED)), rowsOf(values));
}

describe('every content format gives back what it was given', () => {
  for (const format of STRUCTURED) {
    for (const [level, { values }] of Object.entries(LEVELS)) {
      it(`${format}: ${level}`, () => {
        fc.assert(fc.property(values, (drawn) => comesBack(format, requestPath(level, drawn), drawn)));
      });
    }
  }

  for (const format of STRUCTURED.filter((name) => name !== 'tlv')) {
    it(`${format}: a composite`, () => {
      fc.assert(fc.property(composite, (drawn) => comesBack(format, ROOT, drawn)));
    });
  }

  for (const format of TIMED) {
    it(`${format}: a history of timestamps`, () => {
      const history = fc
        .tuple(LEVELS['an object instance']!.values, fc.uniqueArray(timestamps, { minLength: 1, maxLength: 4 }))
        .map(([values, times]) => times.flatMap((timestamp) => values.map((value) => ({ ...value, timestamp }))));
      fc.assert(fc.property(history, (drawn) => comesBack(format, pathOf(70, 300), drawn)));
    });
  }

  for (const format of SINGLE) {
    for (const level of ['a resource', 'a resource instance'] as const) {
      it(`${format}: ${level}`, () => {
        fc.assert(fc.property(LEVELS[level]!.values, (drawn) => comesBack(format, requestPath(level, drawn), drawn)));
      });
    }
  }

  it('opaque: any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        comesBack('opaque', pathOf(70, 300, 5), [{ path: pathOf(70, 300, 5), value: Buffer.from(bytes) }]);
      }),
    );
  });

  const lists = fc.array(
    fc.array(fc.nat(65534), { minLength: 1, maxLength: 4 }).map((ids) => pathOf(...ids)),
    { maxLength: 10 },
  );
  for (const format of [...TIMED.filter((name) => name !== 'json'), 'lwm2m-cbor'] as const) {
    it(`${format}: the paths of a FETCH`, () => {
      fc.assert(
        fc.property(lists, (paths) => {
          const id = contentFormatId(format);
          assert.deepEqual(decodePaths(id, encodePaths(id, paths)).map(formatPath), paths.map(formatPath));
        }),
      );
    });
  }
});

describe('every content format says that nothing is there', () => {
  const EMPTY: ResourceValue[] = [{ path: pathOf(33, 1), value: null }];
  for (const format of STRUCTURED.filter((name) => !name.includes('etch'))) {
    it(`${format}: an object instance without resources, below its object and by its own path`, () => {
      comesBack(format, pathOf(33), EMPTY);
      comesBack(format, pathOf(33, 1), EMPTY);
    });

    it(`${format}: a multiple resource without instances`, () => {
      const values = [{ path: pathOf(33, 1, 6), value: null }];
      comesBack(format, pathOf(33, 1), values);
      comesBack(format, pathOf(33, 1, 6), values);
    });

    it(`${format}: an empty payload has no values`, () => {
      assert.deepEqual(decodeContent(contentFormatId(format), pathOf(33), Buffer.alloc(0), TYPED), []);
    });
  }
});
