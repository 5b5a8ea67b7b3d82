import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { CoapCode } from '../src/coap';
import { Suite, type DtlsClientOptions } from '../test/support/dtls-client';
import { registerDatagram } from './datagrams';
import { Exchange, openLink, openSecureLink, openSocket, secureLinkOn, type Link, type Load } from './link';
import { OpensslServer } from './openssl-server';
import { median, type Row } from './rows';
import { Subject } from './subject';

const ROUNDS = 3;
const AT_ONCE = 20;
const SESSIONS = 10_000;
const MAX_HANDSHAKE_MS = 0.5;
const MAX_SESSION_BYTES = 8 * 1024;
const MIN_REGISTRATION_RATIO = 0.5;

const KEY = randomBytes(16);
/** No connection id for the client, but the server's in what it sends: what a device that sleeps behind a NAT asks for. */
const NO_CONNECTION_ID = Buffer.alloc(0);

function pskOptions(identity: string): DtlsClientOptions {
  return { suite: Suite.pskCcm8, psk: { identity, key: KEY }, connectionId: NO_CONNECTION_ID };
}

/** Each device with a key pair of its own, as raw public key. */
function ecdsaOptions(): DtlsClientOptions {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = { kind: 'rpk', der: [publicKey.export({ format: 'der', type: 'spki' })], key } as const;
  return { suite: Suite.ecdsaCcm8, certificate, connectionId: NO_CONNECTION_ID };
}

/** Runs `work` for the numbers `from`..`to`, some at a time. */
async function each(from: number, to: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = from;
  const worker = async () => {
    while (next < to) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function withSubject<T>(name: string, work: (subject: Subject) => Promise<T>): Promise<T> {
  const subject = Subject.start(name);
  try {
    return await work(subject);
  } finally {
    await subject.stop();
  }
}

interface SessionCosts {
  /** CPU seconds a handshake. */
  readonly handshake: number;
  /** Bytes a session. */
  readonly heap: number;
  readonly resident: number;
}

/** What 10,000 devices cost that shake hands by PSK and then are there. */
function pskSessions(): Promise<SessionCosts> {
  const warmUp = 1_000;
  return withSubject('dtls', async (subject) => {
    const port = await subject.ask<number>('listen');
    const names = Array.from({ length: warmUp + SESSIONS }, (_unused, n) => `lamp-${n}`);
    await subject.ask('provision', { names, key: KEY.toString('hex') });
    const memory = () => subject.ask<{ heap: number; resident: number }>('memory');
    const connect = (from: number, to: number) =>
      each(from, to, async (n) => (await openSecureLink(n, port, pskOptions(`lamp-${n}`))).close());
    await connect(0, warmUp);
    const before = await memory();
    const cpu = await subject.cpuDuring(() => connect(warmUp, warmUp + SESSIONS));
    const after = await memory();
    const sessions = await subject.ask<number>('sessions');
    if (sessions !== warmUp + SESSIONS) throw new Error(`there are ${sessions} sessions`);
    return {
      handshake: cpu / SESSIONS,
      heap: (after.heap - before.heap) / SESSIONS,
      resident: (after.resident - before.resident) / SESSIONS,
    };
  });
}

/** CPU seconds of a handshake with raw public keys on both sides. */
function ecdsaHandshake(): Promise<number> {
  const warmUp = 500;
  const total = 2_000;
  return withSubject('dtls', async (subject) => {
    const port = await subject.ask<number>('listen');
    const connect = (from: number, to: number) =>
      each(from, to, async (n) => (await openSecureLink(n, port, ecdsaOptions())).close());
    await connect(0, warmUp);
    return (await subject.cpuDuring(() => connect(warmUp, warmUp + total))) / total;
  });
}

interface RecordCosts {
  /** CPU seconds to open a record of 64 bytes and seal one, by itself and with the transport and UDP around it. */
  readonly alone: number;
  readonly overUdp: number;
}

function records(): Promise<RecordCosts> {
  const total = 40_000;
  const sessions = 100;
  return withSubject('dtls', async (subject) => {
    await subject.ask('sealAndOpen', total);
    const alone = await subject.cpuDuring(() => subject.ask<void>('sealAndOpen', total));
    const port = await subject.ask<number>('listen');
    const links = await secureLinks(subject, port, sessions);
    const load = { make: echoDatagram, isGood: (answer: Buffer) => answer.length === 64 };
    await costOf(subject, links, total / sessions / 4, load);
    const overUdp = await costOf(subject, links, total / sessions, load);
    for (const link of links) link.close();
    return { alone: alone / total, overUdp };
  });
}

/** CPU seconds of the subject for a request. */
async function costOf(subject: Subject, links: readonly Link[], perLink: number, load: Load): Promise<number> {
  const exchange = new Exchange(links, perLink, load);
  const cpu = await subject.cpuDuring(() => exchange.run());
  exchange.check();
  return cpu / (links.length * perLink);
}

function echoDatagram(_link: number, messageId: number): Buffer {
  const datagram = Buffer.alloc(64);
  datagram.writeUInt16BE(messageId, 2);
  return datagram;
}

/** Devices `secure-0`... with a session each. */
async function secureLinks(subject: Subject, port: number, count: number): Promise<Link[]> {
  const names = Array.from({ length: count }, (_unused, n) => `secure-${n}`);
  await subject.ask('provision', { names, key: KEY.toString('hex') });
  return Promise.all(names.map((name, n) => openSecureLink(n, port, pskOptions(name))));
}

/**
 * The cost of a registration over plain CoAP / over an established DTLS session. The same 100 devices register again and
 * again, as over DTLS nobody registers under two names, and the two take turns, so that both see the same noise.
 */
function registrationRatio(): Promise<{ plain: number; secure: number }> {
  const devices = 100;
  const slices = 6;
  const perDevice = 50;
  return withSubject('coaps', async (subject) => {
    const { coap = 0, coaps = 0 } = await subject.ask<Record<string, number>>('listen');
    const ways = {
      plain: await Promise.all(Array.from({ length: devices }, (_unused, n) => openLink(n, coap))),
      secure: await secureLinks(subject, coaps, devices),
    };
    const register = (way: 'plain' | 'secure', times: number) =>
      costOf(subject, ways[way], times, {
        make: (n, messageId) => registerDatagram(`${way}-${n}`, messageId),
        isGood: (answer) => answer[1] === CoapCode.Created,
      });
    const costs = { plain: 0, secure: 0 };
    for (const way of ['plain', 'secure'] as const) await register(way, 2 * perDevice);
    for (let n = 0; n < slices; n++) {
      for (const way of ['plain', 'secure'] as const) costs[way] += (await register(way, perDevice)) / slices;
    }
    const registered = await subject.ask<{ coap: number; coaps: number }>('registered');
    if (registered.coap !== devices || registered.coaps !== devices) throw new Error('not all are registered');
    for (const link of [...ways.plain, ...ways.secure]) link.close();
    return costs;
  });
}

/** CPU seconds of a PSK handshake in `openssl s_server`, one after the other; `undefined` without the program. */
async function opensslHandshake(): Promise<number | undefined> {
  const warmUp = 100;
  const total = 2_000;
  const server = await OpensslServer.start(KEY.toString('hex'));
  if (server === undefined) return undefined;
  // It binds its socket to its first peer, so that all have to come from there.
  const socket = await openSocket(0);
  const connect = async (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      const link = await secureLinkOn(socket, server.port, pskOptions(`lamp-${n}`));
      await link.end();
    }
  };
  try {
    await Promise.race([connect(0, warmUp), server.died]);
    const before = server.cpuSeconds();
    await Promise.race([connect(warmUp, warmUp + total), server.died]);
    return (server.cpuSeconds() - before) / total;
  } finally {
    socket.close();
    await server.stop();
  }
}

function perSecond(seconds: number): string {
  return `${Math.round(1 / seconds).toLocaleString('en-US')} /CPU-s`;
}

function handshakeRow(what: string, seconds: number): Row {
  return { what, measured: `${perSecond(seconds)}, ${(seconds * 1000).toFixed(2)} ms` };
}

function bytesRow(what: string, bytes: number): Row {
  const goal = `<= ${MAX_SESSION_BYTES.toLocaleString('en-US')} B`;
  const measured = `${Math.round(bytes).toLocaleString('en-US')} B`;
  return { what, measured, goal, reached: bytes <= MAX_SESSION_BYTES };
}

/** What DTLS costs. CPU is that of the whole process of the server; the devices are in this one. */
export async function measureDtls(): Promise<Row[]> {
  const psk: SessionCosts[] = [];
  for (let round = 0; round < ROUNDS; round++) psk.push(await pskSessions());
  const middle = (pick: (costs: SessionCosts) => number) => median(psk.map(pick));
  const handshake = middle((costs) => costs.handshake);
  const openssl = await opensslHandshake();
  const ecdsa = await ecdsaHandshake();
  const { alone, overUdp } = await records();
  const { plain, secure } = await registrationRatio();
  const sessions = `${SESSIONS.toLocaleString('en-US')} sessions`;
  return [
    {
      ...handshakeRow('DTLS handshakes, PSK, with cookie and UDP', handshake),
      goal: `<= ${MAX_HANDSHAKE_MS} ms`,
      reached: handshake * 1000 <= MAX_HANDSHAKE_MS,
    },
    openssl === undefined
      ? { what: 'the same, openssl s_server', measured: 'openssl is not installed' }
      : handshakeRow('the same, openssl s_server', openssl),
    handshakeRow('DTLS handshakes, ECDSA, raw public keys both ways', ecdsa),
    { what: 'records of 64 bytes opened and sealed', measured: perSecond(alone) },
    { what: 'the same, with UDP', measured: perSecond(overUdp) },
    { what: 'registrations over CoAP', measured: perSecond(plain) },
    { what: 'registrations over a DTLS session', measured: perSecond(secure) },
    {
      what: 'registrations over DTLS / over CoAP',
      measured: (plain / secure).toFixed(2),
      goal: `>= ${MIN_REGISTRATION_RATIO}`,
      reached: plain / secure >= MIN_REGISTRATION_RATIO,
    },
    bytesRow(
      `resident memory a session, ${sessions}`,
      middle((costs) => costs.resident),
    ),
    bytesRow(
      `its part in the heap`,
      middle((costs) => costs.heap),
    ),
  ];
}
