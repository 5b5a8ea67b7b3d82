import { randomUUID } from 'node:crypto';
import { AccessDeniedError, CancelledError, InvalidArgumentError, QueueExpiredError, type Lwm2mError } from '../errors';
import type { Operation } from '../server';
import type { Clock } from '../util/clock';

/** How long an order may wait for its confirmation, unless said otherwise, ms. */
const DEFAULT_TIME = 300_000;
const MAX_TIME = 24 * 3600_000;
const MAX_WAITING = 1_000;

/** That a second person must agree before an order goes out. */
export interface ConfirmationWish {
  /** Who may; absent: whoever has the right to do it himself, but who ordered it. */
  readonly by?: readonly string[];
  /** How long it may take, ms; five minutes when absent, a day at most. It does not outlive the process. */
  readonly within?: number;
}

/** An order that waits for a second person. */
export interface WaitingConfirmation {
  readonly id: string;
  /** Who ordered. */
  readonly user: string;
  readonly operation: Operation;
  readonly members: readonly string[];
  /** ms since 1970 */
  readonly until: number;
}

interface Waiting extends WaitingConfirmation {
  readonly by: readonly string[] | undefined;
  readonly given: Promise<void>;
  readonly settle: (error?: Lwm2mError) => void;
}

/** Orders that wait for a second person, in the memory of this process. */
export class Confirmations {
  readonly #waiting = new Map<string, Waiting>();

  constructor(private readonly clock: Clock) {}

  /**
   * Parks an order.
   * @returns what to show, and a promise of the agreement, which rejects with `QueueExpiredError` or `CancelledError`.
   * @throws {InvalidArgumentError} nobody is named who orders, or too many orders wait.
   */
  ask(
    { user, operation, members }: { user: string | undefined; operation: Operation; members: readonly string[] },
    { by, within = DEFAULT_TIME }: ConfirmationWish,
    signal: AbortSignal | undefined,
  ): WaitingConfirmation & { readonly given: Promise<void> } {
    if (user === undefined) throw new InvalidArgumentError('a second person needs a first one: set msg.user');
    if (!(within > 0 && within <= MAX_TIME)) throw new InvalidArgumentError('a confirmation may take up to a day');
    if (this.#waiting.size >= MAX_WAITING) throw new InvalidArgumentError('too many orders wait for a confirmation');
    const id = randomUUID();
    const until = this.clock.now() + within;
    let resolve: () => void = () => undefined;
    let reject: (error: Lwm2mError) => void = () => undefined;
    const given = new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    // An order to nobody awaits it nowhere.
    given.catch(() => undefined);
    const settle = (error?: Lwm2mError): void => {
      this.#waiting.delete(id);
      timer.cancel();
      signal?.removeEventListener('abort', cancelled);
      if (error === undefined) resolve();
      else reject(error);
    };
    const cancelled = (): void => settle(new CancelledError('the order was cancelled'));
    const expired = (): void => settle(new QueueExpiredError('nobody confirmed the order in time'));
    const timer = this.clock.setTimer(expired, within);
    const waiting: Waiting = { id, user, operation, members, until, by, given, settle };
    this.#waiting.set(id, waiting);
    signal?.addEventListener('abort', cancelled, { once: true });
    if (signal?.aborted === true) cancelled();
    return waiting;
  }

  /** @throws {InvalidArgumentError} no order of this id waits. */
  get(id: string): WaitingConfirmation {
    return this.#get(id);
  }

  list(): WaitingConfirmation[] {
    return [...this.#waiting.values()].map(({ id, user, operation, members, until }) => ({
      id,
      user,
      operation,
      members,
      until,
    }));
  }

  /**
   * A second person agrees, and the order goes out.
   * @param denial why somebody may not do the order himself.
   * @throws {InvalidArgumentError} no order of this id waits.
   * @throws {AccessDeniedError} it is the same person, or one who may not.
   */
  confirm(id: string, user: string | undefined, denial: () => Lwm2mError | undefined): void {
    const waiting = this.#get(id);
    if (user === undefined) throw new AccessDeniedError('nobody was named who would confirm the order: set msg.user');
    if (user === waiting.user) throw new AccessDeniedError(`${user} ordered it: another person must confirm`);
    if (waiting.by !== undefined && !waiting.by.includes(user)) {
      throw new AccessDeniedError(`${user} may not confirm the order: it is for ${waiting.by.join(', ')}`);
    }
    const denied = denial();
    if (denied !== undefined) throw denied;
    waiting.settle();
  }

  /** The order is over, whatever came of it. */
  drop(id: string): void {
    this.#waiting.get(id)?.settle(new CancelledError('the order is over'));
  }

  close(): void {
    for (const { settle } of [...this.#waiting.values()]) settle(new CancelledError('the engine was closed'));
  }

  #get(id: string): Waiting {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined)
      throw new InvalidArgumentError('no order waits for this confirmation: it is over, or never was');
    return waiting;
  }
}
