import type { Clock, Timer } from '../util/clock';

/** Tells any number of devices that time has passed, with one timer for all. Without devices it rests. */
export class Ticker {
  readonly #clock: Clock;
  readonly #interval: number;
  readonly #listeners = new Set<() => void>();
  #timer: Timer | undefined;

  /** @param interval ms */
  constructor(clock: Clock, interval: number) {
    this.#clock = clock;
    this.#interval = interval;
  }

  add(listener: () => void): void {
    this.#listeners.add(listener);
    this.#timer ??= this.#next();
  }

  delete(listener: () => void): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #next(): Timer {
    return this.#clock.setTimer(() => {
      this.#timer = this.#next();
      for (const listener of this.#listeners) listener();
    }, this.#interval);
  }
}
