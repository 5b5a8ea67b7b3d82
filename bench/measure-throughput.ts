import { answerTo, isRequest, locationOf, notificationDatagram, registerDatagram, updateDatagram } from './datagrams';
import { Peers } from './peers';
import { Subject } from './subject';

/** Requests per CPU-second of the subject's main thread. */
export interface Throughput {
  readonly echo: number;
  readonly nodeCoap: { registrations: number; reads: number; notifications: number };
  readonly engine: { registrations: number; updates: number; reads: number; notifications: number };
}

const SOCKETS = 100;
const WINDOW = 200;
const WARM_UP = 5_000;
const TOTAL = 30_000;

async function registrations(subject: Subject, peers: Peers): Promise<number> {
  const register = (prefix: string) => (n: number, _socket: number, messageId: number) =>
    registerDatagram(`${prefix}-${n}`, messageId);
  await peers.exchange(WARM_UP, WINDOW, register('warm'));
  const cpu = await subject.cpuDuring(async () => {
    await peers.exchange(TOTAL, WINDOW, register('device'));
  });
  return TOTAL / cpu;
}

async function updates(subject: Subject, peers: Peers): Promise<number> {
  const answers = await peers.exchange(SOCKETS, SOCKETS, (n, _socket, messageId) =>
    registerDatagram(`updating-${n}`, messageId),
  );
  const locations = new Map(answers.map(({ socketIndex, datagram }) => [socketIndex, locationOf(datagram)]));
  const update = (_n: number, socket: number, messageId: number) =>
    updateDatagram(locations.get(socket) ?? '', messageId);
  await peers.exchange(WARM_UP, WINDOW, update);
  const cpu = await subject.cpuDuring(async () => {
    await peers.exchange(TOTAL, WINDOW, update);
  });
  return TOTAL / cpu;
}

/** The peers answer requests like devices; gives the tokens of their observations, by socket. */
function answerRequests(peers: Peers): Map<number, Buffer> {
  const observed = new Map<number, Buffer>();
  peers.onDatagram((socketIndex, datagram, from) => {
    if (!isRequest(datagram)) return;
    const { answer, observed: token } = answerTo(datagram);
    if (token !== undefined) observed.set(socketIndex, token);
    peers.port = from;
    peers.sendFrom(socketIndex, answer);
  });
  return observed;
}

async function reads(subject: Subject, peers: Peers, who: object): Promise<number> {
  answerRequests(peers);
  await subject.ask('read', { ...who, total: WARM_UP, window: SOCKETS });
  const cpu = await subject.cpuDuring(() => subject.ask('read', { ...who, total: TOTAL, window: SOCKETS }));
  return TOTAL / cpu;
}

async function notifications(subject: Subject, peers: Peers, who: object): Promise<number> {
  const tokens = answerRequests(peers);
  await subject.ask('observe', who);
  let observe = 2;
  const notify = (n: number, socket: number, messageId: number) => {
    if (n % SOCKETS === 0) observe += 1;
    return notificationDatagram(tokens.get(socket) ?? Buffer.alloc(0), observe, messageId);
  };
  await peers.exchange(WARM_UP, WINDOW, notify);
  const cpu = await subject.cpuDuring(async () => {
    await peers.exchange(TOTAL, WINDOW, notify);
  });
  return TOTAL / cpu;
}

/** Starts a subject of its own for one measurement, so that none inherits the heap of the one before. */
async function withSubject<T>(name: string, measure: (subject: Subject, peers: Peers) => Promise<T>): Promise<T> {
  const subject = Subject.start(name);
  const peers = await Peers.open(SOCKETS, await subject.ask<number>('listen'));
  try {
    return await measure(subject, peers);
  } finally {
    peers.close();
    await subject.stop();
  }
}

/** Registers one device a socket, for the measurements that talk to registered devices. */
async function registerOneEach(peers: Peers): Promise<string[]> {
  await peers.exchange(SOCKETS, SOCKETS, (n, _socket, messageId) => registerDatagram(`lamp-${n}`, messageId));
  return Array.from({ length: SOCKETS }, (_unused, n) => `lamp-${n}`);
}

export async function measureThroughput(): Promise<Throughput> {
  const echo = await withSubject('echo', registrations);
  const nodeCoap = {
    registrations: await withSubject('node-coap', registrations),
    reads: await withSubject('node-coap', (subject, peers) => reads(subject, peers, { ports: peers.ports })),
    notifications: await withSubject('node-coap', (subject, peers) =>
      notifications(subject, peers, { ports: peers.ports }),
    ),
  };
  const engine = {
    registrations: await withSubject('engine', registrations),
    updates: await withSubject('engine', updates),
    reads: await withSubject('engine', async (subject, peers) =>
      reads(subject, peers, { endpoints: await registerOneEach(peers) }),
    ),
    notifications: await withSubject('engine', async (subject, peers) => {
      await registerOneEach(peers);
      return notifications(subject, peers, {});
    }),
  };
  return { echo, nodeCoap, engine };
}
