import assert from 'node:assert/strict';
import fc from 'fast-check';
import { IdIndex, type Indexed } from '../../src/store/id-index';
import { registrationOf } from './store-contract';

describe('The index of registration ids', () => {
  it('finds what a Map would find, whatever is added and taken out', () => {
    const ids = fc.integer({ min: 0, max: 5_000 }).map((n) => `id-${n}`);
    fc.assert(
      fc.property(fc.array(fc.tuple(ids, fc.boolean()), { maxLength: 4_000 }), (steps) => {
        const index = new IdIndex<Indexed>();
        const model = new Map<string, Indexed>();
        for (const [id, adds] of steps) {
          const there = model.get(id);
          assert.equal(index.get(id), there);
          if (adds && there === undefined) {
            const entry: Indexed = { registration: registrationOf({ id }), next: undefined };
            index.add(entry);
            model.set(id, entry);
          } else if (!adds && there !== undefined) {
            index.delete(there);
            model.delete(id);
          }
        }
        for (const [id] of steps) assert.equal(index.get(id), model.get(id));
      }),
      { numRuns: 20 },
    );
  });

  it('keeps thousands apart, of whose ids the first characters are the same', () => {
    const index = new IdIndex<Indexed>();
    const entries = Array.from({ length: 3_000 }, (_unused, n): Indexed => {
      return { registration: registrationOf({ id: `device-${n}` }), next: undefined };
    });
    for (const entry of entries) index.add(entry);
    for (const entry of entries) assert.equal(index.get(entry.registration.id), entry);
    for (const entry of entries) index.delete(entry);
    for (const entry of entries) assert.equal(index.get(entry.registration.id), undefined);
  });
});
