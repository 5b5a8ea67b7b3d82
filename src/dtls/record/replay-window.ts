const SIZE = 64;

/**
 * Which of the newest 64 record sequence numbers were seen (RFC 6347 s4.1.2.6). Two steps, because a number may be marked
 * only once its record is authenticated: otherwise a forged record would shut out a true one.
 */
export class ReplayWindow {
  #newest = -1;
  // Bit n of the pair is newest - n: `#near` holds 0..31, `#far` 32..63.
  #near = 0;
  #far = 0;

  /** The highest sequence number marked, -1 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** True when the number is neither marked nor too old to know. */
  isFresh(sequence: number): boolean {
    const age = this.#newest - sequence;
    if (age < 0) return true;
    if (age >= SIZE) return false;
    return age < 32 ? (this.#near & (1 << age)) === 0 : (this.#far & (1 << (age - 32))) === 0;
  }

  mark(sequence: number): void {
    const age = this.#newest - sequence;
    if (age < 0) {
      this.#shift(-age);
      this.#newest = sequence;
      this.#near |= 1;
    } else if (age < 32) {
      this.#near |= 1 << age;
    } else if (age < SIZE) {
      this.#far |= 1 << (age - 32);
    }
  }

  #shift(distance: number): void {
    if (distance >= SIZE) {
      this.#near = 0;
      this.#far = 0;
    } else if (distance >= 32) {
      // A shift by 32 is a shift by 0 in JavaScript, which is just what a distance of 32 needs.
      this.#far = this.#near << (distance - 32);
      this.#near = 0;
    } else {
      this.#far = (this.#far << distance) | (this.#near >>> (32 - distance));
      this.#near <<= distance;
    }
  }
}
