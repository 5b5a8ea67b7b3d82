import * as fc from 'fast-check';
import { formatPath, parsePath, pathOf, type ResourceType, type ResourceValue, type Value } from '../../../src/model';
import type { TypeLookup } from '../../../src/content';

const TYPES: readonly ResourceType[] = [
  'string',
  'integer',
  'unsigned',
  'float',
  'boolean',
  'opaque',
  'time',
  'objlnk',
  'corelnk',
];

/** Definitions for tests: the type of a resource follows from its id, /x/x/0 being a string, /x/x/1 an integer ... */
export const TYPED: TypeLookup = {
  typeOf: ({ resourceId }) => (resourceId === undefined ? undefined : TYPES[resourceId % TYPES.length]),
  isMultiple: () => undefined,
};

/** Definitions for tests: types by resource id, all else unknown. */
export function typesOf(types: Readonly<Record<number, ResourceType>>): TypeLookup {
  return {
    typeOf: ({ resourceId }) => (resourceId === undefined ? undefined : types[resourceId]),
    isMultiple: () => undefined,
  };
}

/** The types of the Device object (LwM2M Core 1.2 E.4). */
export const DEVICE = typesOf({
  ...{ 0: 'string', 1: 'string', 2: 'string', 3: 'string', 6: 'integer', 7: 'integer', 8: 'integer', 9: 'integer' },
  ...{ 10: 'integer', 11: 'integer', 13: 'time', 14: 'string', 16: 'string' },
});

/** Values as a test writes them down: `[path, value, timestamp?]`. */
export type Row = readonly [path: string, value: Value, timestamp?: number];

export function rowsOf(values: readonly ResourceValue[]): Row[] {
  return values.map(({ path, value, timestamp }) =>
    timestamp === undefined ? [formatPath(path), value] : [formatPath(path), value, timestamp],
  );
}

export function valuesOf(...rows: readonly Row[]): ResourceValue[] {
  return rows.map(([path, value, timestamp]) =>
    timestamp === undefined ? { path: parsePath(path), value } : { path: parsePath(path), value, timestamp },
  );
}

export const hex = (text: string): Buffer => Buffer.from(text.replace(/\s+/g, ''), 'hex');

const int64 = fc
  .oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(-(2n ** 33n), 2n ** 33n), fc.bigInt(-300n, 300n))
  .map(normal);
const uint64 = fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 2n ** 33n), fc.bigInt(0n, 300n)).map(normal);

function normal(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const text = fc.string({ unit: 'grapheme', maxLength: 300 });

const BY_TYPE: Readonly<Record<ResourceType, fc.Arbitrary<Exclude<Value, null>>>> = {
  string: text,
  corelnk: text,
  integer: int64,
  unsigned: uint64,
  // JSON and text have no negative zero.
  float: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()).map((value) => value + 0),
  boolean: fc.boolean(),
  opaque: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  time: fc.integer({ min: -8_640_000_000_000, max: 8_640_000_000_000 }).map((seconds) => new Date(seconds * 1000)),
  objlnk: fc.tuple(fc.nat(65535), fc.nat(65535)).map((ids) => ids.join(':')),
  none: text,
};

const id = fc.oneof(fc.nat(20), fc.nat(300), fc.nat(65534));

/** A value of a resource, by what TYPED says it is. */
function valueAt(...ids: number[]): fc.Arbitrary<ResourceValue> {
  const path = pathOf(...ids);
  return BY_TYPE[TYPED.typeOf(path) ?? 'string'].map((value) => ({ path, value }));
}

function inTurn<T>(items: fc.Arbitrary<T[]>[]): fc.Arbitrary<T[]> {
  return fc.tuple(...items).map((lists) => lists.flat());
}

const ids = (maxLength: number) => fc.uniqueArray(id, { minLength: 1, maxLength });

export function multipleResourceAt(...above: number[]): fc.Arbitrary<ResourceValue[]> {
  return ids(4).chain((instances) => fc.tuple(...instances.map((instance) => valueAt(...above, instance))));
}

export function resourceAt(...above: number[]): fc.Arbitrary<ResourceValue[]> {
  return fc.oneof(
    valueAt(...above).map((value) => [value]),
    multipleResourceAt(...above),
  );
}

export function instanceAt(...above: number[]): fc.Arbitrary<ResourceValue[]> {
  return ids(6).chain((resources) => inTurn(resources.map((resource) => resourceAt(...above, resource))));
}

export function objectAt(...above: number[]): fc.Arbitrary<ResourceValue[]> {
  return ids(3).chain((instances) => inTurn(instances.map((instance) => instanceAt(...above, instance))));
}

export const composite: fc.Arbitrary<ResourceValue[]> = ids(3).chain((objects) =>
  inTurn(objects.map((object) => objectAt(object))),
);

/** A request path of each level with values at or below it. */
export const LEVELS: Readonly<Record<string, { path: string; values: fc.Arbitrary<ResourceValue[]> }>> = {
  'a resource': { path: '/70/300/5', values: fc.nat(40).chain((r) => valueAt(70, 300, r).map((value) => [value])) },
  'a multiple resource': { path: '/70/300/5', values: fc.nat(40).chain((r) => multipleResourceAt(70, 300, r)) },
  'a resource instance': {
    path: '/70/300/5/7',
    values: fc.nat(40).chain((r) => valueAt(70, 300, r, 7).map((value) => [value])),
  },
  'an object instance': { path: '/70/300', values: instanceAt(70, 300) },
  'an object': { path: '/70', values: objectAt(70) },
};

/** The request path a drawn resource value list belongs to: its resource may differ from the one of LEVELS. */
export function requestPath(level: string, values: readonly ResourceValue[]) {
  const path = values[0]?.path;
  if (level === 'a resource' || level === 'a resource instance') return path ?? pathOf();
  if (level === 'a multiple resource') return { ...path, resourceInstanceId: undefined };
  return parsePath(LEVELS[level]?.path ?? '/');
}
