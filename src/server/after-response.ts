import type { Log } from '../util/log';

/**
 * What is to be done when the response to a device is on its way: nothing is sent to a device before its Register is
 * answered, and events follow effects (order of effects: store, respond, emit). Tasks run in order.
 */
export class AfterResponse {
  #tasks: (() => void)[] = [];
  #scheduled: NodeJS.Immediate | undefined;

  constructor(private readonly log: Log) {}

  defer(task: () => void): void {
    this.#tasks.push(task);
    this.#scheduled ??= setImmediate(() => this.#run());
  }

  /** Drops what was not done yet. */
  close(): void {
    clearImmediate(this.#scheduled);
    this.#tasks = [];
  }

  #run(): void {
    const tasks = this.#tasks;
    this.#tasks = [];
    this.#scheduled = undefined;
    for (const task of tasks) {
      try {
        task();
      } catch (error) {
        // A listener's fault must not keep the others from hearing.
        this.log.error(`a listener failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      }
    }
  }
}
