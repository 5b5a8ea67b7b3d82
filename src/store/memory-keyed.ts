import type { KeyedStore } from '../server';

/** Things by an id in the memory of this process. */
export class MemoryKeyed<T> implements KeyedStore<T> {
  readonly #things = new Map<string, T>();

  put(id: string, thing: T): void {
    this.#things.set(id, thing);
  }

  remove(id: string): boolean {
    return this.#things.delete(id);
  }

  *all(): Iterable<readonly [string, T]> {
    yield* this.#things;
  }
}
