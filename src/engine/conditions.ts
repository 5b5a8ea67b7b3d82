import type { ErrorCode } from '../errors';
import type { Clock } from '../util/clock';
import type { Overload } from './load-gate';

/** What keeps a server from all that it should do. */
export type Concern = 'store' | 'port' | 'overload';

/** A trouble of the server itself: what it is about, and since when. */
export interface ServerCondition {
  readonly about: Concern;
  readonly code: ErrorCode | 'OVERLOAD';
  /** For people. */
  readonly message: string;
  /** When the trouble began, ms since 1970. */
  readonly since: number;
  /** Of an overload: how many registrations were put off so far, and the event loop's worst lag, ms. */
  readonly putOff?: Overload['putOff'];
  readonly lag?: number;
}

/** Something that happened to the server itself. The payload is fresh for each event and its reader's to change. */
export interface ServerEvent {
  readonly topic: 'trouble' | 'recovered';
  readonly payload: ServerCondition;
}

export interface ConditionsOptions {
  readonly clock: Clock;
  readonly emit: (event: ServerEvent) => void;
}

/** Says each trouble once when it begins, or becomes another, and once when it is over. */
export class Conditions {
  readonly #options: ConditionsOptions;
  readonly #troubles = new Map<Concern, ServerCondition>();

  constructor(options: ConditionsOptions) {
    this.#options = options;
  }

  /** The store or a port is in trouble; `undefined`: it is well. */
  set(about: 'store' | 'port', error: { readonly code: ErrorCode; readonly message: string } | undefined): void {
    const known = this.#troubles.get(about);
    if (error === undefined) {
      if (known !== undefined) this.#recovered({ ...known, message: `the ${about} is well again` });
    } else if (known?.message !== error.message) {
      const { code, message } = error;
      this.#troubled({ about, code, message, since: known?.since ?? this.#options.clock.now() });
    }
  }

  overloaded(overload: Overload): void {
    this.#troubled({
      ...conditionOf(overload),
      message: `the event loop is ${overload.lag} ms late: registrations of lower priority are put off`,
    });
  }

  overloadEnded(overload: Overload): void {
    const { low, normal } = overload.putOff;
    const seconds = Math.round((this.#options.clock.now() - overload.since) / 1000);
    this.#recovered({
      ...conditionOf(overload),
      message: `${low + normal} registrations were put off within ${seconds} s; the event loop was ${overload.lag} ms late`,
    });
  }

  #troubled(condition: ServerCondition): void {
    this.#troubles.set(condition.about, condition);
    this.#options.emit({ topic: 'trouble', payload: { ...condition } });
  }

  #recovered(condition: ServerCondition): void {
    this.#troubles.delete(condition.about);
    this.#options.emit({ topic: 'recovered', payload: condition });
  }
}

function conditionOf({ since, lag, putOff }: Overload): Omit<ServerCondition, 'message'> {
  return { about: 'overload', code: 'OVERLOAD', since, lag, putOff };
}
