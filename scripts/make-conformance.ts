/**
 * Runs the tests of the OMA cases and writes what they say to docs/conformance.md:
 *
 *     npm run conformance
 */
import { writeFileSync } from 'node:fs';
import { CONFORMANCE_FILE, formatConformance, readCases, runCases, statesOf } from './conformance';

async function makeConformance(): Promise<void> {
  const cases = readCases();
  const results = runCases();
  writeFileSync(CONFORMANCE_FILE, await formatConformance(cases, results));
  const fails = [...statesOf(cases, results)].filter(([, state]) => state === 'fails').map(([id]) => id);
  console.log(`${results.length} tests of ${cases.length} cases: ${CONFORMANCE_FILE}`);
  if (fails.length === 0) return;
  console.error(`these fail: ${fails.join(', ')}`);
  process.exitCode = 1;
}

void makeConformance();
