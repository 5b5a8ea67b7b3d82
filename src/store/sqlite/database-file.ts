import { chmodSync, closeSync, existsSync, openSync, statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { errcodeOf, faultOf } from './fault';
import type { FailedWrite, Row, SqlValue } from './messages';
import type { FileLayout } from './schema';

/** `LwM2` in ASCII: marks a file as one of a store. */
const APPLICATION_ID = 0x4c774d32;

/** A checkpoint copies every changed page once, however often it was changed since the last one: rare ones are cheap. */
const PAGES_BETWEEN_CHECKPOINTS = 8_000;
const CACHE_KIB = 16_384;

/** Of SQLite: too big, constraint, mismatch, range. The change is at fault and not the file. */
const FAULTS_OF_A_CHANGE: ReadonlySet<number> = new Set([18, 19, 20, 25]);
/** Of SQLite: busy, locked, full. The open file is sound, there is only no way at the moment. */
const PASSING_TROUBLES: ReadonlySet<number> = new Set([5, 6, 13]);

/** A statement to run, as one of many. */
export interface Change {
  /** Its place in the batch. */
  readonly index: number;
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

export interface DatabaseFileOptions {
  readonly path: string;
  readonly layout: FileLayout;
  /** Names the opening of the store. */
  readonly opening: string;
}

/**
 * One database file, held by this process alone: SQLite's own lock on it ends with the process, however that ends. After
 * trouble it is opened again by the next use, and believed only when nobody else has had it meanwhile.
 */
export class DatabaseFile {
  readonly #options: DatabaseFileOptions;
  #database: DatabaseSync | undefined;
  #statements = new Map<string, StatementSync>();
  #inode: bigint | undefined;

  constructor(options: DatabaseFileOptions) {
    this.#options = options;
  }

  /** Opens the file, makes it when there is none, and brings it to the newest schema. */
  open(): void {
    createFor(this.#options.path);
    this.#connect((database) => migrate(database, this.#options));
  }

  /** Writes down which opening of the store has it. To be called after `open` and before anything is written. */
  take(): void {
    this.#statement('REPLACE INTO opening (only, name) VALUES (1, ?)').run(this.#options.opening);
  }

  /**
   * Runs changes in one transaction. One that is itself at fault is left out, the rest goes on; on any other trouble none
   * is done.
   * @param rows receives how many rows each changed, at its index.
   */
  write(changes: readonly Change[], rows: number[]): FailedWrite[] {
    const failed: FailedWrite[] = [];
    try {
      this.#ready().exec('BEGIN IMMEDIATE');
      for (const { index, sql, parameters } of changes) {
        try {
          rows[index] = Number(this.#statement(sql).run(...parameters).changes);
        } catch (error) {
          if (!isFaultOfChange(error)) throw error;
          failed.push({ index, fault: faultOf(error), doubtful: false });
        }
      }
      this.#ready().exec('COMMIT');
      return failed;
    } catch (error) {
      this.#giveUp(error);
      const fault = faultOf(error);
      return changes.map(({ index }) => ({ index, fault, doubtful: true }));
    }
  }

  read(sql: string, parameters: readonly SqlValue[]): Row[] {
    try {
      this.#ready();
      return this.#statement(sql)
        .all(...parameters)
        .map((row) => Object.values(row) as SqlValue[]);
    } catch (error) {
      this.#giveUp(error);
      throw error;
    }
  }

  close(): void {
    const database = this.#database;
    this.#database = undefined;
    this.#statements = new Map();
    database?.close();
  }

  #ready(): DatabaseSync {
    const { path, opening } = this.#options;
    // A file that was removed would take what is written to it along, without a word.
    const inode = inodeOf(path);
    if (inode === undefined || inode !== (this.#inode ?? inode)) {
      throw new Error(`${path} was removed or replaced while it was in use; bring it back, or start the server anew`);
    }
    if (this.#database !== undefined) return this.#database;
    return this.#connect((database) => {
      const holder = database.prepare('SELECT name FROM opening').get()?.name;
      if (holder !== opening) throw new Error(`${path} was used by another process meanwhile; start the server anew`);
    });
  }

  #connect(take: (database: DatabaseSync) => void): DatabaseSync {
    const { path, layout } = this.#options;
    const database = new DatabaseSync(path);
    try {
      // Before the first access: then SQLite keeps no index of the log in a file for others to share.
      database.exec('PRAGMA locking_mode = EXCLUSIVE');
      checkOurs(database, this.#options);
      database.exec(`
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = ${layout.synchronous};
        PRAGMA wal_autocheckpoint = ${PAGES_BETWEEN_CHECKPOINTS};
        PRAGMA cache_size = -${CACHE_KIB};
      `);
      take(database);
    } catch (error) {
      database.close();
      throw error;
    }
    this.#inode = inodeOf(path);
    this.#database = database;
    return database;
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = (this.#database ?? this.#ready()).prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Undoes what is half done. After anything but a passing trouble nothing that SQLite has in memory is believed. */
  #giveUp(error: unknown): void {
    try {
      this.#database?.exec('ROLLBACK');
    } catch {
      // Either SQLite has rolled back by itself, or it is closed now and rolls back when it is opened again.
    }
    const errcode = errcodeOf(error);
    if (errcode === undefined || !PASSING_TROUBLES.has(errcode & 0xff)) this.close();
  }
}

function isFaultOfChange(error: unknown): boolean {
  const errcode = errcodeOf(error);
  // What is no error of SQLite is one of the parameters, before SQLite has seen them.
  return errcode === undefined ? error instanceof TypeError : FAULTS_OF_A_CHANGE.has(errcode & 0xff);
}

/**
 * Makes the file, for its owner alone, before SQLite does; SQLite gives its log the same mode. A file that is there is not
 * opened for that: closing it would end the locks that this process has on it.
 */
function createFor(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, 'wx', 0o600));
  for (const file of [path, `${path}-wal`]) if (existsSync(file)) chmodSync(file, 0o600);
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** Before anything is written. */
function checkOurs(database: DatabaseSync, { path, layout }: DatabaseFileOptions): void {
  const version = pragma(database, 'user_version');
  const known = layout.migrations.length;
  const isEmpty = version === 0 && database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (!isEmpty && pragma(database, 'application_id') !== APPLICATION_ID) {
    throw new Error(`${path} is a database of something else`);
  }
  if (version > known) {
    throw new Error(
      `${path} was written by a newer version of this software (schema ${version}, known here: ${known}); ` +
        'install that version again, or give the server another directory',
    );
  }
}

/** All or nothing. */
function migrate(database: DatabaseSync, { layout }: DatabaseFileOptions): void {
  const version = pragma(database, 'user_version');
  if (version === layout.migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  for (const migration of layout.migrations.slice(version)) migration(database);
  database.exec(`
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${layout.migrations.length};
    COMMIT;
  `);
}
