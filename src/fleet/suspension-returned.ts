import type { Clock } from '../util/clock';
import type { SuspensionView } from './suspension';

/** How long those that are back are listed, ms, and how many of them at most. */
const LISTED_FOR = 3600_000;
const MAX_LISTED = 10_000;

/** Devices that have come back from a suspension, for a while. */
export class ReturnedDevices {
  /** Oldest first. */
  readonly #returned = new Map<string, { readonly view: SuspensionView; readonly until: number }>();

  constructor(private readonly clock: Clock) {}

  add(view: SuspensionView): void {
    this.#returned.delete(view.endpoint);
    this.#returned.set(view.endpoint, { view, until: this.clock.now() + LISTED_FOR });
    this.#forget();
  }

  delete(endpoint: string): void {
    this.#returned.delete(endpoint);
  }

  clear(): void {
    this.#returned.clear();
  }

  list(): SuspensionView[] {
    this.#forget();
    return [...this.#returned.values()].map(({ view }) => ({ ...view }));
  }

  #forget(): void {
    const now = this.clock.now();
    for (const [endpoint, { until }] of this.#returned) {
      if (until > now && this.#returned.size <= MAX_LISTED) return;
      this.#returned.delete(endpoint);
    }
  }
}
