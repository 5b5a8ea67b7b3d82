import { setMaxListeners } from 'node:events';
import { CancelledError, Lwm2mError, TransportError } from '../errors';
import type { Clock, Timer } from '../util/clock';
import { describeError } from '../util/log';
import { summarize, type SuspensionResult, type SuspensionRun, type SuspensionSummary } from './suspension';

/** How many devices are told at a time. */
const MAX_IN_FLIGHT = 64;
const PROGRESS_INTERVAL = 1000;

/** A suspension of many devices under way: a bounded number of them at a time, each with a result of its own. */
export class SuspensionExecution implements SuspensionRun {
  readonly finished: Promise<SuspensionSummary>;
  readonly #results: SuspensionResult[];
  readonly #abort = new AbortController();
  #progress: ((summary: SuspensionSummary) => void) | undefined;
  #timer: Timer | undefined;
  #next = 0;

  /**
   * @param suspend does it to one member. A rejection is the member's failure.
   * @param signal cancels it.
   */
  constructor(
    readonly members: readonly string[],
    private readonly clock: Clock,
    private readonly suspend: (endpoint: string, signal: AbortSignal) => Promise<SuspensionResult>,
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
    const error = new CancelledError('the suspension was cancelled');
    for (; this.#next < this.members.length; this.#next += 1) {
      this.#set(this.#next, failureOf(this.members[this.#next] ?? '', error));
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
        this.#set(index, await this.suspend(endpoint, this.#abort.signal));
      } catch (error) {
        this.#set(index, failureOf(endpoint, error));
      }
    }
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

/** A member that failed. What is no error of ours is a fault of ours, and fails all the same. */
export function failureOf(endpoint: string, error: unknown): SuspensionResult {
  const { code } = error instanceof Lwm2mError ? error : new TransportError(describeError(error), { cause: error });
  return { endpoint, state: 'failed', error: code };
}
