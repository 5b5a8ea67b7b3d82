import { StoreError } from '../errors';
import type { StoreHealth } from '../server';
import type { Clock, Timer } from '../util/clock';
import { describeError, type Log } from '../util/log';

/** First and longest wait before a store in trouble is tried again, ms. */
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 30_000;

export interface StoreKeeperOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Opens the store and takes up what it holds. May be called again after it has failed. Rejects with `StoreError`. */
  open(): Promise<void>;
  /** Tries a store that was opened. Rejects with `StoreError` while it is in trouble. */
  check(): Promise<void>;
  /** The store is in trouble, in another one, or well again. */
  changed(error: StoreError | undefined): void;
}

/** Knows how the store is. One that cannot be opened, or fails later, is tried again with growing patience until it is well. */
export class StoreKeeper implements StoreHealth {
  readonly #options: StoreKeeperOptions;
  #isOpen = false;
  #error: StoreError | undefined;
  #patience = FIRST_RETRY;
  #timer: Timer | undefined;
  #attempt: Promise<void> | undefined;
  #isTrying = false;
  #closed = false;
  /** Who waits for the first opening. */
  readonly #waiting = new Set<() => void>();

  constructor(options: StoreKeeperOptions) {
    this.#options = options;
  }

  /** Whether all that the store holds was taken up. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** What ails the store. */
  get error(): StoreError | undefined {
    return this.#error;
  }

  /**
   * Nothing can be ordered and nothing kept before the store is open. Once all is closed, whoever is asked says so himself.
   * @throws {StoreError} what is in the way.
   */
  needOpen(): void {
    if (this.#isOpen || this.#closed) return;
    throw new StoreError(this.#error?.message ?? 'what the store holds is still being taken up', {
      cause: this.#error,
    });
  }

  /** Tries for the first time. A store in trouble is no failure: it is tried again. Rejects with what is not of the store. */
  async start(): Promise<void> {
    const attempt = this.#try();
    this.#attempt = attempt.catch(() => undefined);
    await attempt;
  }

  /** Resolves when the store is open, in trouble or closed, and in any case after so long, ms. */
  async opening(patience: number): Promise<void> {
    if (this.#isOpen || this.#closed || this.#error !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(resolve, patience);
    this.#waiting.add(resolve);
    await promise;
    this.#waiting.delete(resolve);
    timer.cancel();
  }

  /** Somebody could not use the store. */
  failed(error: StoreError): void {
    if (this.#closed) return;
    // What is being tried says how it is.
    if (!this.#isTrying) this.#timer ??= this.#again();
    if (this.#error?.message === error.message) return;
    this.#error = error;
    this.#options.log.error(`the store: ${error.message}`);
    this.#options.changed(error);
    this.#wake();
  }

  /** Something was written durably. */
  succeeded(): void {
    if (this.#error === undefined || this.#closed) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#patience = FIRST_RETRY;
    this.#error = undefined;
    this.#options.log.info('the store is well again');
    this.#options.changed(undefined);
  }

  /** No more tries; resolves when none is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#wake();
    await this.#attempt;
  }

  #again(): Timer {
    const delay = this.#patience;
    this.#patience = Math.min(delay * 2, LONGEST_RETRY);
    return this.#options.clock.setTimer(() => {
      this.#attempt = this.#try().catch((error: unknown) => {
        // Nobody waits for this one, and a store that cannot be taken up is in trouble whatever the fault is.
        this.failed(
          new StoreError(`what the store holds cannot be taken up: ${describeError(error)}`, { cause: error }),
        );
      });
    }, delay);
  }

  async #try(): Promise<void> {
    let trouble: StoreError | undefined;
    this.#isTrying = true;
    try {
      await (this.#isOpen ? this.#options.check() : this.#options.open());
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      trouble = error;
    } finally {
      this.#isTrying = false;
      this.#timer = undefined;
    }
    if (trouble !== undefined) {
      this.failed(trouble);
      return;
    }
    this.#isOpen = true;
    this.succeeded();
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
  }
}
