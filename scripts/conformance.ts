/** What is known of each case of the OMA interoperability tests: test/server/oma/cases.json, and what its tests say. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';

const ROOT = join(__dirname, '..');
const CASES_FILE = join(ROOT, 'test/server/oma/cases.json');
const TESTS = 'test/server/oma/*.test.ts';
export const CONFORMANCE_FILE = join(ROOT, 'docs/conformance.md');

/** A case of the test specification (ETS INT 1.2), its title in our own words. */
export interface OmaCaseEntry {
  readonly id: number;
  readonly title: string;
  /** Who is judged: the server (S), the bootstrap server (BS), the client (C); empty where there is no procedure. */
  readonly role: string;
  /** 1 must, 2 should, 3 later. */
  readonly priority: number;
  /** The case that this one is the same as. */
  readonly as?: number;
  /** Why there are no tests. */
  readonly state?: 'not applicable' | 'not yet';
  readonly reason?: string;
  /** Of this project, where the rest is planned. */
  readonly issue?: number;
}

export interface TestResult {
  readonly title: string;
  readonly passed: boolean;
}

/** What the tests of one case say, or why there are none. */
export type State = 'passes' | 'fails' | 'not applicable' | 'not yet';

export function readCases(): OmaCaseEntry[] {
  return JSON.parse(readFileSync(CASES_FILE, 'utf8')) as OmaCaseEntry[];
}

/** Runs the tests of the cases. @throws {Error} they cannot be run at all. */
export function runCases(): TestResult[] {
  const directory = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    const output = join(directory, 'results.json');
    const mocha = require.resolve('mocha/bin/mocha.js');
    const reporter = ['--reporter', 'json', '--reporter-option', `output=${output}`];
    const run = spawnSync(process.execPath, ['--import', 'tsx', mocha, '--no-config', '--exit', ...reporter, TESTS], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    if (run.error !== undefined) throw run.error;
    return resultsOf(JSON.parse(readFileSync(output, 'utf8')) as MochaReport);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

interface MochaReport {
  readonly tests: readonly { readonly title: string; readonly err: object }[];
  readonly passes: readonly { readonly fullTitle: string }[];
  readonly failures: readonly { readonly title: string }[];
  readonly pending: readonly { readonly title: string }[];
}

/** A test that is skipped shows nothing, and does not pass. */
function resultsOf({ tests, failures, pending }: MochaReport): TestResult[] {
  const bad = new Set([...failures, ...pending].map(({ title }) => title));
  const titles = new Set([...tests.map(({ title }) => title), ...bad]);
  return [...titles].map((title) => ({ title, passed: !bad.has(title) }));
}

/** The case that a test is of: `OMA 203 Read the Device instance as TLV`. */
export function caseOf(title: string): number | undefined {
  const id = /^OMA ([0-9]+) /.exec(title)?.[1];
  return id === undefined ? undefined : Number(id);
}

/**
 * The state of every case.
 * @throws {Error} a test of a case that is not listed, or that is said to have none; a case that nothing is said of.
 */
export function statesOf(cases: readonly OmaCaseEntry[], results: readonly TestResult[]): Map<number, State> {
  const passed = new Map<number, boolean>();
  for (const result of results) {
    const id = caseOf(result.title);
    if (id !== undefined) passed.set(id, (passed.get(id) ?? true) && result.passed);
  }
  const known = new Map(cases.map((entry) => [entry.id, entry]));
  for (const id of passed.keys()) {
    const entry = known.get(id);
    if (entry === undefined) throw new Error(`there is no OMA case ${id}`);
    if (entry.state !== undefined || entry.as !== undefined) throw new Error(`OMA case ${id} has tests after all`);
  }
  const states = new Map<number, State>();
  for (const { id, as, state } of cases) {
    const ok = passed.get(as ?? id);
    if (state === undefined && ok === undefined) throw new Error(`OMA case ${id} has neither tests nor a reason`);
    states.set(id, state ?? (ok === true ? 'passes' : 'fails'));
  }
  return states;
}

const GROUPS: readonly (readonly [from: number, name: string])[] = [
  [0, 'Bootstrap'],
  [100, 'Registration'],
  [200, 'Device management'],
  [300, 'Information reporting'],
  [400, 'Security'],
  [500, 'Core objects'],
  [1000, 'Additional objects'],
];

const STATES: readonly State[] = ['passes', 'fails', 'not applicable', 'not yet'];

/** docs/conformance.md, as `npm run lint` wants it. */
export async function formatConformance(
  cases: readonly OmaCaseEntry[],
  results: readonly TestResult[],
): Promise<string> {
  const options = await resolveConfig(CONFORMANCE_FILE);
  return format(pageOf(cases, results), { ...options, parser: 'markdown' });
}

function pageOf(cases: readonly OmaCaseEntry[], results: readonly TestResult[]): string {
  const states = statesOf(cases, results);
  const count = (state: State, judged: (entry: OmaCaseEntry) => boolean): number =>
    cases.filter((entry) => states.get(entry.id) === state && judged(entry)).length;
  const isServer = ({ role }: OmaCaseEntry): boolean => role.split(', ').includes('S');
  const lines = [
    '# Conformance',
    '',
    '<!-- Made by `npm run conformance` from the tests in test/server/oma and from cases.json beside them. -->',
    '',
    'Measured by the cases of the OMA interoperability test specification for LwM2M 1.2 (ETS INT), told here in our own',
    'words. There is no official tool: each case is played with a scripted client that speaks bytes, and the tests compare',
    'every option and every byte that the server sends, and what it delivers. This is our own measurement, no certificate.',
    '',
    'Where the test specification prints something that LwM2M itself has otherwise (a POST for the write of a resource, an',
    'Observe of 1 to begin an observation, a 2.04 for a delete), the server does what LwM2M says.',
    '',
    `|  | ${STATES.join(' | ')} | all |`,
    '| --- | --- | --- | --- | --- | --- |',
    `| the server is judged | ${STATES.map((state) => count(state, isServer)).join(' | ')} | ${cases.filter(isServer).length} |`,
    `| all cases | ${STATES.map((state) => count(state, () => true)).join(' | ')} | ${cases.length} |`,
    '',
    'Judged: S the server, BS the bootstrap server, C the client, while the server drives it.',
  ];
  GROUPS.forEach(([from, name], index) => {
    const to = GROUPS[index + 1]?.[0] ?? Infinity;
    const group = cases.filter(({ id }) => id >= from && id < to);
    lines.push('', `## ${name}`, '', '| ID | case | judged | state | |', '| --- | --- | --- | --- | --- |');
    for (const entry of group) lines.push(formatRow(entry, states.get(entry.id) ?? 'fails', results));
  });
  return `${lines.join('\n')}\n`;
}

function formatRow(entry: OmaCaseEntry, state: State, results: readonly TestResult[]): string {
  return `| ${entry.id} | ${entry.title} | ${entry.role} | ${state} | ${remarkOf(entry, results)} |`;
}

function remarkOf({ id, as, state, reason = '', issue }: OmaCaseEntry, results: readonly TestResult[]): string {
  if (as !== undefined) return `the same as ${as}`;
  if (state !== undefined) return issue === undefined ? reason : `${reason} (issue ${issue})`;
  const failed = results.filter((result) => caseOf(result.title) === id && !result.passed);
  return failed.map(({ title }) => title).join('; ');
}
