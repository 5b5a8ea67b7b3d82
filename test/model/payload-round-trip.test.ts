import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatPath, pathContains, pathOf, type Path } from '../../src/model/path';
import { toCompositePayload, toPayload } from '../../src/model/payload';
import { fromCompositePayload, fromPayload } from '../../src/model/payload-input';
import type { ResourceType, ResourceValue, Value } from '../../src/model/resource-value';
import { definitionOf, greenhouse } from './definitions';

const id = fc.nat({ max: 65534 });
const integer = (min: bigint, max: bigint) =>
  fc.bigInt({ min, max }).map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value));
const text = fc.string({ unit: 'grapheme' });
const seconds = fc.integer({ min: -(2 ** 40), max: 2 ** 40 }).map((time) => new Date(time * 1000));

const VALUES: Record<ResourceType, fc.Arbitrary<Value>> = {
  string: text,
  corelnk: text,
  integer: integer(-(2n ** 63n), 2n ** 63n - 1n),
  unsigned: integer(0n, 2n ** 64n - 1n),
  float: fc.double({ noNaN: true, noDefaultInfinity: true }),
  boolean: fc.boolean(),
  opaque: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  time: seconds,
  objlnk: fc.tuple(fc.nat({ max: 65535 }), fc.nat({ max: 65535 })).map((ids) => ids.join(':')),
  none: fc.oneof(text, fc.boolean()),
};

/** The values of one resource of the greenhouse: one, or several with instances. */
const resourceValues = (objectInstanceId: number): fc.Arbitrary<ResourceValue[]> =>
  fc.constantFrom(...greenhouse.resources.values()).chain((resource) => {
    const at = (...more: number[]): Path => pathOf(greenhouse.id, objectInstanceId, resource.id, ...more);
    const value = VALUES[resource.type];
    if (!resource.multiple) return value.map((single) => [{ path: at(), value: single }]);
    return fc
      .uniqueArray(fc.tuple(id, value), { selector: ([instance]) => instance, minLength: 1, maxLength: 4 })
      .map((instances) => instances.map(([instance, single]) => ({ path: at(instance), value: single })));
  });

const instanceValues = (objectInstanceId: number): fc.Arbitrary<ResourceValue[]> =>
  fc
    .uniqueArray(resourceValues(objectInstanceId), { selector: ([first]) => first?.path.resourceId, minLength: 1 })
    .map((resources) => resources.flat());

const objectValues = fc
  .uniqueArray(id, { minLength: 1, maxLength: 3 })
  .chain((ids) => fc.tuple(...ids.map(instanceValues)))
  .map((instances) => instances.flat());

const byPath = (values: readonly ResourceValue[]): Map<string, Value> =>
  new Map(values.map(({ path, value }) => [formatPath(path), value]));

describe('payloads', () => {
  it('come back as the values they were made of, at every level and with either keys', () => {
    fc.assert(
      fc.property(objectValues, fc.constantFrom('id' as const, 'name' as const), (values, keys) => {
        const [first] = values;
        assert.ok(first !== undefined);
        const { objectId, objectInstanceId, resourceId } = first.path;
        const levels = [
          { objectId },
          { objectId, objectInstanceId },
          { objectId, objectInstanceId, resourceId },
          first.path,
        ];
        for (const path of levels) {
          const below = values.filter((value) => pathContains(path, value.path));
          const payload = toPayload(path, values, { keys, definitionOf });
          assert.deepEqual(byPath(fromPayload(path, payload, definitionOf)), byPath(below));
        }
      }),
    );
  });

  it('come back from a composite payload', () => {
    fc.assert(
      fc.property(objectValues, (values) => {
        const instances = new Set(values.map(({ path }) => path.objectInstanceId));
        const asked = [...instances].map((objectInstanceId) => ({ objectId: greenhouse.id, objectInstanceId }));
        const payload = toCompositePayload(asked, values, { keys: 'name', definitionOf });
        assert.deepEqual(byPath(fromCompositePayload(payload, definitionOf)), byPath(values));
      }),
    );
  });

  it('come back after a flow sent them through JSON, but for what JSON cannot hold', () => {
    fc.assert(
      fc.property(objectValues, (values) => {
        const kept = values.filter(({ value }) => typeof value !== 'bigint' && !Object.is(value, -0));
        fc.pre(kept.length > 0);
        const path = { objectId: greenhouse.id };
        const payload: unknown = JSON.parse(JSON.stringify(toPayload(path, kept, { keys: 'id', definitionOf })));
        const inRange = ({ value }: ResourceValue) => !(value instanceof Date) || /^\d{4}-/.test(value.toISOString());
        fc.pre(kept.every(inRange));
        assert.deepEqual(byPath(fromPayload(path, payload, definitionOf)), byPath(kept));
      }),
    );
  });

  it('are never an uncaught surprise: anything a flow sends is taken or refused with INVALID_ARGUMENT', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withTypedArray: true,
      withMap: true,
      withNullPrototype: true,
    });
    const paths = fc.constantFrom(
      { objectId: 64001 },
      pathOf(64001, 0),
      pathOf(64001, 0, 2),
      pathOf(64001, 0, 6),
      pathOf(9, 0, 1),
    );
    fc.assert(
      fc.property(paths, anything, (path, payload) => {
        try {
          fromPayload(path, payload, definitionOf);
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, 'INVALID_ARGUMENT', String(error));
        }
      }),
    );
  });
});
