import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import { measureCodecs, measureHostileInputs } from './measure-codecs';
import { measureDtls } from './measure-dtls';
import { measureHeap, measureLargeRegistry } from './measure-fleet';
import { measureOrder, measureTown } from './measure-order';
import { measureSleepers } from './measure-sleepers';
import { measureStart, measureStore } from './measure-store';
import { measureStorm } from './measure-storm';
import { measureThroughput } from './measure-throughput';
import { median, table, type Row } from './rows';

const ROUNDS = 3;

/** The median over the rounds; a ratio is taken within a round, in which all took turns. */
function throughputRows(rounds: readonly ReadonlyMap<string, number>[]): Row[] {
  const rate = (name: string): Row => {
    const perSecond = median(rounds.map((round) => round.get(name) ?? NaN));
    return { what: name, measured: `${Math.round(perSecond).toLocaleString('en-US')} /CPU-s` };
  };
  const ratio = (name: string, to: string, goal?: number): Row => {
    const value = median(rounds.map((round) => (round.get(name) ?? NaN) / (round.get(to) ?? NaN)));
    const row: Row = { what: `${name} / ${to}`, measured: value.toFixed(2) };
    return goal === undefined ? row : { ...row, goal: `>= ${goal}`, reached: value >= goal };
  };
  return [
    rate('echo'),
    rate('registrations, node-coap'),
    rate('registrations'),
    ratio('registrations', 'echo', 0.55),
    ratio('registrations', 'registrations, node-coap', 3),
    rate('first registrations'),
    ratio('first registrations', 'echo'),
    rate('updates'),
    ratio('updates', 'echo'),
    rate('reads, node-coap'),
    rate('reads'),
    ratio('reads', 'reads, node-coap', 5),
    ratio('reads', 'echo'),
    ratio('echo', 'reads, node-coap'),
    rate('confirmable notifications, node-coap'),
    rate('confirmable notifications'),
    ratio('confirmable notifications', 'echo'),
  ];
}

/** Puts the table between the markers of docs/benchmarks.md. */
function keep(text: string): void {
  const file = path.join(__dirname, '..', 'docs', 'benchmarks.md');
  const stamp = `${new Date().toISOString().slice(0, 10)}, Node.js ${process.version}, ${availableParallelism()} cores of ${cpus()[0]?.model ?? 'unknown'}`;
  const page = readFileSync(file, 'utf8');
  if (!/<!-- run -->[\s\S]*<!-- end -->/.test(page)) throw new Error(`${file} has lost its markers`);
  writeFileSync(
    file,
    page.replace(/(<!-- run -->)[\s\S]*(<!-- end -->)/, (_all, begin: string, end: string) =>
      [begin, '', stamp, '', text, '', end].join('\n'),
    ),
  );
}

type Note = (text: string) => void;

async function measureAllThroughput(note: Note): Promise<Row[]> {
  const rounds: Map<string, number>[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    note(`  round ${round} of ${ROUNDS}`);
    rounds.push(await measureThroughput(note));
  }
  return throughputRows(rounds);
}

/** What there is to measure, in the order of the table. */
const PARTS: Readonly<Record<string, (note: Note) => Row[] | Promise<Row[]>>> = {
  throughput: measureAllThroughput,
  heap: measureHeap,
  registry: measureLargeRegistry,
  store: measureStore,
  start: measureStart,
  storm: measureStorm,
  order: measureOrder,
  town: measureTown,
  sleepers: measureSleepers,
  dtls: measureDtls,
  codecs: measureCodecs,
  hostile: measureHostileInputs,
};

/** Measures all parts, or those that are named: `npm run bench -- storm town`. The page keeps a run of all. */
async function main(wanted: readonly string[]): Promise<void> {
  const unknown = wanted.filter((name) => !Object.hasOwn(PARTS, name));
  if (unknown.length > 0)
    throw new Error(`no part '${unknown.join("', '")}': there are ${Object.keys(PARTS).join(', ')}`);
  const began = performance.now();
  const note = (text: string) => process.stderr.write(`${Math.round((performance.now() - began) / 1000)} s: ${text}\n`);
  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(PARTS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    note(name);
    rows.push(...(await measure(note)));
  }
  const text = table(rows);
  process.stdout.write(`${text}\n`);
  if (wanted.length === 0) keep(text);
  note('done');
}

void main(process.argv.slice(2));
