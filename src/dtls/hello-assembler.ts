import type { HandshakeFragment } from './messages/handshake-fragment';
import { HandshakeType } from './messages/handshake-type';
import { networkOf } from './network-of';
import { PartialMessage } from './partial-message';
import type { PeerAddress } from '../transport/transport';
import type { Clock } from '../util/clock';

const MAX_HELLO_LENGTH = 2048;
const MAX_PENDING = 256;
const MAX_PENDING_PER_NETWORK = 32;
const LIFETIME = 10_000;

interface PendingHello {
  readonly network: string;
  readonly message: PartialMessage;
  readonly deadline: number;
}

/**
 * ClientHellos that come in fragments, before their senders proved an address. There is one small store for all of them,
 * 256 of at most 2 KiB, so that no flood of fragments costs more; the oldest, of the same network first, gives way. A hello in
 * one piece, as nearly all are, never touches it.
 */
export class HelloAssembler {
  readonly #clock: Clock;
  /** In the order of arrival. */
  readonly #pending = new Map<string, PendingHello>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** The body of the ClientHello when this fragment completes it. */
  add(address: PeerAddress, fragment: HandshakeFragment): Buffer | undefined {
    if (fragment.type !== HandshakeType.clientHello || fragment.length > MAX_HELLO_LENGTH) return undefined;
    if (fragment.fragment.length === fragment.length) return fragment.fragment;
    if (fragment.fragment.length === 0) return undefined;
    const key = `${address.host} ${address.port} ${fragment.messageSeq}`;
    const pending = this.#find(key) ?? this.#make(key, address, fragment);
    if (!pending.message.add(fragment) || !pending.message.isComplete) return undefined;
    this.#pending.delete(key);
    return pending.message.body;
  }

  clear(): void {
    this.#pending.clear();
  }

  #find(key: string): PendingHello | undefined {
    const pending = this.#pending.get(key);
    if (pending === undefined || pending.deadline > this.#clock.monotonic()) return pending;
    this.#pending.delete(key);
    return undefined;
  }

  #make(key: string, address: PeerAddress, fragment: HandshakeFragment): PendingHello {
    const network = networkOf(address.host);
    this.#makeRoom(network);
    const pending = { network, message: new PartialMessage(fragment), deadline: this.#clock.monotonic() + LIFETIME };
    this.#pending.set(key, pending);
    return pending;
  }

  #makeRoom(network: string): void {
    const now = this.#clock.monotonic();
    let oldestOfNetwork: string | undefined;
    let ofNetwork = 0;
    for (const [key, pending] of this.#pending) {
      if (pending.deadline <= now) this.#pending.delete(key);
      else if (pending.network === network) {
        ofNetwork += 1;
        oldestOfNetwork ??= key;
      }
    }
    if (oldestOfNetwork !== undefined && ofNetwork >= MAX_PENDING_PER_NETWORK) this.#pending.delete(oldestOfNetwork);
    for (const oldest of this.#pending.keys()) {
      if (this.#pending.size < MAX_PENDING) return;
      this.#pending.delete(oldest);
    }
  }
}
