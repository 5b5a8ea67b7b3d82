import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  caseOf,
  CONFORMANCE_FILE,
  formatConformance,
  readCases,
  runCases,
  statesOf,
  type OmaCaseEntry,
} from '../../scripts/conformance';

describe('The table of conformance', () => {
  const cases = readCases();

  it('lists the 155 cases once, in order, and says of each without tests why', () => {
    const ids = cases.map(({ id }) => id);
    assert.equal(ids.length, 155);
    assert.deepEqual(
      ids,
      [...new Set(ids)].sort((a, b) => a - b),
    );
    for (const entry of cases) {
      assert.equal(entry.state !== undefined, entry.reason !== undefined, `case ${entry.id}`);
      assert.ok(entry.as === undefined || ids.includes(entry.as), `case ${entry.id}`);
    }
  });

  it('is what the tests say', async function () {
    this.timeout(60_000);
    const results = runCases();
    assert.deepEqual(
      results.filter(({ title, passed }) => !passed && caseOf(title) !== undefined),
      [],
    );
    const table = await formatConformance(cases, results);
    assert.ok(
      readFileSync(CONFORMANCE_FILE, 'utf8') === table,
      'docs/conformance.md is not of now: npm run conformance',
    );
  });

  it('cannot be made when tests and cases do not agree', async () => {
    const entry: OmaCaseEntry = { id: 203, title: 'Read', role: 'C', priority: 1 };
    const passed = { title: 'OMA 203 Read as TLV', passed: true };
    assert.throws(() => statesOf([entry], []), /203 has neither/);
    assert.throws(() => statesOf([entry], [passed, { title: 'OMA 9999 What', passed: true }]), /no OMA case 9999/);
    assert.throws(() => statesOf([{ ...entry, state: 'not yet', reason: 'x' }], [passed]), /203 has tests after all/);
    const failed = { title: 'OMA 203 Read of much', passed: false };
    assert.equal(statesOf([entry], [passed, failed]).get(203), 'fails');
    assert.equal(statesOf([entry], [passed]).get(203), 'passes');
    assert.match(await formatConformance([entry], [passed, failed]), /\| fails +\| OMA 203 Read of much \|/);
  });
});
