import type { Priority } from '../fleet';
import type { Gate, GateRefusal } from '../server';
import type { Clock, Timer } from '../util/clock';
import { randomFraction, type RandomSource } from '../util/random';

/** Who is put off waits this long and up to as long again, s: they must not all come back together. */
const SHORTEST_WAIT = 30;
const SPREAD = 61;
/** The load is over when nobody had to be put off for so long, ms. */
const CALM = 5_000;
/** Devices of normal priority are put off at this many times the bound. */
const NORMAL_FACTOR = 2;

/** A time in which registrations were put off. */
export interface Overload {
  /** ms since 1970 */
  readonly since: number;
  /** The event loop's worst lag in it, ms. */
  readonly lag: number;
  /** How many registrations were put off, by the priority of their devices. */
  readonly putOff: { readonly low: number; readonly normal: number };
}

export interface LoadGateOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  /** How late the event loop is, ms. */
  readonly lag: () => number;
  /** The lag above which devices of low priority are put off, ms; those of normal priority at twice of it. */
  readonly maxLag: number;
  readonly priorityOf: (endpoint: string) => Priority;
  readonly began: (overload: Overload) => void;
  readonly ended: (overload: Overload) => void;
}

/**
 * Puts registrations off while the process cannot keep up, those of low priority first and those of high priority never, so
 * that some are served well instead of all of them badly. An Update is never put off: it is cheap, and its device would
 * register instead.
 */
export class LoadGate implements Gate {
  readonly #options: LoadGateOptions;
  #since: number | undefined;
  #worst = 0;
  #low = 0;
  #normal = 0;
  /** When it is over if nobody is put off until then (`Clock.monotonic`). */
  #calmAt = 0;
  #timer: Timer | undefined;

  constructor(options: LoadGateOptions) {
    this.#options = options;
  }

  refusal(endpoint: string, operation: 'register' | 'update'): GateRefusal | undefined {
    if (operation === 'update') return undefined;
    const { lag: measure, maxLag, priorityOf } = this.#options;
    const lag = measure();
    if (lag <= maxLag) return undefined;
    const priority = priorityOf(endpoint);
    if (priority === 'high' || (priority === 'normal' && lag <= maxLag * NORMAL_FACTOR)) return undefined;
    this.#putOff(priority, lag);
    const wait = SHORTEST_WAIT + Math.floor(randomFraction(this.#options.random) * SPREAD);
    return { reason: 'overload', maxAge: wait };
  }

  /** No order waits because of load. */
  isSuspended(): boolean {
    return false;
  }

  close(): void {
    this.#timer?.cancel();
  }

  #putOff(priority: 'low' | 'normal', lag: number): void {
    if (priority === 'low') this.#low += 1;
    else this.#normal += 1;
    this.#worst = Math.max(this.#worst, lag);
    const isNew = this.#since === undefined;
    this.#since ??= this.#options.clock.now();
    this.#calmAt = this.#options.clock.monotonic() + CALM;
    if (!isNew) return;
    this.#options.began(this.#overload(this.#since));
    this.#watch(CALM);
  }

  #watch(delay: number): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimer(() => {
      const left = this.#calmAt - clock.monotonic();
      if (left > 0) this.#watch(left);
      else this.#end();
    }, delay);
  }

  #end(): void {
    const overload = this.#overload(this.#since ?? this.#options.clock.now());
    this.#since = undefined;
    this.#worst = 0;
    this.#low = 0;
    this.#normal = 0;
    this.#options.ended(overload);
  }

  #overload(since: number): Overload {
    return { since, lag: Math.round(this.#worst), putOff: { low: this.#low, normal: this.#normal } };
  }
}
