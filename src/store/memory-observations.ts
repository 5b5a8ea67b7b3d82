import type { ObservationStore, StoredObservation } from '../server';

/** Running observations in the memory of this process. */
export class MemoryObservations implements ObservationStore {
  readonly #byEndpoint = new Map<string, StoredObservation[]>();
  #count = 0;

  put(observation: StoredObservation): void {
    const list = this.#byEndpoint.get(observation.endpoint);
    if (list === undefined) {
      this.#byEndpoint.set(observation.endpoint, [observation]);
      this.#count += 1;
      return;
    }
    const index = list.findIndex(({ token }) => token.equals(observation.token));
    if (index >= 0) {
      list[index] = observation;
    } else {
      list.push(observation);
      this.#count += 1;
    }
  }

  remove(endpoint: string, token: Buffer): boolean {
    const list = this.#byEndpoint.get(endpoint);
    const index = list?.findIndex((observation) => observation.token.equals(token)) ?? -1;
    if (list === undefined || index < 0) return false;
    list.splice(index, 1);
    if (list.length === 0) this.#byEndpoint.delete(endpoint);
    this.#count -= 1;
    return true;
  }

  removeOf(endpoint: string): number {
    const removed = this.#byEndpoint.get(endpoint)?.length ?? 0;
    this.#byEndpoint.delete(endpoint);
    this.#count -= removed;
    return removed;
  }

  has(endpoint: string): boolean {
    return this.#byEndpoint.has(endpoint);
  }

  of(endpoint: string): readonly StoredObservation[] {
    return [...(this.#byEndpoint.get(endpoint) ?? [])];
  }

  *all(): Iterable<StoredObservation> {
    for (const list of this.#byEndpoint.values()) yield* list;
  }

  count(): number {
    return this.#count;
  }
}
