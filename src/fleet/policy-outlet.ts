import type { Log } from '../util/log';
import type { ObservationListener } from './observation-policy';

/** What is kept of a policy while nobody listens. */
const MAX_KEPT = 1000;

/** Where what a policy brings goes: to its listener, or into a bounded store for the next one. */
export class PolicyOutlet {
  #listener: ObservationListener | undefined;
  #kept: ((listener: ObservationListener) => void)[] = [];
  #dropped = 0;

  constructor(
    private readonly name: string,
    private readonly log: Log,
  ) {}

  /** The listener gets what was kept, then what comes. */
  attach(listener: ObservationListener): void {
    this.#listener = listener;
    const kept = this.#kept;
    this.#kept = [];
    if (this.#dropped > 0) this.log.warn(`${this.name}: ${this.#dropped} values were lost while nobody listened`);
    this.#dropped = 0;
    for (const say of kept) say(listener);
  }

  detach(listener: ObservationListener): void {
    if (this.#listener === listener) this.#listener = undefined;
  }

  tell(say: (listener: ObservationListener) => void): void {
    if (this.#listener !== undefined) {
      say(this.#listener);
      return;
    }
    if (this.#kept.length >= MAX_KEPT) {
      this.#kept.shift();
      this.#dropped += 1;
    }
    this.#kept.push(say);
  }
}
