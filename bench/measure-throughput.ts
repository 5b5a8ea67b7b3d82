import { compare, contender, SOCKETS, type Comparison, type Contender } from './contender';
import { answerTo, isRequest, locationOf, notificationDatagram, registerDatagram, updateDatagram } from './datagrams';
import type { Peers } from './peers';
import type { Subject } from './subject';

/** Requests outstanding at a time. */
const WINDOW = 200;
/** A fleet whose devices register again and again. */
const FLEET = 20_000;
/** 100,000 requests each, 50,000 for node-coap, so that what a server keeps of past exchanges is there and is collected. */
const COMPARISON: Comparison = { warmUp: 10_000, slices: 5, slice: 20_000 };

/**
 * Registrations of the endpoints of a fleet in turn: the first pass is of new ones, all others are of devices that
 * register anew. Of an endless fleet all are new.
 */
export function registrations(fleet: number) {
  return (_subject: Subject, peers: Peers) => {
    let registered = 0;
    return Promise.resolve((total: number) =>
      peers.exchange(total, WINDOW, (_n, _socket, messageId) =>
        registerDatagram(`lamp-${registered++ % fleet}`, messageId),
      ),
    );
  };
}

async function updates(_subject: Subject, peers: Peers) {
  const locations = new Map<number, string>();
  await peers.exchange(
    SOCKETS,
    SOCKETS,
    (n, _socket, messageId) => registerDatagram(`lamp-${n}`, messageId),
    (socket, answer) => locations.set(socket, locationOf(answer)),
  );
  return (total: number) =>
    peers.exchange(total, WINDOW, (_n, socket, messageId) => updateDatagram(locations.get(socket) ?? '', messageId));
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

/** Whom to talk to: node-coap knows its peers by their ports, the engine by the endpoints that they register. */
type Introduce = (peers: Peers) => Promise<object>;

const byPort: Introduce = (peers) => Promise.resolve({ ports: peers.ports });

const byEndpoint: Introduce = async (peers) => {
  await peers.exchange(SOCKETS, SOCKETS, (n, _socket, messageId) => registerDatagram(`lamp-${n}`, messageId));
  return { endpoints: Array.from({ length: SOCKETS }, (_unused, n) => `lamp-${n}`) };
};

function reads(introduce: Introduce) {
  return async (subject: Subject, peers: Peers) => {
    const who = await introduce(peers);
    answerRequests(peers);
    return (total: number) => subject.ask<void>('read', { ...who, total, window: SOCKETS });
  };
}

function notifications(introduce: Introduce) {
  return async (subject: Subject, peers: Peers) => {
    const who = await introduce(peers);
    const tokens = answerRequests(peers);
    await subject.ask('observe', who);
    let sent = 0;
    return async (total: number) => {
      await peers.exchange(total, WINDOW, (_n, socket, messageId) => {
        const sequence = 2 + Math.floor(sent++ / SOCKETS);
        return notificationDatagram(tokens.get(socket) ?? Buffer.alloc(0), sequence, messageId);
      });
      const heard = await subject.ask<number>('notified');
      // node-coap hands two that come at once to its listener as one.
      if (heard < sent * 0.99) throw new Error(`the listeners heard ${heard} of ${sent} notifications`);
    };
  };
}

/** The contenders of each comparison; the echo gets the same datagrams as the servers. */
const COMPARISONS: Readonly<Record<string, () => Promise<Contender>[]>> = {
  requests: () => [
    contender('echo', 'echo', registrations(FLEET)),
    contender('registrations, node-coap', 'node-coap', registrations(FLEET)),
    contender('registrations', 'engine', registrations(FLEET)),
    contender('first registrations', 'engine', registrations(Infinity)),
    contender('updates', 'engine', updates),
    contender('confirmable notifications, node-coap', 'node-coap', notifications(byPort)),
    contender('confirmable notifications', 'engine', notifications(byEndpoint)),
  ],
  reads: () => [
    contender('reads, node-coap', 'node-coap', reads(byPort)),
    contender('reads', 'engine', reads(byEndpoint)),
  ],
};

/** One round: requests per CPU-second of every contender, each in a fresh process. */
export async function measureThroughput(note: (text: string) => void): Promise<Map<string, number>> {
  const rates = new Map<string, number>();
  for (const start of Object.values(COMPARISONS)) {
    for (const [name, rate] of await compare(await Promise.all(start()), COMPARISON)) {
      note(`  ${name}: ${Math.round(rate).toLocaleString('en-US')} /CPU-s`);
      rates.set(name, rate);
    }
  }
  return rates;
}
