import { StoreError } from '../../errors';
import type { Log } from '../../util/log';
import { storeErrorOf } from './fault';
import type { SqlValue, WriteAnswer, WriteRequest } from './messages';
import type { StatementName } from './schema';

/** Changes that may wait for the disk; at the rate of a good one, a few seconds. */
const MAX_WAITING = 100_000;
/** Of one transaction: so that the first of a batch does not wait long for the last. */
const MAX_BATCH = 1_000;

export interface Write {
  readonly statement: StatementName;
  readonly parameters: readonly SqlValue[];
}

/** What makes the file say again what is held to be true, when nobody knows whether a change got there. */
export interface Restoration {
  /** A later one of the same key takes the place of an earlier one. */
  readonly key: string;
  readonly writes: readonly Write[];
}

interface Waiting {
  readonly write: Write;
  done(rows: number): void;
  failed(error: StoreError): void;
  readonly restore: (() => Restoration) | undefined;
}

export interface WriteQueueOptions {
  readonly directory: string;
  readonly log: Log;
  /** Rejects with `StoreError`. */
  readonly send: (request: WriteRequest) => Promise<WriteAnswer>;
}

/**
 * Group commit: all that is asked for in one turn of the event loop, and while the batch before is under way, is one
 * transaction. Batches are written one after another, in the order in which their changes were asked for.
 */
export class WriteQueue {
  readonly #options: WriteQueueOptions;
  #waiting: Waiting[] = [];
  /** Go before whatever is written next. */
  readonly #restorations = new Map<string, Restoration>();
  /** A batch is, or is about to be. */
  #isUnderWay = false;
  #idle: (() => void)[] = [];
  #inTrouble = false;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  /**
   * Rejects with `StoreError`, then nothing was changed.
   * @param committed is called once the change is on the disk, with the number of rows changed; gives the result.
   */
  write<T>(write: Write, committed: (rows: number) => T, restore?: () => Restoration): Promise<T> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(new StoreError(`too many changes wait for the store in ${this.#options.directory}`));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ write, done: (rows) => resolve(committed(rows)), failed: reject, restore });
      this.#schedule();
    });
  }

  /** Resolves when nothing waits and nothing is under way. */
  async flushed(): Promise<void> {
    if (this.#waiting.length === 0 && !this.#isUnderWay) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Whoever hears of a batch may ask for the next change at once, and whoever asks now is not alone: a turn is waited. */
  #schedule(): void {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    setImmediate(() => void this.#writeNext());
  }

  async #writeNext(): Promise<void> {
    const batch = this.#waiting.length <= MAX_BATCH ? this.#waiting : this.#waiting.slice(0, MAX_BATCH);
    this.#waiting = this.#waiting.length <= MAX_BATCH ? [] : this.#waiting.slice(MAX_BATCH);
    await this.#writeBatch(batch);
    this.#isUnderWay = false;
    if (this.#waiting.length > 0) this.#schedule();
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    const restorations = [...this.#restorations.values()];
    const before = restorations.flatMap(({ writes }) => writes);
    const request = requestOf(before, batch);
    try {
      const answer = await this.#options.send(request);
      this.#restored(restorations, answer);
      this.#settle(batch, before.length, answer);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // The worker has ended; how far it came nobody knows.
      this.#fail(batch, error);
    }
  }

  #settle(batch: readonly Waiting[], offset: number, { rows, failed }: WriteAnswer): void {
    const failures = new Map(failed.map((failure) => [failure.index, failure]));
    const doubtful: Waiting[] = [];
    let trouble: StoreError | undefined;
    batch.forEach((waiting, place) => {
      const failure = failures.size === 0 ? undefined : failures.get(offset + place);
      if (failure === undefined) {
        waiting.done(rows[offset + place] ?? 0);
      } else if (failure.doubtful) {
        trouble ??= storeErrorOf(failure.fault, this.#options.directory);
        doubtful.push(waiting);
      } else {
        waiting.failed(storeErrorOf(failure.fault, this.#options.directory));
      }
    });
    if (trouble === undefined) this.#recovered();
    else this.#fail(doubtful, trouble);
  }

  #fail(batch: readonly Waiting[], error: StoreError): void {
    if (!this.#inTrouble) this.#options.log.error(error.message);
    this.#inTrouble = true;
    for (const waiting of batch) {
      const restoration = waiting.restore?.();
      if (restoration !== undefined) this.#restorations.set(restoration.key, restoration);
    }
    for (const waiting of batch) waiting.failed(error);
  }

  /** All of them are of one file, and its transaction is done or not. */
  #restored(restorations: readonly Restoration[], { failed }: WriteAnswer): void {
    if (failed.some(({ index, doubtful }) => doubtful && index === 0)) return;
    for (const { key } of restorations) this.#restorations.delete(key);
  }

  #recovered(): void {
    if (this.#inTrouble) this.#options.log.info(`the store in ${this.#options.directory} is well again`);
    this.#inTrouble = false;
  }
}

function requestOf(before: readonly Write[], batch: readonly Waiting[]): WriteRequest {
  const statements: StatementName[] = [];
  const parameters: SqlValue[] = [];
  const add = (write: Write) => {
    statements.push(write.statement);
    for (const parameter of write.parameters) parameters.push(parameter);
  };
  for (const write of before) add(write);
  for (const { write } of batch) add(write);
  return { kind: 'write', statements, parameters };
}
