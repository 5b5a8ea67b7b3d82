import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { contender, type Contender } from './contender';
import { registerDatagram } from './datagrams';
import { registrations } from './measure-throughput';
import { Peers } from './peers';
import { gibibytes, median, type Row } from './rows';
import { Subject } from './subject';

const FLEET = 20_000;
const WARM_UP = 20_000;
const SLICES = 5;
const SLICE = 20_000;
const MIN_RATIO = 0.7;

const STORED = 100_000;
const MAX_START_SECONDS = 3;
const MAX_RESIDENT_GIB = 1.5;

/** Seconds. */
interface Spent {
  mainThread: number;
  cpu: number;
  wall: number;
}

async function spentOn({ subject, run }: Contender, total: number): Promise<Spent> {
  const clocks = async () => ({
    mainThread: await subject.ask<number>('mainThread'),
    cpu: await subject.ask<number>('cpu'),
    wall: performance.now() / 1000,
  });
  const before = await clocks();
  await Promise.race([run(total), subject.died]);
  const after = await clocks();
  return {
    mainThread: after.mainThread - before.mainThread,
    cpu: after.cpu - before.cpu,
    wall: after.wall - before.wall,
  };
}

/**
 * Registrations with the durable store against the one in memory. The main thread is what bounds a server; the worker of
 * the store has a core of its own where there is one.
 */
export async function measureStore(note: (text: string) => void): Promise<Row[]> {
  const memory = await contender('memory', 'engine', registrations(FLEET));
  const durable = await contender('durable', 'engine-sqlite', registrations(FLEET));
  const ratios: Record<keyof Spent, number[]> = { mainThread: [], cpu: [], wall: [] };
  try {
    for (const { run } of [memory, durable]) await run(WARM_UP);
    for (let slice = 1; slice <= SLICES; slice++) {
      const before = await spentOn(memory, SLICE);
      const after = await spentOn(durable, SLICE);
      for (const clock of ['mainThread', 'cpu', 'wall'] as const) ratios[clock].push(before[clock] / after[clock]);
      const rate = (seconds: number) => Math.round(SLICE / seconds).toLocaleString('en-US');
      note(
        `  durable: ${rate(after.mainThread)} /s of the main thread, ${rate(after.cpu)} /CPU-s, ${rate(after.wall)} /s; ` +
          `in memory: ${rate(before.mainThread)}, ${rate(before.cpu)}, ${rate(before.wall)}`,
      );
    }
  } finally {
    for (const { subject, peers } of [memory, durable]) {
      peers.close();
      await subject.stop();
    }
  }
  const ratio = median(ratios.mainThread);
  return [
    {
      what: 'registrations, durable store / in memory, of the main thread',
      measured: ratio.toFixed(2),
      goal: `>= ${MIN_RATIO}`,
      reached: ratio >= MIN_RATIO,
    },
    {
      what: 'registrations, durable store / in memory, of all threads',
      measured: median(ratios.cpu).toFixed(2),
    },
    { what: 'registrations, durable store / in memory, on the clock', measured: median(ratios.wall).toFixed(2) },
  ];
}

/** How long a server takes to start that finds many registrations in its store, and what it needs then. */
export async function measureStart(): Promise<Row[]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'lwm2m-bench-'));
  try {
    const before = Subject.start('engine-sqlite', [directory]);
    const peers = await Peers.open(1_000, await before.ask<number>('listen'));
    await peers.exchange(STORED, 200, (n, _socket, messageId) => registerDatagram(`lamp-${n}`, messageId));
    peers.close();
    // As a machine does that loses its power: the start has the log to read, too.
    await before.stop();

    const after = Subject.start('engine-sqlite', [directory]);
    await after.ask('cpu');
    const began = performance.now();
    await after.ask('listen');
    const seconds = (performance.now() - began) / 1000;
    const resident = await after.ask<number>('residentBytes');
    await after.stop();
    const stored = STORED.toLocaleString('en-US');
    return [
      {
        what: `start with ${stored} stored registrations`,
        measured: `${seconds.toFixed(1)} s`,
        goal: `< ${MAX_START_SECONDS} s`,
        reached: seconds < MAX_START_SECONDS,
      },
      {
        what: 'resident memory after it',
        measured: gibibytes(resident),
        goal: `<= ${MAX_RESIDENT_GIB} GiB`,
        reached: resident <= MAX_RESIDENT_GIB * 2 ** 30,
      },
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
