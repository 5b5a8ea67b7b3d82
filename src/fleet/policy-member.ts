import type { Path, Subscription } from '../server';
import type { WheelTimer } from '../util/timer-wheel';
import type { Device } from './device';

export type MemberState = 'waiting' | 'observing' | 'failed';

/** One device of a policy, for as long as it is asked for the same paths in the same registration. */
export class PolicyMember {
  state: MemberState = 'waiting';
  /** Whether something went wrong that did not end the observation. */
  warned = false;
  /** How often it failed since it last succeeded. */
  failures = 0;
  subscription: Subscription | undefined = undefined;
  retry: WheelTimer | undefined = undefined;
  #over = false;
  #abort: AbortController | undefined = undefined;

  /** @param key the paths, as text. */
  constructor(
    readonly device: Device,
    readonly paths: readonly Path[],
    readonly key: string,
  ) {}

  /** Whether the policy does not want it any more, as it is. */
  get over(): boolean {
    return this.#over;
  }

  /** Aborted when it is over. Most members, taken up after a restart, never need one. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  end(): void {
    this.#over = true;
    this.retry?.cancel();
    this.#abort?.abort();
  }
}
