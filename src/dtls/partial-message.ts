import type { HandshakeFragment } from './messages/handshake-fragment';

/** More separate pieces than this of one message are not a network's doing. */
const MAX_PIECES = 32;

/** Half-open: [start, end). */
interface Range {
  start: number;
  end: number;
}

/**
 * A handshake message that comes in fragments, in any order and overlapping (RFC 6347 s4.2.3). The first fragment says type
 * and length; one that says otherwise is not taken. Bytes that came first stay: a later overlap changes nothing.
 */
export class PartialMessage {
  readonly type: number;
  readonly messageSeq: number;
  readonly body: Buffer;
  readonly #pieces: Range[] = [];

  constructor(first: HandshakeFragment) {
    this.type = first.type;
    this.messageSeq = first.messageSeq;
    this.body = Buffer.alloc(first.length);
  }

  get isComplete(): boolean {
    const [piece] = this.#pieces;
    return this.body.length === 0 || (piece !== undefined && piece.start === 0 && piece.end === this.body.length);
  }

  /** False when the fragment is not of this message, or there are too many pieces. */
  add(fragment: HandshakeFragment): boolean {
    if (fragment.type !== this.type || fragment.length !== this.body.length) return false;
    const range = { start: fragment.fragmentOffset, end: fragment.fragmentOffset + fragment.fragment.length };
    if (range.start === range.end) return true;
    const touching = this.#pieces.filter((piece) => piece.start <= range.end && piece.end >= range.start);
    if (touching.length === 0 && this.#pieces.length === MAX_PIECES) return false;
    this.#copyGaps(range, touching, fragment.fragment);
    this.#merge(range, touching);
    return true;
  }

  /** Copies what no piece has yet. */
  #copyGaps(range: Range, touching: readonly Range[], bytes: Buffer): void {
    let from = range.start;
    for (const piece of touching) {
      if (piece.start > from) bytes.copy(this.body, from, from - range.start, piece.start - range.start);
      from = Math.max(from, piece.end);
    }
    if (from < range.end) bytes.copy(this.body, from, from - range.start);
  }

  /** The pieces stay sorted and apart. */
  #merge(range: Range, touching: readonly Range[]): void {
    const merged = {
      start: Math.min(range.start, touching[0]?.start ?? range.start),
      end: Math.max(range.end, touching.at(-1)?.end ?? range.end),
    };
    const index = this.#pieces.findIndex((piece) => piece.end >= merged.start);
    this.#pieces.splice(index === -1 ? this.#pieces.length : index, touching.length, merged);
  }
}
