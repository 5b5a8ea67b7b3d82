import type { Awaitable, Registration, RegistrationStore } from '../../server';
import type { Clock } from '../../util/clock';
import { MemoryRegistrations } from '../memory-registrations';
import type { Disk, Table } from './disk';
import { KeyTurns } from './key-turns';
import { RegistrationReader, rowOfRegistration } from './registration-row';
import { textKey } from './text-key';
import type { Restoration, Write } from './write-queue';

const TABLE: Table = {
  file: 'lwm2m',
  name: 'registrations',
  columns: ['endpoint', 'registration', 'objects'],
  key: 1,
  page: 2_000,
};

/** Registrations on the disk; what is safe there is held in memory too, and read from there. */
export class SqliteRegistrations implements RegistrationStore {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #turns = new KeyTurns();
  #memory: MemoryRegistrations;

  constructor(disk: Disk, clock: Clock) {
    this.#disk = disk;
    this.#clock = clock;
    this.#memory = new MemoryRegistrations(clock);
  }

  /** Reads all; each begins a fresh lifetime. */
  async load(): Promise<void> {
    const memory = new MemoryRegistrations(this.#clock);
    const reader = new RegistrationReader();
    for await (const row of this.#disk.rows(TABLE)) memory.put(reader.read(row), 0);
    this.#memory = memory;
  }

  byEndpoint(endpoint: string): Registration | undefined {
    return this.#memory.byEndpoint(endpoint);
  }

  byId(id: string): Registration | undefined {
    return this.#memory.byId(id);
  }

  put(registration: Registration, expectedRevision: number): Awaitable<boolean> {
    return this.#turns.run(registration.endpoint, () => {
      const memory = this.#memory;
      if ((memory.byEndpoint(registration.endpoint)?.revision ?? 0) !== expectedRevision) return false;
      return this.#disk.write(
        putting(registration),
        () => memory.put(registration, expectedRevision),
        () => this.#restoration(registration.endpoint),
      );
    });
  }

  /** Not written: the lifetime begins anew after a restart in any case. */
  renew(endpoint: string, expectedRevision: number): Awaitable<boolean> {
    return this.#turns.run(endpoint, () => this.#memory.renew(endpoint, expectedRevision));
  }

  remove(endpoint: string, expectedRevision: number): Awaitable<boolean> {
    return this.#turns.run(endpoint, () => {
      if (this.#memory.byEndpoint(endpoint)?.revision !== expectedRevision) return false;
      return this.#remove(endpoint, expectedRevision);
    });
  }

  takeExpired(limit: number): Awaitable<readonly Registration[]> {
    const expired = this.#memory.takeDue(limit);
    return expired.length === 0 ? expired : this.#expire(expired);
  }

  all(): Iterable<Registration> {
    return this.#memory.all();
  }

  count(): number {
    return this.#memory.count();
  }

  /** Those that could not be removed stay, and are due again in a moment. */
  async #expire(due: readonly Registration[]): Promise<Registration[]> {
    const removals = due.map(async ({ endpoint, revision }) =>
      // What is just being changed is not forgotten.
      this.#turns.isFree(endpoint) ? this.#turns.run(endpoint, () => this.#remove(endpoint, revision)) : false,
    );
    const outcomes = await Promise.allSettled(removals);
    const removed: Registration[] = [];
    outcomes.forEach((outcome, index) => {
      const registration = due[index];
      if (registration === undefined) return;
      if (outcome.status === 'fulfilled' && outcome.value) removed.push(registration);
      else this.#memory.postpone(registration.endpoint);
    });
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure !== undefined && removed.length === 0) throw failure.reason;
    return removed;
  }

  #remove(endpoint: string, revision: number): Promise<boolean> {
    const memory = this.#memory;
    return this.#disk.write(
      removing(endpoint),
      () => memory.remove(endpoint, revision),
      () => this.#restoration(endpoint),
    );
  }

  #restoration(endpoint: string): Restoration {
    const registration = this.#memory.byEndpoint(endpoint);
    return {
      key: `registration ${endpoint}`,
      writes: [registration === undefined ? removing(endpoint) : putting(registration)],
    };
  }
}

function putting(registration: Registration): Write {
  return { statement: 'putRegistration', parameters: rowOfRegistration(registration) };
}

function removing(endpoint: string): Write {
  return { statement: 'removeRegistration', parameters: [textKey(endpoint)] };
}
