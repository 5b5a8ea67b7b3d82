import { randomBytes } from 'node:crypto';

/** Base 36 digits of a time in ms: enough until the year 5188. */
const TIME_DIGITS = 9;
const SEQUENCE_DIGITS = 5;
const SEQUENCES = 36 ** SEQUENCE_DIGITS;

/** Ids of orders. As texts they sort by the time of the order, those of one process by their order. */
export class OrderIds {
  /** Tells processes apart that share a store. */
  readonly #process = randomBytes(3).toString('hex');
  #sequence = 0;
  #last = 0;

  /** Ids from now on come after this one, which another process has made, perhaps by another clock. */
  follow(id: string): void {
    const time = parseInt(id.slice(0, TIME_DIGITS), 36);
    if (Number.isSafeInteger(time)) this.#last = Math.max(this.#last, time + 1);
  }

  /** @param now ms since 1970; a clock that was set back does not make the id of a later order the smaller one. */
  next(now: number): string {
    this.#last = Math.max(this.#last, Math.floor(now));
    this.#sequence = (this.#sequence + 1) % SEQUENCES;
    if (this.#sequence === 0) this.#last += 1;
    const time = this.#last.toString(36).padStart(TIME_DIGITS, '0');
    return `${time}${this.#sequence.toString(36).padStart(SEQUENCE_DIGITS, '0')}${this.#process}`;
  }
}
