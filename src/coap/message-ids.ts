/** Ids are watched in blocks of 4,096, so that 16 times say when they were used last. */
const BLOCK_BITS = 12;
const BLOCKS = 0x10000 >> BLOCK_BITS;
const LAST_OF_BLOCK = (1 << BLOCK_BITS) - 1;

/**
 * Our message ids to one peer: in sequence from a random start, none given again before the lifetime of its exchange is
 * over (RFC 7252 s4.4).
 */
export class MessageIds {
  #next: number;
  readonly #lifetime: number;
  /** When the last id of each block was given, ms; made when the first block is used up. */
  #usedUpAt: Float64Array | undefined;

  /** @param lifetime EXCHANGE_LIFETIME in ms */
  constructor(start: number, lifetime: number) {
    this.#next = start & 0xffff;
    this.#lifetime = lifetime;
  }

  /** The next id, or `undefined` while all are within the lifetime. */
  next(now: number): number | undefined {
    const id = this.#next;
    const block = id >> BLOCK_BITS;
    const place = id & LAST_OF_BLOCK;
    // A block is entered when its last id is old enough: the others are older.
    if (place === 0 && this.#usedUpAt !== undefined) {
      if (now - (this.#usedUpAt[block] as number) < this.#lifetime) return undefined;
    }
    if (place === LAST_OF_BLOCK) {
      this.#usedUpAt ??= new Float64Array(BLOCKS).fill(-Infinity);
      this.#usedUpAt[block] = now;
    }
    this.#next = (id + 1) & 0xffff;
    return id;
  }
}
