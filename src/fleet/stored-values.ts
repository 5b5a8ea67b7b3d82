import { StoreError } from '../errors';
import type { KeyedStore } from '../server';
import type { Clock, Timer } from '../util/clock';
import { describeError, rateLimited, type Log } from '../util/log';
import type { Device } from './device';
import type { StoredDeviceValues } from './device-values';
import type { Devices } from './devices';

/** How often what has changed is written, ms. */
const INTERVAL = 1000;
/** How many devices are written at a time. */
const MAX_BATCH = 1000;
const LOG_LINES_PER_MINUTE = 1;

export interface StoredValuesContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: KeyedStore<StoredDeviceValues>;
  readonly devices: Devices;
}

/**
 * What was commanded to devices and what they reported, written behind: a change costs a mark, and at most once a second
 * the devices longest marked are written. The last moments may be lost with the machine, never with an orderly end.
 */
export class StoredValues {
  readonly #context: StoredValuesContext;
  readonly #log: Log;
  /** Whose values are to be written, and (`undefined`) removed; those longest marked first. */
  readonly #marked = new Map<string, Device | undefined>();
  /** What the store held of devices that are not known yet. */
  #restored = new Map<string, StoredDeviceValues>();
  #timer: Timer | undefined;
  #writing: Promise<boolean> | undefined;
  #closed = false;

  constructor(context: StoredValuesContext) {
    this.#context = context;
    this.#log = rateLimited(context.log, context.clock, LOG_LINES_PER_MINUTE);
  }

  /** Reads what the store holds. @throws {StoreError} */
  async takeUp(): Promise<void> {
    const restored = new Map<string, StoredDeviceValues>();
    for await (const [endpoint, stored] of this.#context.store.all()) restored.set(endpoint, stored);
    this.#restored = restored;
  }

  /** All devices are known that are registered or have a record. Of others as many are remembered as may be offline. */
  restore(): void {
    for (const [endpoint, stored] of this.#restored) this.#context.devices.remembered(endpoint).values.restore(stored);
    this.#restored.clear();
  }

  /** The values of the device have changed. */
  changed(device: Device): void {
    this.#marked.set(device.endpoint, device);
    this.#setTimer();
  }

  /** The device is not known any more. */
  forgotten({ endpoint, knownValues }: Device): void {
    if (knownValues === undefined) return;
    this.#marked.set(endpoint, undefined);
    this.#setTimer();
  }

  /** Writes at once what has changed up to now. What the store refuses is tried again as ever. */
  async flush(): Promise<void> {
    await this.#writing;
    for (let left = this.#marked.size; left > 0; left -= MAX_BATCH) if (!(await this.#write())) break;
    if (this.#marked.size > 0) this.#setTimer();
  }

  /** Writes all that has changed; to be called when nothing changes any more. What the store refuses is lost, and logged. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.flush();
    if (this.#marked.size === 0) return;
    this.#context.log.error(`the last values of ${this.#marked.size} devices were not stored`);
  }

  #setTimer(): void {
    if (this.#timer !== undefined || this.#writing !== undefined || this.#closed) return;
    this.#timer = this.#context.clock.setTimer(() => {
      this.#timer = undefined;
      this.#writing = this.#write()
        .catch((error: unknown) => {
          this.#log.error(`values of devices: ${describeError(error)}`);
          return false;
        })
        .finally(() => {
          this.#writing = undefined;
          if (this.#marked.size > 0) this.#setTimer();
        });
    }, INTERVAL);
  }

  /** Writes a batch. @returns whether the store took it; what it did not take is marked again. */
  async #write(): Promise<boolean> {
    const batch: [string, Device | undefined][] = [];
    for (const entry of this.#marked) {
      if (batch.length >= MAX_BATCH) break;
      batch.push(entry);
      this.#marked.delete(entry[0]);
    }
    const written = await Promise.all(batch.map(([endpoint, device]) => this.#writeOne(endpoint, device)));
    return written.every((success) => success);
  }

  async #writeOne(endpoint: string, device: Device | undefined): Promise<boolean> {
    const { store } = this.#context;
    try {
      const values = device?.knownValues;
      if (values === undefined) await store.remove(endpoint);
      else await store.put(endpoint, values.toStore());
      return true;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#log.warn(`values of devices are not stored, and tried again: ${error.message}`);
      if (!this.#marked.has(endpoint)) this.#marked.set(endpoint, device);
      return false;
    }
  }
}
