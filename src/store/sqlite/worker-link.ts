import { createRequire } from 'node:module';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { StoreError } from '../../errors';
import { storeErrorOf } from './fault';
import type { Answer, AnswerOf, Numbered, Request, WorkerData } from './messages';

interface Outstanding {
  resolve(value: AnswerOf[keyof AnswerOf]): void;
  reject(error: StoreError): void;
}

/** The worker is the module beside this one: JavaScript when built, TypeScript when run by tsx. */
const EXTENSION = path.extname(__filename);

function startWorker(workerData: WorkerData): Worker {
  return new Worker(path.join(__dirname, `sqlite-worker${EXTENSION}`), {
    workerData,
    // Nothing of the options of the main thread, such as those of a debugger or a profiler.
    execArgv: EXTENSION === '.ts' ? ['--require', createRequire(__filename).resolve('tsx/cjs')] : [],
  });
}

/** Asks the worker, and starts another when it has died. A process that waits for no answer may end. */
export class WorkerLink {
  readonly #data: WorkerData;
  readonly #outstanding = new Map<number, Outstanding>();
  #worker: Worker | undefined;
  #last = 0;

  constructor(data: WorkerData) {
    this.#data = data;
  }

  /** Rejects with `StoreError`. */
  ask<R extends Request>(request: R): Promise<AnswerOf[R['kind']]> {
    const worker = (this.#worker ??= this.#start());
    this.#last += 1;
    const number = this.#last;
    return new Promise<AnswerOf[R['kind']]>((resolve, reject) => {
      if (this.#outstanding.size === 0) worker.ref();
      this.#outstanding.set(number, { resolve: resolve as Outstanding['resolve'], reject });
      worker.postMessage({ number, request } satisfies Numbered);
    });
  }

  /** Ends the worker at once; what is outstanding fails. */
  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = startWorker(this.#data);
    let reason: Error | undefined;
    worker.on('message', (answer: Answer) => this.#answered(answer, worker));
    worker.on('error', (error: Error) => (reason = error));
    // Its answer is lost: it is asked again as one that has died.
    worker.on('messageerror', (error) => {
      reason = error;
      void worker.terminate();
    });
    worker.on('exit', () => {
      this.#worker = undefined;
      const error = new StoreError(`the worker of the store in ${this.#data.directory} has ended`, { cause: reason });
      for (const asked of this.#takeOutstanding()) asked.reject(error);
    });
    return worker;
  }

  #answered(answer: Answer, worker: Worker): void {
    const asked = this.#outstanding.get(answer.number);
    this.#outstanding.delete(answer.number);
    if (this.#outstanding.size === 0) worker.unref();
    if ('fault' in answer) asked?.reject(storeErrorOf(answer.fault, this.#data.directory));
    else asked?.resolve(answer.value);
  }

  #takeOutstanding(): Outstanding[] {
    const all = [...this.#outstanding.values()];
    this.#outstanding.clear();
    return all;
  }
}
