import type { DatabaseSync } from 'node:sqlite';

/** The files of a store, each a database. */
export type FileName = 'lwm2m' | 'values';

/** Brings a file from the version that is its place in the list to the next. Runs within a transaction. */
export type Migration = (database: DatabaseSync) => void;

export interface FileLayout {
  /** `FULL`: what is committed outlives the machine; `NORMAL`: it outlives the process. */
  readonly synchronous: 'FULL' | 'NORMAL';
  /** Never changed once published, only added to: the length is the version of the schema. */
  readonly migrations: readonly Migration[];
}

/** Things by an id, in the form of `kept`. */
const THINGS = ['orders', 'policies', 'groups', 'suspensions', 'grants'];

function createThings(name: string): string {
  return `CREATE TABLE ${name} (id TEXT PRIMARY KEY, thing BLOB NOT NULL) STRICT, WITHOUT ROWID;`;
}

/** Which opening of the store has the file, and how often it was seen whether the file can be written. */
const OPENING = `
  CREATE TABLE opening (
    only INTEGER PRIMARY KEY CHECK (only = 1), name TEXT NOT NULL, checks INTEGER NOT NULL DEFAULT 0
  ) STRICT;
`;

export const LAYOUTS: Readonly<Record<FileName, FileLayout>> = {
  lwm2m: {
    synchronous: 'FULL',
    migrations: [
      (database) => {
        database.exec(`
          ${OPENING}
          CREATE TABLE registrations (
            endpoint TEXT PRIMARY KEY, registration TEXT NOT NULL, objects TEXT NOT NULL
          ) STRICT, WITHOUT ROWID;
          CREATE TABLE observations (
            endpoint TEXT NOT NULL, token BLOB NOT NULL, observation BLOB NOT NULL, PRIMARY KEY (endpoint, token)
          ) STRICT, WITHOUT ROWID;
          CREATE TABLE devices (endpoint TEXT PRIMARY KEY, record BLOB NOT NULL) STRICT, WITHOUT ROWID;
          CREATE TABLE secrets (name TEXT PRIMARY KEY, secret BLOB NOT NULL) STRICT, WITHOUT ROWID;
          ${THINGS.map(createThings).join('\n')}
          CREATE TABLE audit (
            number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, user TEXT, operation TEXT NOT NULL,
            endpoint TEXT, paths TEXT NOT NULL, outcome TEXT NOT NULL, code TEXT, error TEXT, run TEXT
          ) STRICT;
          CREATE INDEX audit_at ON audit (at);
          CREATE INDEX audit_endpoint ON audit (endpoint);
          CREATE INDEX audit_user ON audit (user);
        `);
      },
    ],
  },
  values: {
    synchronous: 'NORMAL',
    migrations: [(database) => database.exec(`${OPENING} ${createThings('device_values')}`)],
  },
};

interface Statement {
  readonly file: FileName;
  readonly sql: string;
  /** How many parameters it takes. */
  readonly parameters: number;
}

function statement(parameters: number, sql: string, file: FileName = 'lwm2m'): Statement {
  return { file, sql, parameters };
}

function put(table: string, file?: FileName): Statement {
  return statement(2, `REPLACE INTO ${table} VALUES (?, ?)`, file);
}

function remove(table: string, file?: FileName): Statement {
  return statement(1, `DELETE FROM ${table} WHERE id = ?`, file);
}

/** A number that changes: SQLite does not write what is as it was. */
const CHECK = 'UPDATE opening SET checks = checks + 1';

/** All that is ever written, each change by one statement. */
export const STATEMENTS = {
  check: statement(0, CHECK),
  checkValues: statement(0, CHECK, 'values'),
  putRegistration: statement(3, 'REPLACE INTO registrations VALUES (?, ?, ?)'),
  removeRegistration: statement(1, 'DELETE FROM registrations WHERE endpoint = ?'),
  putObservation: statement(3, 'REPLACE INTO observations VALUES (?, ?, ?)'),
  removeObservation: statement(2, 'DELETE FROM observations WHERE endpoint = ? AND token = ?'),
  removeObservationsOf: statement(1, 'DELETE FROM observations WHERE endpoint = ?'),
  putDevice: put('devices'),
  removeDevice: statement(1, 'DELETE FROM devices WHERE endpoint = ?'),
  putSecret: put('secrets'),
  removeSecret: statement(1, 'DELETE FROM secrets WHERE name = ?'),
  putOrder: put('orders'),
  removeOrder: remove('orders'),
  putPolicy: put('policies'),
  removePolicy: remove('policies'),
  putGroup: put('groups'),
  removeGroup: remove('groups'),
  putSuspension: put('suspensions'),
  removeSuspension: remove('suspensions'),
  putGrant: put('grants'),
  removeGrant: remove('grants'),
  putValues: put('device_values', 'values'),
  removeValues: remove('device_values', 'values'),
  appendAudit: statement(
    9,
    'INSERT INTO audit (at, user, operation, endpoint, paths, outcome, code, error, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  ),
  /** How many are kept, and how many of the oldest go at most. Numbers are given in order, so nothing is counted. */
  trimAudit: statement(
    2,
    `DELETE FROM audit
      WHERE number <= (SELECT max(number) FROM audit) - ? AND number < (SELECT min(number) FROM audit) + ?`,
  ),
} as const satisfies Record<string, Statement>;

export type StatementName = keyof typeof STATEMENTS;
