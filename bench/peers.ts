import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/**
 * A set of UDP sockets that play devices with hand-made datagrams, so that the load costs little beside what is measured.
 * Each socket keeps a window of outstanding requests; a datagram that stays unanswered for a second is sent again.
 */
export class Peers {
  private constructor(
    private readonly sockets: readonly Socket[],
    /** The subject's port. A client of node-coap talks from another than its server. */
    public port: number,
  ) {}

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

  /** The ports of the sockets, in their order. */
  get ports(): number[] {
    return this.sockets.map((socket) => socket.address().port);
  }

  sendFrom(socketIndex: number, datagram: Buffer): void {
    this.sockets[socketIndex]?.send(datagram, this.port, '127.0.0.1');
  }

  /** Every datagram of every socket goes to `receive`, until the next call. */
  onDatagram(receive: (socketIndex: number, datagram: Buffer, from: number) => void): void {
    this.sockets.forEach((socket, index) => {
      socket.removeAllListeners('message');
      socket.on('message', (datagram, { port }) => receive(index, datagram, port));
    });
  }

  /**
   * Sends `total` requests, `window` outstanding at a time over all sockets, and waits until each is answered.
   * `make` gives the datagram of request n on a socket; an answer belongs to the request with the same message id on
   * the same socket (or, for the echo, to the same bytes).
   */
  async exchange(total: number, window: number, make: (n: number, socketIndex: number, messageId: number) => Buffer) {
    const open = new Map<number, { datagram: Buffer; socketIndex: number; sentAt: number }>();
    const messageIds = this.sockets.map(() => Math.floor(Math.random() * 0x10000));
    let sent = 0;
    let answered = 0;
    const answers: { socketIndex: number; datagram: Buffer }[] = [];
    await new Promise<void>((resolve) => {
      const next = () => {
        const socketIndex = sent % this.sockets.length;
        const messageId = (messageIds[socketIndex] = ((messageIds[socketIndex] ?? 0) + 1) & 0xffff);
        const datagram = make(sent, socketIndex, messageId);
        open.set((socketIndex << 16) | messageId, { datagram, socketIndex, sentAt: Date.now() });
        sent += 1;
        this.sendFrom(socketIndex, datagram);
      };
      const resend = setInterval(() => {
        const old = Date.now() - 1000;
        for (const request of open.values()) {
          if (request.sentAt < old) {
            request.sentAt = Date.now();
            this.sendFrom(request.socketIndex, request.datagram);
          }
        }
      }, 250);
      this.onDatagram((socketIndex, datagram) => {
        if (!open.delete((socketIndex << 16) | datagram.readUInt16BE(2))) return;
        answers.push({ socketIndex, datagram });
        answered += 1;
        if (sent < total) next();
        else if (answered === total) {
          clearInterval(resend);
          resolve();
        }
      });
      for (let n = 0; n < Math.min(window, total); n++) next();
    });
    return answers;
  }

  close(): void {
    for (const socket of this.sockets) socket.close();
  }
}
