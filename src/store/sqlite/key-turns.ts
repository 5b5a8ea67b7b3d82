import type { Awaitable } from '../../server';

/** Changes of one key, one after another. One that finds its keys free is begun at once. */
export class KeyTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  isFree(key: string): boolean {
    return !this.#last.has(key);
  }

  run<T>(key: string, change: () => Awaitable<T>): Awaitable<T> {
    const before = this.#last.get(key);
    return this.#follow(key, before === undefined ? change() : before.then(change, change));
  }

  /** A change that concerns several keys waits for the changes of all of them, and they wait for it. */
  runAll<T>(keys: readonly string[], change: () => Awaitable<T>): Awaitable<T> {
    const before = keys.flatMap((key) => this.#last.get(key) ?? []);
    const outcome = before.length === 0 ? change() : Promise.allSettled(before).then(change);
    for (const key of keys) void this.#follow(key, outcome);
    return outcome;
  }

  #follow<T>(key: string, outcome: Awaitable<T>): Awaitable<T> {
    if (!(outcome instanceof Promise)) return outcome;
    this.#last.set(key, outcome);
    // How it went is its caller's business.
    const settled = () => {
      if (this.#last.get(key) === outcome) this.#last.delete(key);
    };
    outcome.then(settled, settled);
    return outcome;
  }
}
