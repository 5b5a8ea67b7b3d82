import { registerDatagram } from './datagrams';
import { Peers } from './peers';
import type { Row } from './run';
import { Subject } from './subject';

const WINDOW = 200;
const MAX_BYTES = 2_560;
const MAX_COST_RATIO = 1.3;

/** Registers devices `from`..`to`, a socket each thousand, and gives the CPU seconds that took. */
function register(subject: Subject, peers: Peers, prefix: string, count: number): Promise<number> {
  return subject.cpuDuring(async () => {
    await peers.exchange(count, WINDOW, (n, _socket, messageId) => registerDatagram(`${prefix}-${n}`, messageId));
  });
}

/** Heap a registered device, the channel and what its last exchange leaves behind included. */
async function heapOf(count: number): Promise<Row> {
  const subject = Subject.start('engine');
  // Every device has a port of its own where that is possible: a channel each is what costs memory.
  const peers = await Peers.open(Math.min(count, 5_000), await subject.ask<number>('listen'));
  await register(subject, peers, 'warm', 100);
  const before = await subject.ask<number>('heap');
  await register(subject, peers, 'device', count);
  const bytes = ((await subject.ask<number>('heap')) - before) / count;
  peers.close();
  await subject.stop();
  return {
    what: `heap a device, ${count.toLocaleString('en-US')} registered just now`,
    measured: `${Math.round(bytes)} B`,
    goal: `<= ${MAX_BYTES} B`,
    reached: bytes <= MAX_BYTES,
  };
}

export async function measureHeap(): Promise<Row[]> {
  return [await heapOf(10_000), await heapOf(100_000)];
}

/** What one more registration costs when 1,000 are there and when 100,000 are there. */
export async function measureLargeRegistry(): Promise<Row[]> {
  const sample = 10_000;
  const costAt = async (registered: number) => {
    const subject = Subject.start('engine');
    const peers = await Peers.open(1_000, await subject.ask<number>('listen'));
    await register(subject, peers, 'there', registered);
    // The same warm code in both cases: what differs is the size of the registry.
    await register(subject, peers, 'sample', sample);
    const cpu = await register(subject, peers, 'sample', sample);
    peers.close();
    await subject.stop();
    return cpu / sample;
  };
  const small = await costAt(1_000);
  const large = await costAt(100_000);
  return [
    {
      what: 'cost of a registration at 100,000 devices / at 1,000',
      measured: (large / small).toFixed(2),
      goal: `<= ${MAX_COST_RATIO}`,
      reached: large / small <= MAX_COST_RATIO,
    },
  ];
}
