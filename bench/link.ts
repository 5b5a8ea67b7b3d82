import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { systemClock } from '../src/util/clock';
import { Content, DtlsClient, recordsOf, type DtlsClientOptions } from '../test/support/dtls-client';

/** A device's way to the subject: its UDP socket, with a DTLS session on it or without. */
export interface Link {
  /** Of the next request; no number twice on a link, or the subject would take it for a repetition. */
  nextMessageId: number;
  /** What goes over UDP, and back. */
  seal(message: Buffer): Buffer;
  open(datagram: Buffer): Buffer;
  /** Sends what is sealed already. */
  send(datagram: Buffer): void;
  onDatagram: (datagram: Buffer) => void;
  close(): void;
}

export interface SecureLink extends Link {
  /** Says close_notify and waits for that of the server; the socket stays. */
  end(): Promise<void>;
}

/** On Linux all of 127/8 is this machine: device `n` has an address of its own, as if it came from another network. */
function addressOf(n: number): string {
  return `127.${1 + ((n >> 16) & 0x7f)}.${(n >> 8) & 0xff}.${n & 0xff}`;
}

export async function openSocket(n: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
  // With a synchronous lookup the socket listens before bind() returns.
  const listening = once(socket, 'listening');
  socket.bind(0, addressOf(n));
  await listening;
  return socket;
}

export async function openLink(n: number, port: number): Promise<Link> {
  const socket = await openSocket(n);
  const link: Link = {
    nextMessageId: 1,
    seal: (message) => message,
    open: (datagram) => datagram,
    send: (datagram) => socket.send(datagram, port, '127.0.0.1'),
    onDatagram: () => undefined,
    close: () => socket.close(),
  };
  socket.on('message', (datagram) => link.onDatagram(datagram));
  return link;
}

const CLOSE_NOTIFY = Buffer.from([1, 0]);

/** Shakes hands as device `n`. Rejects when the server refuses it. */
export async function openSecureLink(n: number, port: number, options: DtlsClientOptions): Promise<SecureLink> {
  return secureLinkOn(await openSocket(n), port, options);
}

/** A session on a socket that has none. */
export async function secureLinkOn(socket: Socket, port: number, options: DtlsClientOptions): Promise<SecureLink> {
  const client = new DtlsClient((datagram) => socket.send(datagram, port, '127.0.0.1'), {
    clock: systemClock,
    ...options,
  });
  const alert = new Promise<string>((resolve) => {
    socket.removeAllListeners('message').on('message', (datagram) => {
      // Of a session that is there the datagrams are read when nobody counts the time.
      if (client.connected && !isEnding) return link.onDatagram(datagram);
      client.receive(datagram);
      const [first] = client.alerts;
      if (first !== undefined) resolve(first);
    });
  });
  let isEnding = false;
  const link: SecureLink = {
    nextMessageId: 1,
    seal: (message) => client.seal(Content.data, message),
    open: (datagram) => {
      const [record] = recordsOf(datagram);
      const opened = record === undefined ? undefined : client.open(record);
      if (opened?.type !== Content.data) throw new Error('the server sent something else than data');
      return opened.data;
    },
    send: (datagram) => socket.send(datagram, port, '127.0.0.1'),
    onDatagram: () => undefined,
    close: () => socket.close(),
    end: async () => {
      isEnding = true;
      client.sendRecord(Content.alert, CLOSE_NOTIFY, 1);
      await alert;
    },
  };
  const outcome = await Promise.race([client.connect(), alert]);
  if (outcome !== true) throw new Error(`the server refused a handshake: alert ${outcome}`);
  return link;
}

const MAX_WAIT = 30_000;

export interface Load {
  readonly make: (linkIndex: number, messageId: number) => Buffer;
  /** Whether the answer is the one that was hoped for. */
  readonly isGood: (answer: Buffer) => boolean;
}

/**
 * Requests that are made and sealed beforehand, and answers that are opened and checked afterwards, so that the devices are
 * as fast with DTLS as without it: a server that waits for its load pays for each wait.
 */
export class Exchange {
  readonly #links: readonly Link[];
  readonly #load: Load;
  /** By link. */
  readonly #requests: { readonly messageId: number; readonly datagram: Buffer }[][];
  readonly #answers: Buffer[][];

  /** @param perLink requests on each link. */
  constructor(links: readonly Link[], perLink: number, load: Load) {
    this.#links = links;
    this.#load = load;
    this.#answers = links.map(() => []);
    this.#requests = links.map((link, index) =>
      Array.from({ length: perLink }, () => {
        const messageId = link.nextMessageId++;
        return { messageId, datagram: link.seal(load.make(index, messageId)) };
      }),
    );
  }

  /** Puts the requests through, one at a time on each link. Nothing is sent again: on one machine nothing is lost. */
  async run(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('an answer is missing')), MAX_WAIT);
    });
    try {
      await Promise.race([Promise.all(this.#links.map((link, index) => this.#runOn(link, index))), tooLong]);
    } finally {
      clearTimeout(timer);
    }
  }

  #runOn(link: Link, index: number): Promise<void> {
    const requests = this.#requests[index] ?? [];
    const answers = this.#answers[index] ?? [];
    return new Promise((resolve) => {
      const next = () => {
        const request = requests[answers.length];
        if (request === undefined) resolve();
        else link.send(request.datagram);
      };
      link.onDatagram = (datagram) => {
        answers.push(datagram);
        next();
      };
      next();
    });
  }

  /** The answer to a request has its message id, or its bytes when the subject is an echo. @throws {Error} one is bad. */
  check(): void {
    for (const [index, link] of this.#links.entries()) {
      for (const [n, { messageId }] of (this.#requests[index] ?? []).entries()) {
        const answer = link.open(this.#answers[index]?.[n] ?? Buffer.alloc(0));
        if (answer.readUInt16BE(2) !== messageId || !this.#load.isGood(answer)) {
          throw new Error(`a bad answer: ${answer.toString('hex')}`);
        }
      }
    }
  }
}
