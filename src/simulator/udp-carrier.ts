import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { CancelledError, TransportError } from '../errors';
import type { Carrier } from './datagram-link';
import { isFrom, type PeerAddress } from './server-address';

/** The addresses are literals, so that nothing has to be looked up for each datagram. */
const LITERAL_LOOKUP = {
  udp4: (host: string, _options: unknown, done: (error: null, address: string, family: number) => void) =>
    done(null, host, 4),
  udp6: (host: string, _options: unknown, done: (error: null, address: string, family: number) => void) =>
    done(null, host, 6),
};

/**
 * Opens a UDP port that speaks with one peer and hears nobody else.
 * @throws {TransportError} no port could be opened.
 */
export async function openUdpCarrier(peer: PeerAddress & { family: 4 | 6 }): Promise<Carrier> {
  const carrier = new UdpCarrier(peer);
  await carrier.connect();
  return carrier;
}

class UdpCarrier implements Carrier {
  onDatagram: (datagram: Buffer) => void = () => undefined;
  onLost: (error: TransportError) => void = () => undefined;
  readonly family: 'udp4' | 'udp6';
  readonly hasSession = false;
  #localAddress: PeerAddress = { host: '0.0.0.0', port: 0 };
  #socket: Socket | undefined;
  #opening: Promise<void> | undefined;
  #closed = false;

  constructor(readonly peer: PeerAddress & { family: 4 | 6 }) {
    this.family = peer.family === 6 ? 'udp6' : 'udp4';
  }

  get localAddress(): PeerAddress {
    return this.#localAddress;
  }

  /** Those who come while the port is being opened wait for the same one. */
  async connect(): Promise<void> {
    if (this.#socket) return;
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    await this.#opening;
  }

  reset(): void {
    // Nothing was agreed on.
  }

  leave(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  send(datagram: Buffer, sent: (error: Error | null) => void): void {
    if (this.#socket) this.#socket.send(datagram, this.peer.port, this.peer.host, sent);
    else sent(null);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) await new Promise<void>((resolve) => socket.close(resolve));
  }

  async #open(): Promise<void> {
    const socket = createSocket({ type: this.family, lookup: LITERAL_LOOKUP[this.family] });
    try {
      // Waited for beforehand: with an address that needs no looking up, binding is done at once.
      const listening = once(socket, 'listening');
      socket.bind(0);
      await listening;
    } catch (cause) {
      throw new TransportError('the device could not open a UDP port', { cause });
    }
    if (this.#closed) {
      socket.close();
      throw new CancelledError('the device went away');
    }
    const { address, port } = socket.address();
    this.#localAddress = { host: address, port };
    socket.on('message', (datagram, from) => {
      if (isFrom(this.peer, from)) this.onDatagram(datagram);
    });
    // An error of an open UDP socket is one datagram that could not be received; the next may be.
    socket.on('error', () => undefined);
    this.#socket = socket;
  }
}
