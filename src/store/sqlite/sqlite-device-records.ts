import { credentialOf, type DeviceRecord, type DeviceRecordStore } from '../../fleet';
import type { Awaitable } from '../../server';
import { kept, restored } from '../kept';
import { MemoryDeviceRecords } from '../memory-device-records';
import type { Disk, Table } from './disk';
import { KeyTurns } from './key-turns';
import { bytesOf } from './sql-bytes';
import { textKey } from './text-key';
import type { Restoration, Write } from './write-queue';

const TABLE: Table = { file: 'lwm2m', name: 'devices', columns: ['endpoint', 'record'], key: 1, page: 2_000 };

/** Device records on the disk; what is safe there is held in memory too, and read from there. */
export class SqliteDeviceRecords implements DeviceRecordStore {
  readonly #disk: Disk;
  readonly #turns = new KeyTurns();
  #memory = new MemoryDeviceRecords();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async load(): Promise<void> {
    const memory = new MemoryDeviceRecords();
    for await (const [, record] of this.#disk.rows(TABLE)) memory.put(restored(bytesOf(record)) as DeviceRecord, 0);
    this.#memory = memory;
  }

  get(endpoint: string): DeviceRecord | undefined {
    return this.#memory.get(endpoint);
  }

  put(record: DeviceRecord, expectedRevision: number): Awaitable<boolean> {
    const { endpoint } = record;
    return this.#turns.runAll(this.#keysOf(endpoint, record), () => {
      if (!this.#memory.accepts(record, expectedRevision)) return false;
      return this.#disk.write(
        putting(record),
        () => this.#memory.put(record, expectedRevision),
        () => this.#restoration(endpoint),
      );
    });
  }

  remove(endpoint: string, expectedRevision: number): Awaitable<boolean> {
    return this.#turns.runAll(this.#keysOf(endpoint), () => {
      if (this.#memory.get(endpoint)?.revision !== expectedRevision) return false;
      return this.#disk.write(
        removing(endpoint),
        () => this.#memory.remove(endpoint, expectedRevision),
        () => this.#restoration(endpoint),
      );
    });
  }

  all(): Iterable<DeviceRecord> {
    return this.#memory.all();
  }

  byPskIdentity(identity: string): DeviceRecord | undefined {
    return this.#memory.byPskIdentity(identity);
  }

  byPublicKey(publicKey: Buffer): DeviceRecord | undefined {
    return this.#memory.byPublicKey(publicKey);
  }

  byCertificateName(name: string): DeviceRecord | undefined {
    return this.#memory.byCertificateName(name);
  }

  /** What no two changes may concern at the same time: the endpoint, and the credential that it gains or gives up. */
  #keysOf(endpoint: string, next?: DeviceRecord): string[] {
    const credentials = [this.#memory.get(endpoint), next].flatMap((record) => credentialOf(record?.security) ?? []);
    return [`ep ${endpoint}`, ...new Set(credentials)];
  }

  #restoration(endpoint: string): Restoration {
    const record = this.#memory.get(endpoint);
    return { key: `device ${endpoint}`, writes: [record === undefined ? removing(endpoint) : putting(record)] };
  }
}

function putting(record: DeviceRecord): Write {
  return { statement: 'putDevice', parameters: [textKey(record.endpoint), kept(record)] };
}

function removing(endpoint: string): Write {
  return { statement: 'removeDevice', parameters: [textKey(endpoint)] };
}
