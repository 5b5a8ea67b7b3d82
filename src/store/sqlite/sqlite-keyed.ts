import type { KeyedStore } from '../../server';
import { kept, restored } from '../kept';
import type { Disk, Table } from './disk';
import type { StatementName } from './schema';
import { bytesOf } from './sql-bytes';
import { textKey, textOfKey } from './text-key';

export interface SqliteKeyedOptions {
  readonly table: string;
  readonly file?: Table['file'];
  readonly put: StatementName;
  readonly remove: StatementName;
}

/** Things by an id on the disk, and nowhere else: who owns them holds them. */
export class SqliteKeyed<T> implements KeyedStore<T> {
  readonly #disk: Disk;
  readonly #options: SqliteKeyedOptions;

  constructor(disk: Disk, options: SqliteKeyedOptions) {
    this.#disk = disk;
    this.#options = options;
  }

  put(id: string, thing: T): Promise<void> {
    const write = { statement: this.#options.put, parameters: [textKey(id), kept(thing)] };
    return this.#disk.write(write, () => undefined);
  }

  remove(id: string): Promise<boolean> {
    return this.#disk.write({ statement: this.#options.remove, parameters: [textKey(id)] }, (rows) => rows > 0);
  }

  async *all(): AsyncIterable<readonly [string, T]> {
    const { table, file = 'lwm2m' } = this.#options;
    const rows = this.#disk.rows({ file, name: table, columns: ['id', 'thing'], key: 1, page: 500 });
    for await (const [id, thing] of rows) yield [textOfKey(String(id)), restored(bytesOf(thing)) as T];
  }
}
