import { Peers } from './peers';
import { Subject } from './subject';

/** How many sockets play devices, when a comparison does not say. */
export const SOCKETS = 100;

/** A program with a load prepared for it: what is compared, slice by slice. */
export interface Contender {
  readonly name: string;
  readonly subject: Subject;
  readonly peers: Peers;
  /** Puts so many requests through it. */
  readonly run: (total: number) => Promise<void>;
  /** What part of the requests it gets: a slow one takes as long with fewer. */
  readonly share: number;
}

/** So that a round takes no longer than it must; its rate is steady long before. */
const SHARES: Readonly<Record<string, number>> = { 'node-coap': 0.5 };

/** Starts a subject with its peers; `prepare` makes the load. */
export async function contender(
  name: string,
  program: string,
  prepare: (subject: Subject, peers: Peers) => Promise<(total: number) => Promise<void>>,
  sockets = SOCKETS,
): Promise<Contender> {
  const subject = Subject.start(program);
  const peers = await Peers.open(sockets, await subject.ask<number>('listen'));
  return { name, subject, peers, run: await prepare(subject, peers), share: SHARES[program] ?? 1 };
}

export interface Comparison {
  readonly warmUp: number;
  readonly slices: number;
  /** Requests a slice. */
  readonly slice: number;
}

/**
 * Requests per CPU-second of each contender. They take turns, a slice each, so that all see the same noise of the
 * machine; what a contender needs is summed up over its slices, collections of garbage and all.
 */
export async function compare(
  contenders: readonly Contender[],
  { warmUp, slices, slice }: Comparison,
): Promise<Map<string, number>> {
  const spent = new Map<string, number>();
  try {
    for (const { run } of contenders) await run(warmUp);
    for (let n = 0; n < slices; n++) {
      for (const { name, subject, run, share } of contenders) {
        const cpu = await subject.cpuDuring(() => run(slice * share));
        spent.set(name, (spent.get(name) ?? 0) + cpu / share);
      }
    }
  } finally {
    for (const { subject, peers } of contenders) {
      peers.close();
      await subject.stop();
    }
  }
  return new Map([...spent].map(([name, cpu]) => [name, (slices * slice) / cpu]));
}
