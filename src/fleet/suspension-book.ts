import type { KeyedStore } from '../server';
import type { WheelTimer } from '../util/timer-wheel';
import { Turns } from '../util/turns';
import type { StoredSuspension } from './suspension';

/** A device that was told to go, and the registration that it still has. */
export interface Leaving {
  readonly registrationId: string;
  readonly left: AbortController;
  timer: WheelTimer | undefined;
}

/** A suspension that is not over. */
export interface Suspension {
  stored: StoredSuspension;
  timer: WheelTimer | undefined;
  leaving: Leaving | undefined;
}

/**
 * The suspensions that are not over, in the store and here: what is here is in the store first. Of one device one change
 * at a time.
 */
export class SuspensionBook {
  readonly #store: KeyedStore<StoredSuspension>;
  readonly #suspended = new Map<string, Suspension>();
  readonly #changes = new Turns();
  #closed = false;

  constructor(store: KeyedStore<StoredSuspension>) {
    this.#store = store;
  }

  get size(): number {
    return this.#suspended.size;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get(endpoint: string): Suspension | undefined {
    return this.#suspended.get(endpoint);
  }

  [Symbol.iterator](): IterableIterator<Suspension> {
    return this.#suspended.values();
  }

  /** Whether it is not over. */
  isOpen(suspension: Suspension): boolean {
    return this.#suspended.get(suspension.stored.endpoint) === suspension;
  }

  /** Reads what the store holds. @throws {StoreError} */
  async takeUp(): Promise<void> {
    for await (const [endpoint, stored] of this.#store.all()) {
      if (!this.#suspended.has(endpoint)) this.#open(stored);
    }
  }

  /** Suspends a device, or changes the suspension that it has into this one. Rejects with `StoreError`. */
  put(stored: StoredSuspension): Promise<Suspension> {
    return this.#changes.run(stored.endpoint, async () => {
      await this.#store.put(stored.endpoint, stored);
      const known = this.#suspended.get(stored.endpoint);
      if (known === undefined) return this.#open(stored);
      known.stored = stored;
      return known;
    });
  }

  /** Changes a suspension, unless it is over. Rejects with `StoreError`. */
  change(suspension: Suspension, change: Partial<StoredSuspension>): Promise<void> {
    const { endpoint } = suspension.stored;
    return this.#changes.run(endpoint, async () => {
      if (!this.isOpen(suspension)) return;
      await this.#store.put(endpoint, { ...suspension.stored, ...change });
      suspension.stored = { ...suspension.stored, ...change };
    });
  }

  /** It is over at once; the store follows, and until then says the same. Rejects with `StoreError`. */
  end(suspension: Suspension): Promise<void> {
    const { endpoint } = suspension.stored;
    this.#suspended.delete(endpoint);
    return this.#changes.run(endpoint, async () => {
      // It may have been suspended anew meanwhile.
      if (!this.#suspended.has(endpoint)) await this.#store.remove(endpoint);
    });
  }

  /** What is suspended stays so in the store. */
  close(): void {
    this.#closed = true;
    this.#suspended.clear();
  }

  #open(stored: StoredSuspension): Suspension {
    const suspension: Suspension = { stored, timer: undefined, leaving: undefined };
    if (!this.#closed) this.#suspended.set(stored.endpoint, suspension);
    return suspension;
  }
}
