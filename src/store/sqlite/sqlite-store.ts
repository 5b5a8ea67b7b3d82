import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { AccessStore, StoredGrant } from '../../access';
import { StoreError } from '../../errors';
import type { Store, StoredDeviceValues, StoredGroup, StoredPolicy, StoredSuspension } from '../../fleet';
import type { StoredOrder } from '../../server';
import { systemClock, type Clock } from '../../util/clock';
import { silentLog, type Log } from '../../util/log';
import type { Disk, Table } from './disk';
import type { Row, SqlValue } from './messages';
import type { FileName } from './schema';
import { SqliteAudit } from './sqlite-audit';
import { SqliteDeviceRecords } from './sqlite-device-records';
import { SqliteKeyed } from './sqlite-keyed';
import { SqliteObservations } from './sqlite-observations';
import { SqliteRegistrations } from './sqlite-registrations';
import { SqliteSecrets } from './sqlite-secrets';
import { WorkerLink } from './worker-link';
import { WriteQueue } from './write-queue';

/** Where a `SqliteStore` keeps its files. */
export interface SqliteStoreOptions {
  /** Where the files are; made when it is missing. One process at a time may use it. */
  readonly directory: string;
  readonly clock?: Clock;
  readonly log?: Log;
  /** How many of the newest entries of the audit are kept at least; a million when absent. */
  readonly auditEntries?: number;
}

/** An opened store: the worker that has the files, and what waits for it. */
interface Connection {
  readonly link: WorkerLink;
  readonly queue: WriteQueue;
}

/**
 * A store in files of `node:sqlite`: nothing of it is acknowledged before it is on the disk, and a killed process or a
 * machine without power loses nothing but the last moments of `values`. The files belong to a worker thread, so that the
 * disk keeps nobody waiting who does not ask for it.
 *
 * A change that fails with `StoreError` has changed nothing; the next one tries the disk again, so that the store is well
 * as soon as the trouble is over. A damaged file is never touched.
 */
export class SqliteStore implements Store, AccessStore {
  readonly registrations: SqliteRegistrations;
  readonly observations: SqliteObservations;
  readonly devices: SqliteDeviceRecords;
  readonly secrets: SqliteSecrets;
  readonly orders: SqliteKeyed<StoredOrder>;
  readonly policies: SqliteKeyed<StoredPolicy>;
  readonly groups: SqliteKeyed<StoredGroup>;
  readonly suspensions: SqliteKeyed<StoredSuspension>;
  readonly values: SqliteKeyed<StoredDeviceValues>;
  readonly grants: SqliteKeyed<StoredGrant>;
  readonly audit: SqliteAudit;
  readonly #directory: string;
  readonly #log: Log;
  #connection: Connection | undefined;
  /** While it is being opened. */
  #opening: WorkerLink | undefined;

  constructor({ directory, clock = systemClock, log = silentLog, auditEntries }: SqliteStoreOptions) {
    this.#directory = path.resolve(directory);
    this.#log = log;
    const disk: Disk = {
      write: (write, committed, restore) =>
        this.#connection?.queue.write(write, committed, restore) ?? Promise.reject(this.#notOpen()),
      rows: (table) => this.#rows(table),
      read: (sql, parameters) => this.#read('lwm2m', sql, parameters),
    };
    this.registrations = new SqliteRegistrations(disk, clock);
    this.observations = new SqliteObservations(disk);
    this.devices = new SqliteDeviceRecords(disk);
    this.secrets = new SqliteSecrets(disk);
    this.orders = new SqliteKeyed(disk, { table: 'orders', put: 'putOrder', remove: 'removeOrder' });
    this.policies = new SqliteKeyed(disk, { table: 'policies', put: 'putPolicy', remove: 'removePolicy' });
    this.groups = new SqliteKeyed(disk, { table: 'groups', put: 'putGroup', remove: 'removeGroup' });
    this.suspensions = new SqliteKeyed(disk, {
      table: 'suspensions',
      put: 'putSuspension',
      remove: 'removeSuspension',
    });
    this.values = new SqliteKeyed(disk, {
      table: 'device_values',
      file: 'values',
      put: 'putValues',
      remove: 'removeValues',
    });
    this.grants = new SqliteKeyed(disk, { table: 'grants', put: 'putGrant', remove: 'removeGrant' });
    this.audit = new SqliteAudit(disk, auditEntries);
  }

  /**
   * Opens the files and reads what must be at hand. May be tried again after it has failed.
   * @throws {StoreError} no rights, no room, used by another process, damaged, or of a newer version.
   */
  async open(): Promise<void> {
    if (this.#connection !== undefined || this.#opening !== undefined)
      throw new StoreError(`${this.#name} is open already`);
    const link = new WorkerLink({ directory: this.#directory, opening: randomUUID() });
    this.#opening = link;
    try {
      await link.ask({ kind: 'open' });
      this.#connection = { link, queue: this.#queueOf(link) };
      await this.registrations.load();
      await this.observations.load();
      await this.devices.load();
      await this.secrets.load();
      await link.ask({ kind: 'take' });
    } catch (error) {
      this.#connection = undefined;
      await link.end();
      throw error;
    } finally {
      this.#opening = undefined;
    }
  }

  /**
   * Writes to both files something that changes nothing, and reads it.
   * @throws {StoreError} the store is not open, or in trouble.
   */
  async check(): Promise<void> {
    const { queue } = this.#connection ?? {};
    if (queue === undefined) throw this.#notOpen();
    const writes = (['check', 'checkValues'] as const).map((statement) =>
      queue.write({ statement, parameters: [] }, () => undefined),
    );
    await Promise.all(writes);
    await this.#read('lwm2m', 'SELECT checks FROM opening', []);
  }

  /** Writes what waits, then lets go of the files. Changes asked for from now on are refused; an `open` under way fails. */
  async close(): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) {
      await this.#opening?.end();
      return;
    }
    this.#connection = undefined;
    await connection.queue.flushed();
    try {
      await connection.link.ask({ kind: 'close' });
    } finally {
      await connection.link.end();
    }
  }

  get #name(): string {
    return `the store in ${this.#directory}`;
  }

  #queueOf(link: WorkerLink): WriteQueue {
    return new WriteQueue({ directory: this.#directory, log: this.#log, send: (request) => link.ask(request) });
  }

  #notOpen(): StoreError {
    return new StoreError(`${this.#name} is not open`);
  }

  #read(file: FileName, sql: string, parameters: readonly SqlValue[]): Promise<readonly Row[]> {
    return this.#connection?.link.ask({ kind: 'read', file, sql, parameters }) ?? Promise.reject(this.#notOpen());
  }

  async *#rows({ file, name, columns, key, page }: Table): AsyncIterable<Row> {
    const keys = columns.slice(0, key);
    const marks = keys.map(() => '?').join(', ');
    const select = `SELECT ${columns.join(', ')} FROM ${name}`;
    const order = `ORDER BY ${keys.join(', ')} LIMIT ${page}`;
    let rows = await this.#read(file, `${select} ${order}`, []);
    for (;;) {
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < page) return;
      rows = await this.#read(file, `${select} WHERE (${keys.join(', ')}) > (${marks}) ${order}`, last.slice(0, key));
    }
  }
}
