import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

export type Command = { id: number; name: string; argument?: unknown };
export type Answer = { id: number; value?: unknown; error?: string };

/**
 * A subject is the program under measurement, in a process of its own: the load comes from this process and is not
 * counted. It answers commands over IPC; those about its CPU, memory and event loop are answered for it (`serve`), the rest is
 * its own.
 */
export class Subject {
  /** Rejects when the process ends before it is stopped, so that nobody waits for answers of a dead one. */
  readonly died: Promise<never>;
  private nextId = 1;
  private readonly waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();

  private constructor(
    name: string,
    private readonly child: ChildProcess,
  ) {
    child.on('message', (answer: Answer) => {
      const waiter = this.waiting.get(answer.id);
      this.waiting.delete(answer.id);
      if (answer.error === undefined) waiter?.resolve(answer.value);
      else waiter?.reject(new Error(answer.error));
    });
    this.died = new Promise((_resolve, reject) => {
      child.once('exit', (code, signal) => {
        const error = new Error(`${name} ended with ${signal ?? `code ${code}`}`);
        for (const { reject: fail } of this.waiting.values()) fail(error);
        reject(error);
      });
    });
    // Whoever runs something on it hears of it; after `stop` nobody does.
    this.died.catch(() => undefined);
  }

  static start(name: string, args: readonly string[] = []): Subject {
    const file = path.join(__dirname, 'servers', `${name}.ts`);
    return new Subject(name, fork(file, args, { execArgv: ['--import', 'tsx', '--expose-gc'] }));
  }

  ask<T>(name: string, argument?: unknown): Promise<T> {
    const id = this.nextId++;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve: (value) => resolve(value as T), reject });
      this.child.send({ id, name, argument } satisfies Command);
    });
  }

  /** Runs `work` and gives back the CPU seconds that the subject spent meanwhile. */
  async cpuDuring(work: () => Promise<unknown>): Promise<number> {
    const before = await this.ask<number>('cpu');
    await Promise.race([work(), this.died]);
    return (await this.ask<number>('cpu')) - before;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill();
    await ended;
  }
}
