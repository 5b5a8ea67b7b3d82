import type { Awaitable, ObservationStore, StoredObservation } from '../../server';
import { kept, restored } from '../kept';
import { MemoryObservations } from '../memory-observations';
import type { Disk, Table } from './disk';
import { KeyTurns } from './key-turns';
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
  readonly #turns = new KeyTurns();
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

  put(observation: StoredObservation): Awaitable<void> {
    const { endpoint } = observation;
    return this.#turns.run(endpoint, () =>
      this.#disk.write(
        putting(observation),
        () => this.#memory.put(observation),
        () => this.#restoration(endpoint),
      ),
    );
  }

  remove(endpoint: string, token: Buffer): Awaitable<boolean> {
    return this.#turns.run(endpoint, () => {
      if (!this.#memory.of(endpoint).some((observation) => observation.token.equals(token))) return false;
      return this.#disk.write(
        { statement: 'removeObservation', parameters: [textKey(endpoint), Uint8Array.from(token)] },
        () => this.#memory.remove(endpoint, token),
        () => this.#restoration(endpoint),
      );
    });
  }

  removeOf(endpoint: string): Awaitable<number> {
    return this.#turns.run(endpoint, () => {
      if (this.#memory.of(endpoint).length === 0) return 0;
      return this.#disk.write(
        removingOf(endpoint),
        () => this.#memory.removeOf(endpoint),
        () => this.#restoration(endpoint),
      );
    });
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

function removingOf(endpoint: string): Write {
  return { statement: 'removeObservationsOf', parameters: [textKey(endpoint)] };
}
