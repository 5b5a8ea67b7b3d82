import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** A request that stays unanswered is sent again after this many ms ... */
const RESEND_AFTER = 500;
/** ... and after so many times it is not the network's fault. */
const MAX_SENDS = 20;

/** A request that waits for its answer. */
interface Open {
  readonly datagram: Buffer;
  readonly socketIndex: number;
  sentAt: number;
  sends: number;
}

/** Makes the datagram of request `n`, which leaves by this socket under this message id. */
export type MakeDatagram = (n: number, socketIndex: number, messageId: number) => Buffer;

/**
 * A set of UDP sockets that play devices with hand-made datagrams, so that the load costs little beside what is measured.
 * A datagram that is lost, which happens on loopback too when a buffer is full, is sent again.
 */
export class Peers {
  /** Runs on through all exchanges: an id used again within minutes would be answered as a duplicate. */
  private readonly messageIds: number[];

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

  /** Every datagram of every socket goes to `receive`, until the next call. */
  onDatagram(receive: (socketIndex: number, datagram: Buffer, from: number) => void): void {
    this.sockets.forEach((socket, index) => {
      socket.removeAllListeners('message');
      socket.on('message', (datagram, { port }) => receive(index, datagram, port));
    });
  }

  /**
   * Sends `total` requests, the sockets in turn, `window` outstanding at a time, and waits until each is answered.
   * An answer belongs to the request with the same message id on the same socket (the echo answers with the same bytes).
   * @param answered hears every answer.
   */
  async exchange(
    total: number,
    window: number,
    make: MakeDatagram,
    answered: (socketIndex: number, datagram: Buffer) => void = ignore,
  ): Promise<void> {
    const open = new Map<number, Open>();
    let sent = 0;
    const next = () => {
      const socketIndex = sent % this.sockets.length;
      const messageId = ((this.messageIds[socketIndex] ?? 0) + 1) & 0xffff;
      this.messageIds[socketIndex] = messageId;
      const datagram = make(sent, socketIndex, messageId);
      open.set((socketIndex << 16) | messageId, { datagram, socketIndex, sentAt: Date.now(), sends: 1 });
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
        if (!open.delete((socketIndex << 16) | datagram.readUInt16BE(2))) return;
        answered(socketIndex, datagram);
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
