import { StoreError, type StoreFault } from '../../errors';
import type { Fault } from './messages';

/** SQLite's extended result code of an error of `node:sqlite`; the lowest byte is the primary one. */
export function errcodeOf(error: unknown): number | undefined {
  const errcode = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof errcode === 'number' ? errcode : undefined;
}

/** An error made fit for another thread, which would lose its codes. */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return { message: error.message, code, errcode: errcodeOf(error), stack: error.stack };
}

const DAMAGED = 'is damaged; it is left as it is: move it away, or bring back a copy';
const NOT_WRITABLE = 'cannot be read and written: look at the rights of the directory and its files';
const DISK_FULL = 'has no room left on its disk';
const IN_USE = 'is in use by another process or another server; two cannot share it';

const FAULTS = new Map<string | undefined, StoreFault>([
  [DAMAGED, 'damaged'],
  [NOT_WRITABLE, 'noAccess'],
  [DISK_FULL, 'full'],
  [IN_USE, 'inUse'],
]);

/** By SQLite's primary result codes. */
const TEXTS = new Map<number, string>([
  [3, NOT_WRITABLE],
  [5, IN_USE],
  [6, IN_USE],
  [7, 'has no memory left'],
  [8, NOT_WRITABLE],
  [10, 'cannot be read or written: the disk reports an error'],
  [11, DAMAGED],
  [13, DISK_FULL],
  [14, NOT_WRITABLE],
  [23, NOT_WRITABLE],
  [26, DAMAGED],
]);

const TEXTS_OF_SYSTEM: Readonly<Record<string, string>> = {
  EACCES: NOT_WRITABLE,
  EPERM: NOT_WRITABLE,
  EROFS: NOT_WRITABLE,
  ENOTDIR: 'is no directory',
  EEXIST: 'is no directory',
  ENOSPC: DISK_FULL,
};

/** The trouble of a store in words for people; what was found is its `cause`. */
export function storeErrorOf(fault: Fault, directory: string): StoreError {
  const { message, code, errcode, stack } = fault;
  const text = errcode === undefined ? TEXTS_OF_SYSTEM[code ?? ''] : TEXTS.get(errcode & 0xff);
  const cause = Object.assign(new Error(message), {
    ...(code === undefined ? {} : { code }),
    ...(errcode === undefined ? {} : { errcode }),
    ...(stack === undefined ? {} : { stack }),
  });
  return new StoreError(`the store in ${directory} ${text ?? `is in trouble: ${message}`}`, {
    cause,
    fault: FAULTS.get(text),
  });
}
