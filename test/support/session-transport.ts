import type { Channel, PeerAddress, PeerIdentity, Transport, TransportListener } from '../../src/transport/transport';
import { toAddress, type AddressText, type MemoryTransport } from './memory-network';

/** A peer with a session of an identity that was proved, as far as the layers above DTLS can see. */
class SessionChannel implements Channel {
  readonly scheme = 'coaps';
  context: unknown = undefined;
  isOpen = true;

  constructor(
    readonly transport: SessionTransport,
    readonly inner: Channel,
    readonly identity: PeerIdentity,
  ) {}

  get address(): PeerAddress {
    return this.inner.address;
  }

  send(datagram: Buffer): void {
    if (this.isOpen) this.inner.send(datagram);
  }
}

/** DTLS without its cryptography: who is who is what the test says. What comes from others is dropped, as DTLS does. */
export class SessionTransport implements Transport {
  readonly scheme = 'coaps';
  readonly #inner: MemoryTransport;
  readonly #sessions = new Map<string, SessionChannel>();
  #listener: TransportListener | undefined;

  constructor(inner: MemoryTransport) {
    this.#inner = inner;
  }

  get localAddress(): PeerAddress | undefined {
    return this.#inner.localAddress;
  }

  async open(listener: TransportListener): Promise<void> {
    this.#listener = listener;
    await this.#inner.open({
      received: ({ address }, datagram) => {
        const session = this.#sessions.get(keyOf(address));
        if (session !== undefined) listener.received(session, datagram);
      },
      closed: () => undefined,
      failed: (error) => listener.failed(error),
    });
  }

  async close(): Promise<void> {
    for (const { address } of [...this.#sessions.values()]) this.end(address);
    await this.#inner.close();
  }

  channel(address: PeerAddress): Channel | undefined {
    return this.#sessions.get(keyOf(address));
  }

  release(channel: Channel): void {
    channel.context = undefined;
  }

  /** The peer at the address has shaken hands; the session it had there is over. */
  begin(address: AddressText, identity: PeerIdentity): void {
    this.end(address);
    const peer = toAddress(address);
    this.#sessions.set(keyOf(peer), new SessionChannel(this, this.#inner.channel(peer), identity));
  }

  end(address: AddressText): void {
    const key = keyOf(toAddress(address));
    const session = this.#sessions.get(key);
    if (session === undefined) return;
    this.#sessions.delete(key);
    session.isOpen = false;
    this.#listener?.closed(session);
  }
}

function keyOf({ host, port }: PeerAddress): string {
  return `${host} ${port}`;
}
