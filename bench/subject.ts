import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';

/**
 * A subject is the program under measurement, in a process of its own: the load comes from another process and is not
 * counted. It answers commands over IPC; `cpu` and `heap` are answered for it, the rest is its own.
 */
export type Command = { id: number; name: string; argument?: unknown };
export type Answer = { id: number; value?: unknown; error?: string };
export interface Usage {
  cpuSeconds: number;
  heapBytes: number;
}

/** Used by the parent: starts and talks to a subject. */
export class Subject {
  private nextId = 1;
  private readonly waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (answer: Answer) => {
      const waiter = this.waiting.get(answer.id);
      this.waiting.delete(answer.id);
      if (answer.error === undefined) waiter?.resolve(answer.value);
      else waiter?.reject(new Error(answer.error));
    });
    child.on('exit', (code) => {
      for (const waiter of this.waiting.values()) waiter.reject(new Error(`the subject ended with code ${code}`));
    });
  }

  static start(name: string): Subject {
    const file = path.join(__dirname, 'servers', `${name}.ts`);
    return new Subject(fork(file, [], { execArgv: ['--import', 'tsx', '--expose-gc'] }));
  }

  ask<T>(name: string, argument?: unknown): Promise<T> {
    const id = this.nextId++;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve: (value) => resolve(value as T), reject });
      this.child.send({ id, name, argument } satisfies Command);
    });
  }

  /** Runs `work` and gives back the main-thread CPU seconds that the subject spent meanwhile. */
  async cpuDuring(work: () => Promise<void>): Promise<number> {
    const before = await this.ask<number>('cpu');
    await work();
    return (await this.ask<number>('cpu')) - before;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.child.once('exit', () => resolve());
      this.child.kill();
    });
  }
}
