import { setTimeout as wait } from 'node:timers/promises';
import { CoapCode, formatCode } from '../src/coap';
import { registerDatagram } from './datagrams';
import { Peers } from './peers';
import { count, quantile, type Row } from './rows';
import { Subject } from './subject';

const DEVICES = 10_000;
const SOCKETS = 5_000;
/** Registrations under way at a time: what the socket of the server holds. */
const AT_ONCE = 1_000;
const MAX_SECONDS = 60;
const PRIORITIES = ['low', 'normal', 'high'] as const;
/** What else goes on in the process during the storms: blocks of so many ms, with so many between. */
const BLOCKS = [300, 500];
const PAUSE = 20;
/** After which a server has forgotten how late it was, ms. */
const CALM = 2_000;

type Priority = (typeof PRIORITIES)[number];

/** What became of the devices of one priority: how long each took, ms, and how many were put off. */
interface Fate {
  readonly served: number[];
  putOff: number;
}

interface Storm {
  readonly seconds: number;
  readonly fates: Readonly<Record<Priority, Fate>>;
}

function priorityOf(n: number): Priority {
  return PRIORITIES[n % PRIORITIES.length] ?? 'normal';
}

/** All devices register at once, as when the power is back. */
async function storm(peers: Peers): Promise<Storm> {
  const fate = (): Fate => ({ served: [], putOff: 0 });
  const fates = { low: fate(), normal: fate(), high: fate() };
  const began = performance.now();
  await peers.exchange(
    DEVICES,
    AT_ONCE,
    (n, _socket, messageId) => registerDatagram(`lamp-${n}`, messageId),
    (_socket, answer, n, ms) => {
      const code = answer[1] ?? 0;
      const { served } = fates[priorityOf(n)];
      if (code === CoapCode.Created) served.push(ms);
      else if (code === CoapCode.ServiceUnavailable) fates[priorityOf(n)].putOff += 1;
      else throw new Error(`a registration was answered ${formatCode(code)}`);
    },
  );
  return { seconds: (performance.now() - began) / 1000, fates };
}

function calmRows({ seconds, fates }: Storm): Row[] {
  const served = PRIORITIES.flatMap((priority) => fates[priority].served);
  return [
    {
      what: `a storm of ${count(DEVICES)} registrations, durable store: served`,
      measured: `${count(served.length)} in ${seconds.toFixed(1)} s`,
      goal: `all in ${MAX_SECONDS} s`,
      reached: served.length === DEVICES && seconds <= MAX_SECONDS,
    },
    {
      what: `its time to answer, ${count(AT_ONCE)} at a time, p50 / p99`,
      measured: `${quantile(served, 0.5).toFixed(0)} / ${quantile(served, 0.99).toFixed(0)} ms`,
    },
  ];
}

function overloadRows(block: number, { fates }: Storm): Row[] {
  const part = ({ putOff, served }: Fate) => `${count(putOff)} of ${count(putOff + served.length)}`;
  const putOff = PRIORITIES.map((priority) => part(fates[priority])).join(' / ');
  return [
    {
      what: `the same while the event loop is blocked ${block} ms at a time: put off, low / normal / high`,
      measured: putOff,
      goal: 'no high',
      reached: fates.high.putOff === 0,
    },
    {
      what: 'time to answer those of high priority, p99',
      measured: `${quantile(fates.high.served, 0.99).toFixed(0)} ms`,
    },
  ];
}

/**
 * 10,000 devices, a third of each priority, that come back all at once: to a server that has nothing else to do, and to one
 * in which something else blocks the event loop. Those that are put off would come again after Max-Age; they do not here.
 */
export async function measureStorm(): Promise<Row[]> {
  const subject = Subject.start('engine-sqlite');
  try {
    const peers = await Peers.open(SOCKETS, await subject.ask<number>('listen'));
    const records = Array.from({ length: DEVICES }, (_unused, n) => ({
      endpoint: `lamp-${n}`,
      priority: priorityOf(n),
    }));
    await subject.ask('provision', records);
    const rows = calmRows(await storm(peers));
    for (const block of BLOCKS) {
      await wait(CALM);
      await subject.ask('blockLoop', { block, pause: PAUSE });
      rows.push(...overloadRows(block, await storm(peers)));
      await subject.ask('releaseLoop');
    }
    peers.close();
    return rows;
  } finally {
    await subject.stop();
  }
}
