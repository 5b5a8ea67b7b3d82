import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import { measureHeap, measureLargeRegistry } from './measure-fleet';
import { measureOrder } from './measure-order';
import { measureThroughput, type Throughput } from './measure-throughput';

/** One line of the table: what was measured, and what it was to reach. */
export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly goal?: string;
  readonly reached?: boolean;
}

const ROUNDS = 3;

function perSecond(value: number): string {
  return `${Math.round(value).toLocaleString('en-US')} /CPU-s`;
}

function ratioRow(what: string, value: number, goal: number): Row {
  return { what, measured: value.toFixed(2), goal: `>= ${goal}`, reached: value >= goal };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/** The median over the rounds; a ratio is taken within a round, where both saw the same noise. */
function throughputRows(rounds: readonly Throughput[]): Row[] {
  const middle = (pick: (round: Throughput) => number) => median(rounds.map(pick));
  return [
    { what: 'bare dgram echo', measured: perSecond(middle((r) => r.echo)) },
    { what: 'registrations, node-coap', measured: perSecond(middle((r) => r.nodeCoap.registrations)) },
    { what: 'registrations', measured: perSecond(middle((r) => r.engine.registrations)) },
    ratioRow(
      'registrations / echo',
      middle((r) => r.engine.registrations / r.echo),
      0.55,
    ),
    ratioRow(
      'registrations / node-coap',
      middle((r) => r.engine.registrations / r.nodeCoap.registrations),
      3,
    ),
    { what: 'updates', measured: perSecond(middle((r) => r.engine.updates)) },
    { what: 'updates / echo', measured: middle((r) => r.engine.updates / r.echo).toFixed(2) },
    { what: 'reads, node-coap', measured: perSecond(middle((r) => r.nodeCoap.reads)) },
    { what: 'reads', measured: perSecond(middle((r) => r.engine.reads)) },
    ratioRow(
      'reads / node-coap',
      middle((r) => r.engine.reads / r.nodeCoap.reads),
      5,
    ),
    { what: 'confirmable notifications, node-coap', measured: perSecond(middle((r) => r.nodeCoap.notifications)) },
    { what: 'confirmable notifications', measured: perSecond(middle((r) => r.engine.notifications)) },
    { what: 'notifications / echo', measured: middle((r) => r.engine.notifications / r.echo).toFixed(2) },
  ];
}

function table(rows: readonly Row[]): string {
  const cells = rows.map(({ what, measured, goal = '', reached }) => [
    what,
    measured,
    goal,
    reached === undefined ? '' : reached ? 'yes' : 'NO',
  ]);
  const head = ['what', 'measured', 'to reach', 'reached'];
  const widths = head.map((text, column) => Math.max(text.length, ...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) => `| ${row.map((text, i) => text.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...cells.map(line)].join('\n');
}

/** Puts the table between the markers of docs/benchmarks.md. */
function keep(text: string): void {
  const file = path.join(__dirname, '..', 'docs', 'benchmarks.md');
  const stamp = `${new Date().toISOString().slice(0, 10)}, Node.js ${process.version}, ${availableParallelism()} cores of ${cpus()[0]?.model ?? 'unknown'}`;
  const page = readFileSync(file, 'utf8');
  const kept = page.replace(/(<!-- run -->)[\s\S]*(<!-- end -->)/, `$1\n${stamp}\n\n${text}\n$2`);
  if (kept === page && !page.includes('<!-- run -->')) throw new Error(`${file} has lost its markers`);
  writeFileSync(file, kept);
}

async function main(): Promise<void> {
  const note = (text: string) => process.stderr.write(`${text}\n`);
  const rounds: Throughput[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    note(`throughput, round ${round} of ${ROUNDS}`);
    rounds.push(await measureThroughput());
  }
  note('memory');
  const heap = await measureHeap();
  note('a large registry');
  const large = await measureLargeRegistry();
  note('an order to 10,000 devices');
  const order = await measureOrder();
  const text = table([...throughputRows(rounds), ...heap, ...large, ...order]);
  process.stdout.write(`${text}\n`);
  keep(text);
}

void main();
