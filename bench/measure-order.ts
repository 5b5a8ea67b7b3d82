import type { AccessSettings } from '../src/index';
import { answerTo, registerDatagram } from './datagrams';
import type { ListFigures, OrderFigures } from './engine-subject';
import type { LoopDelay } from './loop-watch';
import { Peers } from './peers';
import { count, gibibytes, median, type Row } from './rows';
import { Subject } from './subject';

const DEVICES = 10_000;
const ORDERS = 3;
const LISTS = 5;
const MAX_DELAY_MS = 50;
/** ms from one look at the event loop to the next. */
const RESOLUTION = 10;
/** The same where single blocks are looked for. */
const FINE_RESOLUTION = 1;

const SUPERVISOR = 'sakura';
/** One role of many has the right; others are named who have not. */
const ACCESS: AccessSettings = {
  roles: [
    { name: 'supervisor', operations: ['read', 'write'], target: 'ep=lamp-*', paths: ['/3', '/3311', '/3301/*/5700'] },
    { name: 'visitor', operations: ['read'], target: 'ep=lamp-1*', paths: ['/3311'] },
  ],
  users: [
    { name: SUPERVISOR, roles: ['visitor', 'supervisor'] },
    { name: 'tom', roles: ['visitor'] },
  ],
};
/** Whose values are known beside the one that was ordered, when devices are listed. */
const KNOWN = ['/3/0/0', '/3/0/9', '/3311/0/5850', '/3311/0/5851', '/3301/0/5700'];

/** A server with 10,000 lamps that answer. */
async function withLamps<T>(
  program: string,
  sockets: number,
  work: (subject: Subject, peers: Peers) => Promise<T>,
): Promise<T> {
  const subject = Subject.start(program);
  try {
    const peers = await Peers.open(sockets, await subject.ask<number>('listen'));
    try {
      await peers.exchange(DEVICES, 200, (n, _socket, messageId) => registerDatagram(`lamp-${n}`, messageId));
      peers.onRequest((socketIndex, request) => peers.sendFrom(socketIndex, answerTo(request).answer));
      return await work(subject, peers);
    } finally {
      peers.close();
    }
  } finally {
    await subject.stop();
  }
}

function confirmedRow(what: string, orders: readonly OrderFigures[]): Row {
  const succeeded = orders.reduce((sum, order) => sum + order.succeeded, 0);
  const total = orders.reduce((sum, order) => sum + order.total, 0);
  return {
    what,
    measured: `${count(succeeded)} of ${count(total)}`,
    goal: 'all',
    reached: succeeded === orders.length * DEVICES,
  };
}

function delayRow(what: string, ms: number): Row {
  return { what, measured: `${ms.toFixed(0)} ms`, goal: `< ${MAX_DELAY_MS} ms`, reached: ms < MAX_DELAY_MS };
}

/** One order ("on") to 10,000 lamps behind 1,000 sockets. */
export function measureOrder(): Promise<Row[]> {
  return withLamps('engine', 1_000, async (subject) => {
    let figures: OrderFigures = { total: 0, succeeded: 0, p50: NaN, p99: NaN };
    const cpu = await subject.cpuDuring(async () => {
      figures = await subject.ask<OrderFigures>('orderAll');
    });
    return [
      confirmedRow('a group order to 10,000 devices: confirmed', [figures]),
      { what: 'its time to confirm, p50 / p99', measured: `${figures.p50.toFixed(0)} / ${figures.p99.toFixed(0)} ms` },
      { what: 'its cost', measured: `${count(DEVICES / cpu)} writes /CPU-s` },
    ];
  });
}

/** Does something in the subject and gives back with it how late its event loop was meanwhile. */
async function watched<T>(subject: Subject, resolution: number, work: () => Promise<T>): Promise<[T, LoopDelay]> {
  await subject.ask('watchLoop', resolution);
  const done = await Promise.race([work(), subject.died]);
  return [done, await subject.ask<LoopDelay>('loopDelay')];
}

/**
 * Orders to 10,000 lamps as a town has them: with the durable store, rights, the audit trail and somebody who hears all
 * events. Then the same lamps are listed.
 */
export function measureTown(note: (text: string) => void): Promise<Row[]> {
  return withLamps('engine-sqlite', 5_000, async (subject) => {
    await subject.ask('supervise', ACCESS);
    return [...(await ordersOfTown(subject, note)), ...(await listsOfTown(subject, note))];
  });
}

async function ordersOfTown(subject: Subject, note: (text: string) => void): Promise<Row[]> {
  const orders: OrderFigures[] = [];
  const delays: LoopDelay[] = [];
  for (let n = 0; n < ORDERS; n++) {
    const [order, delay] = await watched(subject, RESOLUTION, () => subject.ask<OrderFigures>('orderAll', SUPERVISOR));
    note(
      `  confirmed p99 ${order.p99.toFixed(0)} ms; event loop p99 ${delay.p99.toFixed(1)}, at most ${delay.longest.toFixed(1)} ms`,
    );
    orders.push(order);
    delays.push(delay);
  }
  const resident = await subject.ask<number>('residentPeak');
  const heap = await subject.ask<number>('heap');
  const audited = await subject.ask<number>('audited', SUPERVISOR);
  if (audited !== DEVICES) throw new Error(`the audit trail has ${audited} entries of the last order`);
  const middle = (pick: (order: OrderFigures) => number) => median(orders.map(pick)).toFixed(0);
  return [
    confirmedRow(`the same with rights, audit and durable store, ${ORDERS} times: confirmed`, orders),
    {
      what: 'its time to confirm, p50 / p99',
      measured: `${middle(({ p50 }) => p50)} / ${middle(({ p99 }) => p99)} ms`,
    },
    delayRow('delay of the event loop meanwhile, p99 (of the worst)', Math.max(...delays.map(({ p99 }) => p99))),
    { what: 'the longest', measured: `${Math.max(...delays.map(({ longest }) => longest)).toFixed(0)} ms` },
    { what: 'resident memory at most / heap after it', measured: `${gibibytes(resident)} / ${gibibytes(heap)}` },
  ];
}

async function listsOfTown(subject: Subject, note: (text: string) => void): Promise<Row[]> {
  for (const path of KNOWN) {
    const read = await subject.ask<number>('readAll', { path, user: SUPERVISOR });
    if (read !== DEVICES) throw new Error(`${path} was read of ${read} devices`);
  }
  const values = await subject.ask<number>('values');
  const rows: Row[] = [];
  for (const user of [undefined, SUPERVISOR]) {
    const lists: ListFigures[] = [];
    const delays: LoopDelay[] = [];
    for (let n = 0; n < LISTS; n++) {
      const [list, delay] = await watched(subject, FINE_RESOLUTION, () => subject.ask<ListFigures>('list', user));
      note(`  listed in ${list.ms.toFixed(0)} ms; longest block ${delay.longest.toFixed(1)} ms`);
      if (list.devices !== DEVICES) throw new Error(`${list.devices} devices were listed`);
      lists.push(list);
      delays.push(delay);
    }
    const what =
      user === undefined
        ? `lwm2m-devices, 10,000 devices with ${count(values)} values`
        : 'the same, only what a user may read';
    rows.push(
      { what, measured: `${median(lists.map(({ ms }) => ms)).toFixed(0)} ms` },
      delayRow('the longest block of the event loop meanwhile', Math.max(...delays.map(({ longest }) => longest))),
    );
  }
  return rows;
}
