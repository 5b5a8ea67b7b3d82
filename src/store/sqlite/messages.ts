import type { FileName, StatementName } from './schema';

/** What passes between the store and the worker that holds its files. */

export type SqlValue = string | number | Uint8Array | null;

export interface WorkerData {
  /** An absolute path. */
  readonly directory: string;
  /** Names this opening of the store, so that the worker sees when somebody else has had the files meanwhile. */
  readonly opening: string;
}

export interface OpenRequest {
  readonly kind: 'open';
}

/** Takes the files for this opening, once all that is at hand has been read: a damaged file is not written to. */
export interface TakeRequest {
  readonly kind: 'take';
}

/** Changes, all on the disk when this is answered. Flat, because that is cheap to send. */
export interface WriteRequest {
  readonly kind: 'write';
  readonly statements: readonly StatementName[];
  /** Those of all statements, one after another. */
  readonly parameters: readonly SqlValue[];
}

export interface ReadRequest {
  readonly kind: 'read';
  readonly file: FileName;
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

export interface CloseRequest {
  readonly kind: 'close';
}

export type Request = OpenRequest | TakeRequest | WriteRequest | ReadRequest | CloseRequest;

/** An error on its way between threads. */
export interface Fault {
  readonly message: string;
  /** Of Node.js: `ENOSPC`, `ERR_SQLITE_ERROR`. */
  readonly code?: string;
  /** Of SQLite, extended. */
  readonly errcode?: number;
  readonly stack?: string;
}

/** A change that is not on the disk; `doubtful`: or may be. */
export interface FailedWrite {
  readonly index: number;
  readonly fault: Fault;
  readonly doubtful: boolean;
}

export interface WriteAnswer {
  /** How many rows each statement changed. */
  readonly rows: readonly number[];
  readonly failed: readonly FailedWrite[];
}

export type Row = readonly SqlValue[];

/** What each kind of request is answered with. */
export interface AnswerOf {
  open: undefined;
  take: undefined;
  write: WriteAnswer;
  read: readonly Row[];
  close: undefined;
}

export interface Numbered {
  readonly number: number;
  readonly request: Request;
}

export type Answer =
  | { readonly number: number; readonly value: AnswerOf[keyof AnswerOf] }
  | { readonly number: number; readonly fault: Fault };
