import type { Lwm2mError } from '../errors';
import type { Channel } from '../transport/transport';
import type { ChannelState } from './channel-state';
import type { CoapObservation, CoapRequest, CoapResponse, Observer } from './types';

/** Sequence numbers have 24 bits; half of them are ahead of any given one (RFC 7641 s3.4). */
const HALF = 2 ** 23;

/** After this many ms a notification is fresh whatever its number (RFC 7641 s3.4). */
const FRESH_AFTER = 128_000;

/** How many notifications, the newest, are held back while the first value is fetched block by block. */
const MOST_WAITING = 16;

/** Shared by all observations for which nothing waits. */
const NONE: CoapResponse[] = [];

/** What an observation needs of those who hold it. */
export interface ObservationHolder {
  /** Takes it off the list, so that its token is unknown from now on. */
  drop(observation: Observation): void;
  /** Asks the device to end it by a GET with Observe=1. */
  cancelByGet(observation: Observation): Promise<void>;
  /** Its observer threw, which it should not. */
  observerFailed(observation: Observation, error: unknown): void;
}

/** An observation of ours (RFC 7641), from the request that begins it. */
export class Observation implements CoapObservation {
  /** Counts fresh notifications, so that a body that is slow to come does not overtake a newer one. */
  generation = 0;
  #sequence: number | undefined;
  #heardAt = 0;
  #answered: boolean;
  #over = false;
  #waiting: CoapResponse[] = NONE;
  #endedBy: CoapResponse | Lwm2mError | undefined;

  constructor(
    readonly holder: ObservationHolder,
    /** It follows a device whose address changes. */
    public state: ChannelState,
    readonly token: Buffer,
    readonly request: CoapRequest,
    readonly observer: Observer,
    /** Whether it holds already, as one that is restored; else `answered()` says when it does. */
    holds: boolean,
  ) {
    this.#answered = holds;
  }

  get channel(): Channel {
    return this.state.channel;
  }

  get isOver(): boolean {
    return this.#over;
  }

  async cancel(how: 'get' | 'reset'): Promise<void> {
    if (this.#over) return;
    const told = how === 'get' ? this.holder.cancelByGet(this) : undefined;
    // With `reset` its token is unknown from now on, and the next notification is answered with RST.
    this.forget();
    await told;
  }

  forget(): void {
    this.#waiting = NONE;
    this.#endedBy = undefined;
    if (this.#over) return;
    this.#over = true;
    this.holder.drop(this);
  }

  /** RFC 7641 s3.4: whether a notification that comes at `now` (ms) with this number is newer than those before. */
  isFresh(sequence: number, now: number): boolean {
    const last = this.#sequence;
    const ahead = last === undefined ? 0 : sequence - last;
    const fresh =
      last === undefined || (ahead > 0 && ahead < HALF) || ahead < -HALF || now > this.#heardAt + FRESH_AFTER;
    if (!fresh) return false;
    this.#sequence = sequence;
    this.#heardAt = now;
    this.generation += 1;
    return true;
  }

  /** The first value is there: what came meanwhile follows when the caller of `observe` has had its turn. */
  answered(): void {
    if (this.#waiting.length === 0 && this.#endedBy === undefined) this.#answered = true;
    else setImmediate(() => this.#catchUp());
  }

  /** Hands a notification to the observer, once the first value is there. */
  notify(response: CoapResponse): void {
    if (this.#answered) {
      this.#tellNotified(response);
      return;
    }
    this.#waiting = [...this.#waiting, response].slice(-MOST_WAITING);
  }

  /** It is over, and not by us. */
  end(reason: CoapResponse | Lwm2mError): void {
    if (this.#over) return;
    this.#over = true;
    this.holder.drop(this);
    if (this.#answered) this.#tellEnded(reason);
    else this.#endedBy = reason;
  }

  #catchUp(): void {
    this.#answered = true;
    const waiting = this.#waiting;
    this.#waiting = NONE;
    for (const response of waiting) this.#tellNotified(response);
    if (this.#endedBy !== undefined) this.#tellEnded(this.#endedBy);
  }

  #tellNotified(response: CoapResponse): void {
    try {
      this.observer.notified(response);
    } catch (error) {
      this.holder.observerFailed(this, error);
    }
  }

  #tellEnded(reason: CoapResponse | Lwm2mError): void {
    try {
      this.observer.ended(reason);
    } catch (error) {
      this.holder.observerFailed(this, error);
    }
  }
}
