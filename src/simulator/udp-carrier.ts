import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { TransportError } from '../errors';
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
  const family = peer.family === 6 ? 'udp6' : 'udp4';
  const socket = createSocket({ type: family, lookup: LITERAL_LOOKUP[family] });
  try {
    // Waited for beforehand: with an address that needs no looking up, binding is done at once.
    const listening = once(socket, 'listening');
    socket.bind(0);
    await listening;
  } catch (cause) {
    throw new TransportError('the device could not open a UDP port', { cause });
  }
  return new UdpCarrier(socket, family, peer);
}

class UdpCarrier implements Carrier {
  onDatagram: (datagram: Buffer) => void = () => undefined;
  onLost: (error: TransportError) => void = () => undefined;
  readonly localAddress: PeerAddress;
  #closed = false;

  constructor(
    private readonly socket: Socket,
    readonly family: 'udp4' | 'udp6',
    readonly peer: PeerAddress,
  ) {
    const { address, port } = socket.address();
    this.localAddress = { host: address, port };
    socket.on('message', (datagram, from) => {
      if (isFrom(peer, from)) this.onDatagram(datagram);
    });
    // An error of an open UDP socket is one datagram that could not be received; the next may be.
    socket.on('error', () => undefined);
  }

  async connect(): Promise<void> {
    // Nothing has to be agreed on.
  }

  reset(): void {
    // Nothing was agreed on.
  }

  send(datagram: Buffer, sent: (error: Error | null) => void): void {
    if (this.#closed) return sent(null);
    this.socket.send(datagram, this.peer.port, this.peer.host, sent);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await new Promise<void>((resolve) => this.socket.close(resolve));
  }
}
