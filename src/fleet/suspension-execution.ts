import { setMaxListeners } from 'node:events';
import { CancelledError, Lwm2mError, TransportError } from '../errors';
import type { Clock, Timer } from '../util/clock';
import { describeError } from '../util/log';
import { summarize, type SuspensionResult, type SuspensionRun, type SuspensionSummary } from './suspension';

/** How many devices are told at a time. */
const MAX_IN_FLIGHT = 64;
const PROGRESS_INTERVAL = 1000;

/** Many devices being suspended or resumed: a bounded number of them at a time, each with a result of its own. */
export class SuspensionExecution implements SuspensionRun {
  readonly finished: Promise<SuspensionSummary>;
  readonly failures = new Map<string, Lwm2mError>();
  readonly #results: SuspensionResult[];
  readonly #abort = new AbortController();
  #progress: ((summary: SuspensionSummary) => void) | undefined;
  #timer: Timer | undefined;
  #next = 0;

  /**
   * @param act does it to one member. A rejection is the member's failure.
   * @param signal cancels it.
   */
  constructor(
    readonly members: readonly string[],
    private readonly clock: Clock,
    private readonly act: (endpoint: string, signal: AbortSignal) => Promise<SuspensionResult>,
    private readonly signal: AbortSignal | undefined,
  ) {
    // Each member in flight listens to it.
    setMaxListeners(0, this.#abort.signal);
    this.#results = members.map((endpoint) => ({ endpoint, state: 'waiting' }));
    const workers = Array.from({ length: Math.min(MAX_IN_FLIGHT, members.length) }, () => this.#work());
    this.finished = Promise.all(workers).then(() => this.#end());
    signal?.addEventListener('abort', this.#cancelled, { once: true });
    if (signal?.aborted === true) this.cancel();
  }

  onProgress(listener: (summary: SuspensionSummary) => void): void {
    this.#progress = listener;
  }

  cancel(): void {
    this.#abort.abort();
    for (; this.#next < this.members.length; this.#next += 1) {
      this.#failed(this.#next, new CancelledError('cancelled before its turn'));
    }
  }

  readonly #cancelled = (): void => this.cancel();

  async #work(): Promise<void> {
    // Whoever asked for it gets to listen first.
    await Promise.resolve();
    while (this.#next < this.members.length) {
      const index = this.#next;
      const endpoint = this.members[index] ?? '';
      this.#next += 1;
      try {
        this.#set(index, await this.act(endpoint, this.#abort.signal));
      } catch (error) {
        this.#failed(index, error);
      }
    }
  }

  /** What is no error of ours is a fault of ours, and the member fails all the same. */
  #failed(index: number, error: unknown): void {
    const endpoint = this.members[index] ?? '';
    const failure = error instanceof Lwm2mError ? error : new TransportError(describeError(error), { cause: error });
    this.failures.set(endpoint, failure);
    this.#set(index, { endpoint, state: 'failed', error: failure.code });
  }

  #set(index: number, result: SuspensionResult): void {
    this.#results[index] = result;
    if (this.#progress === undefined || this.#timer !== undefined) return;
    this.#timer = this.clock.setTimer(() => {
      this.#timer = undefined;
      this.#progress?.(summarize(this.#results));
    }, PROGRESS_INTERVAL);
  }

  #end(): SuspensionSummary {
    this.#timer?.cancel();
    this.signal?.removeEventListener('abort', this.#cancelled);
    return summarize(this.#results);
  }
}
