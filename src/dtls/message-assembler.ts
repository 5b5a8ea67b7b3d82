import type { HandshakeFragment } from './messages/handshake-fragment';
import { PartialMessage } from './partial-message';

/** A handshake message whose turn it is. */
export interface AssembledMessage {
  readonly type: number;
  readonly messageSeq: number;
  readonly body: Buffer;
}

export interface AssemblyLimits {
  /** Bytes that one message may say it has. */
  readonly messageLength: number;
  /** Messages that may wait for others or for their own fragments. */
  readonly pendingMessages: number;
  /** Bytes of all that wait. */
  readonly pendingBytes: number;
}

export const ASSEMBLY_LIMITS: AssemblyLimits = { messageLength: 8192, pendingMessages: 10, pendingBytes: 16384 };

/**
 * Puts the fragments of a peer's handshake messages together and gives the messages out in the order of their message_seq
 * (RFC 6347 s4.2.2, s4.2.3). All that it keeps is bounded; a fragment that finds no room is lost like any datagram.
 */
export class MessageAssembler {
  readonly #limits: AssemblyLimits;
  readonly #pending = new Map<number, PartialMessage>();
  #next: number;
  #bytes = 0;

  /** @param next the message_seq that comes first. */
  constructor(next: number, limits: AssemblyLimits = ASSEMBLY_LIMITS) {
    this.#next = next;
    this.#limits = limits;
  }

  /** The message_seq whose turn is next. */
  get next(): number {
    return this.#next;
  }

  /** Bytes held for messages that are not yet given out. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  /** False when the fragment was not taken: old, too far ahead, contradicting or over a limit. */
  add(fragment: HandshakeFragment): boolean {
    const ahead = fragment.messageSeq - this.#next;
    if (ahead < 0 || ahead >= this.#limits.pendingMessages) return false;
    let partial = this.#pending.get(fragment.messageSeq);
    if (partial === undefined) {
      // An empty fragment of a message that is not empty says nothing worth an allocation.
      if (fragment.fragment.length === 0 && fragment.length > 0) return false;
      if (fragment.length > this.#limits.messageLength) return false;
      if (this.#bytes + fragment.length > this.#limits.pendingBytes) return false;
      partial = new PartialMessage(fragment);
      this.#pending.set(fragment.messageSeq, partial);
      this.#bytes += fragment.length;
    }
    return partial.add(fragment);
  }

  /** The next message in order, once it is whole. */
  take(): AssembledMessage | undefined {
    const partial = this.#pending.get(this.#next);
    if (partial === undefined || !partial.isComplete) return undefined;
    this.#pending.delete(this.#next);
    this.#bytes -= partial.body.length;
    this.#next += 1;
    return partial;
  }

  /** Forgets what waits; the order goes on. */
  dropPending(): void {
    this.#pending.clear();
    this.#bytes = 0;
  }
}
