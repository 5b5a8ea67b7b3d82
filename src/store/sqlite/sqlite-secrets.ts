import type { SecretStore } from '../../fleet';
import type { Awaitable } from '../../server';
import { MemorySecrets } from '../memory-secrets';
import type { Disk, Table } from './disk';
import { KeyTurns } from './key-turns';
import { bytesOf } from './sql-bytes';
import { textKey, textOfKey } from './text-key';

const TABLE: Table = { file: 'lwm2m', name: 'secrets', columns: ['name', 'secret'], key: 1, page: 1_000 };

/** The server's own secrets on the disk; what is safe there is held in memory too. */
export class SqliteSecrets implements SecretStore {
  readonly #disk: Disk;
  readonly #turns = new KeyTurns();
  #memory = new MemorySecrets();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async load(): Promise<void> {
    const memory = new MemorySecrets();
    for await (const [name, secret] of this.#disk.rows(TABLE)) memory.add(textOfKey(String(name)), bytesOf(secret));
    this.#memory = memory;
  }

  get(name: string): Buffer | undefined {
    return this.#memory.get(name);
  }

  add(name: string, secret: Buffer): Awaitable<boolean> {
    return this.#turns.run(name, () => {
      if (this.#memory.get(name) !== undefined) return false;
      const bytes = Uint8Array.from(secret);
      return this.#disk.write(
        { statement: 'putSecret', parameters: [textKey(name), bytes] },
        () => this.#memory.add(name, Buffer.from(bytes)),
        () => ({ key: `secret ${name}`, writes: [{ statement: 'removeSecret', parameters: [textKey(name)] }] }),
      );
    });
  }
}
