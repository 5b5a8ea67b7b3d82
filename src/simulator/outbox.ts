import type { ResourceValue } from '../model';

/** A value and when it was so, ms since 1970. */
export type TimedValue = ResourceValue & { readonly timestamp: number };

/** As many as a device keeps; then the oldest give way (LwM2M Core 1.1 appendix E.1 leaves the number to the device). */
const CAPACITY = 1_000;

/** What a device has recorded and not yet told its server, oldest first. */
export class Outbox {
  #values: TimedValue[] = [];

  get size(): number {
    return this.#values.length;
  }

  add(values: readonly TimedValue[]): void {
    this.#values.push(...values);
    if (this.#values.length > CAPACITY) this.#values.splice(0, this.#values.length - CAPACITY);
  }

  /** The oldest, which stay until they are removed. */
  oldest(count: number): readonly TimedValue[] {
    return this.#values.slice(0, count);
  }

  /** They have arrived. Some may have given way to newer ones meanwhile. */
  remove(values: readonly TimedValue[]): void {
    const gone = new Set(values);
    this.#values = this.#values.filter((value) => !gone.has(value));
  }
}
