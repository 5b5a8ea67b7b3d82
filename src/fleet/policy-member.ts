import type { Lwm2mError } from '../errors';
import type { ObservationSubscriber, ObservedContent, Path, RegisteredClient, Subscription } from '../server';
import type { WheelTimer } from '../util/timer-wheel';
import type { Device } from './device';

export type MemberState = 'waiting' | 'observing' | 'failed';

/** What a policy does with what its members hear. */
export interface MemberHearer {
  heard(member: PolicyMember, content: ObservedContent): void;
  warned(member: PolicyMember, path: string, error: Lwm2mError): void;
  ended(member: PolicyMember, path: string, error: Lwm2mError): void;
}

/**
 * One device of a policy, for as long as it is asked for the same paths in the same registration. It is the subscriber of
 * its observations itself, for there are many.
 */
export class PolicyMember implements ObservationSubscriber {
  state: MemberState = 'waiting';
  /** Whether something went wrong that did not end the observation. */
  isWarned = false;
  /** How often it failed since it last succeeded. */
  failures = 0;
  subscription: Subscription | undefined = undefined;
  retry: WheelTimer | undefined = undefined;
  #over = false;
  #abort: AbortController | undefined = undefined;

  /** @param key the paths, as text. */
  constructor(
    private readonly hearer: MemberHearer,
    readonly device: Device,
    readonly client: RegisteredClient,
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

  value(content: ObservedContent): void {
    if (!this.#over) this.hearer.heard(this, content);
  }

  failed(path: string, error: Lwm2mError): void {
    if (this.#over) return;
    this.isWarned = true;
    this.hearer.warned(this, path, error);
  }

  ended(path: string, error: Lwm2mError): void {
    if (!this.#over) this.hearer.ended(this, path, error);
  }
}
