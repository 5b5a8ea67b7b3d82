import type { Clock, Timer } from '../../src/util/clock';

interface Pending {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Time that stands still until a test moves it. */
export class SimulatedClock implements Clock {
  #elapsed = 0;
  #order = 0;
  readonly #epoch: number;
  readonly #pending: Pending[] = [];

  /** @param epoch what `now()` says at the start, ms since 1970 */
  constructor(epoch = Date.UTC(2030, 0, 1)) {
    this.#epoch = epoch;
  }

  now(): number {
    return this.#epoch + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  setTimer(callback: () => void, delay: number): Timer {
    this.#order += 1;
    const timer = { due: this.#elapsed + Math.max(delay, 0), order: this.#order, callback };
    this.#pending.splice(this.#position(timer), 0, timer);
    return {
      cancel: () => {
        const index = this.#pending.indexOf(timer);
        if (index >= 0) this.#pending.splice(index, 1);
      },
    };
  }

  /** How many timers wait: an idle engine should have none. */
  get timers(): number {
    return this.#pending.length;
  }

  /** Lets `ms` pass: runs the timers that fall due, in order, and lets promises settle after each moment. */
  async advance(ms: number): Promise<void> {
    const target = this.#elapsed + ms;
    await this.settle();
    for (let next = this.#pending[0]; next !== undefined && next.due <= target; next = this.#pending[0]) {
      this.#elapsed = next.due;
      this.#runDue();
      await this.settle();
    }
    this.#elapsed = target;
  }

  /**
   * Advances in steps until the condition holds; fails when it does not within `ms`.
   * @param between what else must have its turn between two steps: {@link realNetwork}.
   */
  async advanceUntil(condition: () => boolean, ms: number, step = 100, between?: () => Promise<void>): Promise<void> {
    const end = this.#elapsed + ms;
    await this.settle();
    while (!condition()) {
      if (this.#elapsed >= end) throw new Error(`what was waited for did not happen within ${ms} ms`);
      await between?.();
      await this.advance(Math.min(step, end - this.#elapsed));
    }
  }

  /** Lets all promises and callbacks that are ready run; no time passes. */
  settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  #runDue(): void {
    for (let next = this.#pending[0]; next !== undefined && next.due <= this.#elapsed; next = this.#pending[0]) {
      this.#pending.shift();
      next.callback();
    }
  }

  /** Where it belongs in the list, which is sorted by time and then by the order of setting. */
  #position(timer: Pending): number {
    let low = 0;
    let high = this.#pending.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#pending[middle] as Pending).due <= timer.due) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Lets datagrams of real sockets arrive, which simulated time would otherwise outrun: they take a moment of real time. */
export function realNetwork(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}
