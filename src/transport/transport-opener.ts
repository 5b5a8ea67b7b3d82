import { TransportError } from '../errors';
import type { Clock, Timer } from '../util/clock';
import type { Transport } from './transport';

/** How long a transport that could not be opened waits for its next try, ms. */
const RETRY = 5_000;

export interface TransportOpenerOptions {
  readonly clock: Clock;
  open(transport: Transport): Promise<void>;
  /** Told why a transport is not open, and `undefined` when all are. Not while `start` is under way. */
  changed(error: TransportError | undefined): void;
}

/**
 * Opens transports, each for itself: a port that is taken keeps no other from working, and is tried again until it is
 * free.
 */
export class TransportOpener {
  readonly #options: TransportOpenerOptions;
  readonly #failed = new Map<Transport, TransportError>();
  #timer: Timer | undefined;
  #attempt: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: TransportOpenerOptions) {
    this.#options = options;
  }

  /** Why the first of the transports that are not open is not. */
  get error(): TransportError | undefined {
    return this.#failed.values().next().value;
  }

  /** @throws {TransportError} none of them can be opened. @throws {InvalidArgumentError} one never can be. */
  async start(transports: readonly Transport[]): Promise<void> {
    for (const transport of transports) await this.#open(transport);
    if (this.error === undefined) return;
    if (this.#failed.size === transports.length) throw this.error;
    this.#schedule();
  }

  /** No more tries; resolves when none is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#attempt;
  }

  async #open(transport: Transport): Promise<void> {
    try {
      await this.#options.open(transport);
      this.#failed.delete(transport);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      this.#failed.set(transport, error);
    }
  }

  #schedule(): void {
    this.#timer = this.#options.clock.setTimer(() => {
      this.#attempt = this.#retry();
    }, RETRY);
  }

  async #retry(): Promise<void> {
    for (const transport of [...this.#failed.keys()]) await this.#open(transport);
    if (this.#closed) return;
    this.#options.changed(this.error);
    if (this.error !== undefined) this.#schedule();
  }
}
