import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ageOf, timeLeft } from '../../nodes/shared/age';

describe('the age in a status', () => {
  const cases: [number, string, number][] = [
    [-5, 'now', 0],
    [0, 'now', 0],
    [9_999, 'now', 0],
    [10_000, 'seconds', 10],
    [59_999, 'seconds', 50],
    [60_000, 'minutes', 1],
    [9 * 60_000 + 59_999, 'minutes', 9],
    [35 * 60_000, 'minutes', 30],
    [3_600_000, 'hours', 1],
    [23 * 3_600_000, 'hours', 23],
    [3 * 86_400_000, 'days', 3],
  ];
  for (const [elapsed, key, count] of cases) {
    it(`is ${count} ${key} after ${elapsed} ms`, () => {
      const age = ageOf(elapsed);
      assert.deepEqual([age.key, age.count], [key, count]);
    });
  }

  it('says truly how long it lasts', () => {
    fc.assert(
      fc.property(fc.nat(100 * 86_400_000), (elapsed) => {
        const { key, count, lasts } = ageOf(elapsed);
        assert.ok(lasts > 0);
        const before = ageOf(elapsed + lasts - 1);
        const after = ageOf(elapsed + lasts);
        assert.deepEqual([before.key, before.count], [key, count]);
        assert.notDeepEqual([after.key, after.count], [key, count]);
      }),
    );
  });
});

describe('the time left in a status', () => {
  const cases: [number, string, number][] = [
    [-5, 'now', 0],
    [999, 'now', 0],
    [1_000, 'seconds', 1],
    [59_001, 'seconds', 60],
    [60_001, 'minutes', 2],
    [3_600_000, 'minutes', 60],
    [3_600_001, 'hours', 2],
    [25 * 3_600_000, 'days', 2],
  ];
  for (const [left, key, count] of cases) {
    it(`is ${count} ${key} when ${left} ms are left`, () => assert.deepEqual(timeLeft(left), { key, count }));
  }
});
