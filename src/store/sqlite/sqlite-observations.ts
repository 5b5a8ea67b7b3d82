import type { Awaitable, ObservationStore, StoredObservation } from '../../server';
import { kept, restored } from '../kept';
import { MemoryObservations } from '../memory-observations';
import type { Disk, Table } from './disk';
import { bytesOf } from './sql-bytes';
import { textKey } from './text-key';
import type { Restoration, Write } from './write-queue';

const TABLE: Table = {
  file: 'lwm2m',
  name: 'observations',
  columns: ['endpoint', 'token', 'observation'],
  key: 2,
  page: 2_000,
};

/** Running observations on the disk; what is safe there is held in memory too, and read from there. */
export class SqliteObservations implements ObservationStore {
  readonly #disk: Disk;
  /** How many changes of an endpoint are under way. */
  readonly #underWay = new Map<string, number>();
  #memory = new MemoryObservations();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async load(): Promise<void> {
    const memory = new MemoryObservations();
    for await (const [, , observation] of this.#disk.rows(TABLE)) {
      memory.put(restored(bytesOf(observation)) as StoredObservation);
    }
    this.#memory = memory;
  }

  put(observation: StoredObservation): Promise<void> {
    return this.#write(observation.endpoint, putting(observation), () => this.#memory.put(observation));
  }

  remove(endpoint: string, token: Buffer): Awaitable<boolean> {
    if (this.#hasNone(endpoint)) return false;
    return this.#write(endpoint, removing(endpoint, token), () => this.#memory.remove(endpoint, token));
  }

  removeOf(endpoint: string): Awaitable<number> {
    if (this.#hasNone(endpoint)) return 0;
    return this.#write(endpoint, removingOf(endpoint), () => this.#memory.removeOf(endpoint));
  }

  of(endpoint: string): readonly StoredObservation[] {
    return this.#memory.of(endpoint);
  }

  all(): Iterable<StoredObservation> {
    return this.#memory.all();
  }

  count(): number {
    return this.#memory.count();
  }

  /** And will have none, whatever is under way. */
  #hasNone(endpoint: string): boolean {
    return !this.#underWay.has(endpoint) && !this.#memory.has(endpoint);
  }

  /** Changes take effect in the order in which they were asked for: each is judged when its turn has come. */
  async #write<T>(endpoint: string, write: Write, committed: () => T): Promise<T> {
    const underWay = this.#underWay.get(endpoint) ?? 0;
    this.#underWay.set(endpoint, underWay + 1);
    try {
      return await this.#disk.write(write, committed, () => this.#restoration(endpoint));
    } finally {
      const left = (this.#underWay.get(endpoint) ?? 1) - 1;
      if (left > 0) this.#underWay.set(endpoint, left);
      else this.#underWay.delete(endpoint);
    }
  }

  #restoration(endpoint: string): Restoration {
    return {
      key: `observations ${endpoint}`,
      writes: [removingOf(endpoint), ...this.#memory.of(endpoint).map(putting)],
    };
  }
}

function putting(observation: StoredObservation): Write {
  return {
    statement: 'putObservation',
    parameters: [textKey(observation.endpoint), Uint8Array.from(observation.token), kept(observation)],
  };
}

function removing(endpoint: string, token: Buffer): Write {
  return { statement: 'removeObservation', parameters: [textKey(endpoint), Uint8Array.from(token)] };
}

function removingOf(endpoint: string): Write {
  return { statement: 'removeObservationsOf', parameters: [textKey(endpoint)] };
}
