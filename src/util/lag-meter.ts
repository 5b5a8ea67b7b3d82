import type { Clock, Timer } from './clock';

/** How often it looks, ms. */
const PERIOD = 50;
/** How long what it saw counts, ms: between one window and two. */
const WINDOW = 500;

/**
 * How late this process runs what is due: the lateness of a timer. It measures while it is asked, and for a moment after;
 * a process that asks nothing has no timer.
 */
export class LagMeter {
  readonly #clock: Clock;
  #due = 0;
  #timer: Timer | undefined;
  #asked = false;
  #windowEnd = 0;
  #worst = 0;
  #worstBefore = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The worst lateness of the last moments, ms, that of the moment included. */
  lag(): number {
    const now = this.#clock.monotonic();
    this.#asked = true;
    this.#turnWindow(now);
    if (this.#timer === undefined) this.#look(now);
    return Math.max(this.#worst, this.#worstBefore, now - this.#due);
  }

  close(): void {
    this.#timer?.cancel();
  }

  #look(now: number): void {
    this.#asked = false;
    this.#due = now + PERIOD;
    this.#timer = this.#clock.setTimer(() => this.#looked(), PERIOD);
  }

  #looked(): void {
    const now = this.#clock.monotonic();
    this.#turnWindow(now);
    this.#worst = Math.max(this.#worst, now - this.#due);
    this.#timer = undefined;
    if (this.#asked) this.#look(now);
  }

  #turnWindow(now: number): void {
    if (now < this.#windowEnd) return;
    this.#worstBefore = now < this.#windowEnd + WINDOW ? this.#worst : 0;
    this.#worst = 0;
    this.#windowEnd = now + WINDOW;
  }
}
