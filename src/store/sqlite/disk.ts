import type { FileName } from './schema';
import type { Row, SqlValue } from './messages';
import type { Restoration, Write } from './write-queue';

/** What the rooms of the store see of its files. Everything rejects with `StoreError`. */
export interface Disk {
  /**
   * Resolves when the change is safe.
   * @param committed is called then, with the number of rows changed; gives the result.
   * @param restore what is held to be true, should nobody know whether the change was made.
   */
  write<T>(write: Write, committed: (rows: number) => T, restore?: () => Restoration): Promise<T>;
  /** All rows of a table in the order of its key, read by and by. */
  rows(table: Table): AsyncIterable<Row>;
  read(sql: string, parameters: readonly SqlValue[]): Promise<readonly Row[]>;
}

/** A table to be read whole. */
export interface Table {
  readonly file: FileName;
  readonly name: string;
  readonly columns: readonly string[];
  /** The first so many columns are its key. */
  readonly key: number;
  /** Rows to fetch at once. */
  readonly page: number;
}
