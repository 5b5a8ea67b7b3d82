import { randomFillSync } from 'node:crypto';

/** Where chance comes from, so that tests can repeat it. */
export interface RandomSource {
  /** An unpredictable integer of 0..2^32-1. */
  uint32(): number;
}

const POOL_WORDS = 1024;
const pool = new Uint32Array(POOL_WORDS);
let used = POOL_WORDS;

/** The machine's cryptographic generator, drawn 4 KiB at a time. */
export const secureRandom: RandomSource = {
  uint32() {
    if (used === POOL_WORDS) {
      randomFillSync(pool);
      used = 0;
    }
    const value = pool[used] as number;
    // What was handed out is a token of somebody: do not keep it.
    pool[used] = 0;
    used += 1;
    return value;
  },
};

/** A fraction of [0, 1). */
export function randomFraction(random: RandomSource): number {
  return random.uint32() / 2 ** 32;
}
