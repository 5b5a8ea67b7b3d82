import { compare, contender } from './contender';
import { registerDatagram } from './datagrams';
import { registrations } from './measure-throughput';
import { Peers } from './peers';
import { median, type Row } from './rows';
import { Subject } from './subject';

const WINDOW = 200;
const SOCKETS = 1_000;
const MAX_BYTES = 2_560;
const MAX_COST_RATIO = 1.3;
const ROUNDS = 3;

function register(peers: Peers, prefix: string, count: number): Promise<void> {
  return peers.exchange(count, WINDOW, (n, _socket, messageId) => registerDatagram(`${prefix}-${n}`, messageId));
}

/** Heap a registered device, the channel and what its last exchange leaves behind included. */
async function heapOf(count: number): Promise<Row> {
  const subject = Subject.start('engine');
  // Every device has a port of its own where that is possible: a channel each is what costs memory.
  const peers = await Peers.open(Math.min(count, 5_000), await subject.ask<number>('listen'));
  await register(peers, 'warm', 100);
  const before = await subject.ask<number>('heap');
  await register(peers, 'device', count);
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

/**
 * What a registration costs when 100,000 devices are there, against 1,000. Both servers have handled as many
 * registrations before, so that their code is as warm and they remember as many exchanges: what differs is the registry.
 */
export async function measureLargeRegistry(note: (text: string) => void): Promise<Row[]> {
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const both = await Promise.all([
      contender('small', 'engine', registrations(1_000), SOCKETS),
      contender('large', 'engine', registrations(100_000), SOCKETS),
    ]);
    const rates = await compare(both, { warmUp: 100_000, slices: 10, slice: 10_000 });
    const ratio = (rates.get('small') ?? NaN) / (rates.get('large') ?? NaN);
    note(`  cost of a registration at 100,000 / at 1,000: ${ratio.toFixed(2)}`);
    ratios.push(ratio);
  }
  const ratio = median(ratios);
  return [
    {
      what: 'cost of a registration at 100,000 devices / at 1,000',
      measured: ratio.toFixed(2),
      goal: `<= ${MAX_COST_RATIO}`,
      reached: ratio <= MAX_COST_RATIO,
    },
  ];
}
