import { Socket, type RemoteInfo } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { TransportError } from '../errors';
import type { PeerAddress } from './server-address';

/** What carries a link's datagrams to the one peer it speaks with: a UDP socket or DTLS sessions. */
export interface Carrier {
  readonly family: 'udp4' | 'udp6';
  readonly localAddress: PeerAddress;
  readonly peer: PeerAddress;
  /** Set by the link; a carrier only delivers what came from the peer. */
  onDatagram: (datagram: Buffer) => void;
  /** Told that the peer or the network has ended what `connect` had made. */
  onLost: (error: TransportError) => void;
  /**
   * Makes sure that there is a way to the peer; with UDP there always is one.
   * @throws {TimeoutError} {TransportError} {CancelledError}
   */
  connect(signal?: AbortSignal): Promise<void>;
  /** Forgets, without a word, what was agreed on with the peer: the next `connect` begins anew. */
  reset(): void;
  /** Whether something is agreed on with the peer that a new address would end. */
  readonly hasSession: boolean;
  /** Gives up the local address, without a word: the next `connect` makes another. Nothing is heard until then. */
  leave(): void;
  /** Sends to the peer; `sent` is always called, with the error if there was one. */
  send(datagram: Buffer, sent: (error: Error | null) => void): void;
  close(): Promise<void>;
}

type SendCallback = (error: Error | null, bytes: number) => void;

/**
 * A carrier dressed as the dgram socket that node-coap wants for its server and its agent. It poses as an instance of
 * `dgram.Socket` (see below) because node-coap replays its answer to a duplicate only over one of those.
 * Everything a device says and hears passes through here, which is what makes it possible to mute it.
 */
export class DatagramLink extends EventEmitter {
  /** A muted link hears and says nothing, like a modem without reception. */
  muted = false;
  /** Told that something is said or heard. */
  onTraffic: () => void = () => undefined;
  /** Told of every datagram before node-coap sees it. */
  onArrival: (datagram: Buffer) => void = () => undefined;
  /** Told of what node-coap threw at a datagram: it does so at a malformed block option. */
  onFault: (error: unknown) => void = () => undefined;
  readonly type: 'udp4' | 'udp6';
  readonly #carrier: Carrier;
  readonly #remote: RemoteInfo;

  constructor(carrier: Carrier) {
    super();
    this.#carrier = carrier;
    this.type = carrier.family;
    const family = carrier.family === 'udp6' ? 'IPv6' : 'IPv4';
    this.#remote = { address: carrier.peer.host, port: carrier.peer.port, family, size: 0 };
    carrier.onDatagram = (datagram) => this.#deliver(datagram);
  }

  send(
    message: Buffer,
    offset: number,
    length: number,
    _port?: number,
    host?: string | SendCallback,
    callback?: SendCallback,
  ): void {
    const sent = (error: Error | null) => callback?.(error, length);
    // Without a host it is node-coap's answer to a malformed datagram, which it addresses to the local machine.
    if (this.muted || typeof host !== 'string') return sent(null);
    this.onTraffic();
    this.#carrier.send(message.subarray(offset, offset + length), sent);
  }

  address(): { address: string; port: number; family: string } {
    const { host, port } = this.#carrier.localAddress;
    return { address: host, port, family: this.#remote.family };
  }

  async close(): Promise<void> {
    this.muted = true;
    this.removeAllListeners();
    await this.#carrier.close();
  }

  #deliver(datagram: Buffer): void {
    if (this.muted) return;
    this.onTraffic();
    this.onArrival(datagram);
    try {
      this.emit('message', datagram, { ...this.#remote, size: datagram.length });
    } catch (error) {
      this.onFault(error);
    }
  }
}

Object.setPrototypeOf(DatagramLink.prototype, Socket.prototype);
