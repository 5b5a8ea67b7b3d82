import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isRequest } from './datagrams';

/** A request that stays unanswered is sent again after this many ms ... */
const RESEND_AFTER = 500;
/** ... and after so many times it is not the network's fault. */
const MAX_SENDS = 20;

/** A request that waits for its answer. */
interface Open {
  readonly n: number;
  readonly datagram: Buffer;
  readonly socketIndex: number;
  /** When it was sent first, by `performance.now`. */
  readonly began: number;
  sentAt: number;
  sends: number;
}

/** Makes the datagram of request `n`, which leaves by this socket under this message id. */
export type MakeDatagram = (n: number, socketIndex: number, messageId: number) => Buffer;

/** Hears the answer to request `n`, so many ms after it was sent first. */
export type HearAnswer = (socketIndex: number, answer: Buffer, n: number, ms: number) => void;

/**
 * A set of UDP sockets that play devices with hand-made datagrams, so that the load costs little beside what is measured.
 * A datagram that is lost, which happens on loopback too when a buffer is full, is sent again.
 */
export class Peers {
  /** Runs on through all exchanges: an id used again within minutes would be answered as a duplicate. */
  private readonly messageIds: number[];
  private answerRequest: ((socketIndex: number, request: Buffer) => void) | undefined;

  private constructor(
    private readonly sockets: readonly Socket[],
    /** The subject's port. A client of node-coap talks from another than its server. */
    public port: number,
  ) {
    this.messageIds = sockets.map(() => Math.floor(Math.random() * 0x10000));
  }

  static async open(count: number, port: number): Promise<Peers> {
    const sockets = Array.from({ length: count }, () =>
      createSocket({ type: 'udp4', recvBufferSize: 1 << 20, lookup: (host, _options, done) => done(null, host, 4) }),
    );
    await Promise.all(
      sockets.map((socket) => {
        // With a synchronous lookup the socket listens before bind() returns.
        const listening = once(socket, 'listening');
        socket.bind(0, '127.0.0.1');
        return listening;
      }),
    );
    return new Peers(sockets, port);
  }

  get count(): number {
    return this.sockets.length;
  }

  /** The ports of the sockets, in their order. */
  get ports(): number[] {
    return this.sockets.map((socket) => socket.address().port);
  }

  sendFrom(socketIndex: number, datagram: Buffer): void {
    // What the system refuses to send is lost, and sent again like what the network loses.
    this.sockets[socketIndex]?.send(datagram, this.port, '127.0.0.1', ignore);
  }

  /**
   * From now on requests go to `answer`, during an exchange too. Not for an echo: what it sends back looks like requests.
   */
  onRequest(answer: (socketIndex: number, request: Buffer) => void): void {
    this.answerRequest = answer;
    this.onDatagram(ignore);
  }

  /** Every datagram of every socket goes to `receive`, until the next call. */
  onDatagram(receive: (socketIndex: number, datagram: Buffer, from: number) => void): void {
    const { answerRequest } = this;
    this.sockets.forEach((socket, index) => {
      socket.removeAllListeners('message');
      socket.on('message', (datagram, { port }) => {
        if (answerRequest !== undefined && isRequest(datagram)) answerRequest(index, datagram);
        else receive(index, datagram, port);
      });
    });
  }

  /**
   * Sends `total` requests, the sockets in turn, `window` outstanding at a time, and waits until each is answered.
   * An answer belongs to the request with the same message id on the same socket (the echo answers with the same bytes).
   * @param answered hears every answer.
   */
  async exchange(total: number, window: number, make: MakeDatagram, answered: HearAnswer = ignore): Promise<void> {
    const open = new Map<number, Open>();
    let sent = 0;
    const next = () => {
      const socketIndex = sent % this.sockets.length;
      const messageId = ((this.messageIds[socketIndex] ?? 0) + 1) & 0xffff;
      this.messageIds[socketIndex] = messageId;
      const datagram = make(sent, socketIndex, messageId);
      const began = performance.now();
      open.set((socketIndex << 16) | messageId, {
        n: sent,
        datagram,
        socketIndex,
        began,
        sentAt: Date.now(),
        sends: 1,
      });
      sent += 1;
      this.sendFrom(socketIndex, datagram);
    };
    await new Promise<void>((resolve, reject) => {
      const finish = (error?: Error) => {
        clearInterval(timer);
        this.onDatagram(ignore);
        if (error === undefined) resolve();
        else reject(error);
      };
      const timer = setInterval(() => {
        if (!this.resend(open)) finish(new Error(`a request was not answered, sent ${MAX_SENDS} times`));
      }, RESEND_AFTER / 2);
      this.onDatagram((socketIndex, datagram) => {
        const key = (socketIndex << 16) | datagram.readUInt16BE(2);
        const request = open.get(key);
        if (request === undefined) return;
        open.delete(key);
        answered(socketIndex, datagram, request.n, performance.now() - request.began);
        if (sent < total) next();
        else if (open.size === 0) finish();
      });
      for (let n = 0; n < Math.min(window, total); n++) next();
    });
  }

  /** @returns false when one was sent in vain too often. */
  private resend(open: ReadonlyMap<number, Open>): boolean {
    const now = Date.now();
    for (const request of open.values()) {
      if (now - request.sentAt < RESEND_AFTER) continue;
      if (request.sends === MAX_SENDS) return false;
      request.sentAt = now;
      request.sends += 1;
      this.sendFrom(request.socketIndex, request.datagram);
    }
    return true;
  }

  close(): void {
    for (const socket of this.sockets) socket.close();
  }
}

function ignore(): void {}
