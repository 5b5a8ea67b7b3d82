import { Lwm2mError, StoreError } from '../errors';
import type { KeyedStore, StoredOrder } from './store';

/** The orders in the store. What it refuses is an answer here and no exception. */
export class StoredOrders {
  /** Ids of orders that are over and that the store would not let go. */
  #undeleted = new Set<string>();

  /** @param failed the store is in trouble. */
  constructor(
    private readonly store: KeyedStore<StoredOrder>,
    private readonly failed: (error: StoreError) => void,
  ) {}

  /** All of them, oldest first. @throws {StoreError} */
  async all(): Promise<(readonly [id: string, order: StoredOrder])[]> {
    const found: (readonly [string, StoredOrder])[] = [];
    for await (const entry of this.store.all()) found.push(entry);
    return found.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** @returns why the store has it not. */
  async put(id: string, order: StoredOrder): Promise<Lwm2mError | undefined> {
    try {
      await this.store.put(id, order);
      return undefined;
    } catch (error) {
      if (error instanceof StoreError) this.failed(error);
      if (error instanceof Lwm2mError) return error;
      throw error;
    }
  }

  /** Takes an order out, now or when the store is well again (`retry`). */
  async delete(id: string): Promise<void> {
    try {
      await this.store.remove(id);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#undeleted.add(id);
      this.failed(error);
    }
  }

  /** To be called now and then. */
  retry(): void {
    if (this.#undeleted.size === 0) return;
    const ids = this.#undeleted;
    this.#undeleted = new Set();
    for (const id of ids) void this.delete(id);
  }
}
