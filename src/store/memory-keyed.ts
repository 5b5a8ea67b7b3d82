import type { KeyedStore } from '../server';
import { kept, restored } from './kept';

/** Things by an id in the memory of this process. */
export class MemoryKeyed<T> implements KeyedStore<T> {
  /** As a disk would keep them: nobody changes what is kept by changing what he gave or got. */
  readonly #things = new Map<string, Buffer>();

  put(id: string, thing: T): void {
    this.#things.set(id, kept(thing));
  }

  remove(id: string): boolean {
    return this.#things.delete(id);
  }

  *all(): Iterable<readonly [string, T]> {
    for (const [id, bytes] of this.#things) yield [id, restored(bytes) as T];
  }
}
