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

interface Trouble {
  readonly fault?: StoreFault;
  /** After `the store in <directory>`. */
  readonly text: string;
}

const DAMAGED: Trouble = {
  fault: 'damaged',
  text: 'is damaged; it is left as it is: move it away, or bring back a copy',
};
const NOT_WRITABLE: Trouble = {
  fault: 'noAccess',
  text: 'cannot be read and written: look at the rights of the directory and its files',
};
const DISK_FULL: Trouble = { fault: 'full', text: 'has no room left on its disk' };
const IN_USE: Trouble = {
  fault: 'inUse',
  text: 'is in use by another process or another server; two cannot share it',
};
const NO_DIRECTORY: Trouble = { text: 'is no directory' };

/** By SQLite's primary result codes. */
const OF_SQLITE = new Map<number, Trouble>([
  [3, NOT_WRITABLE],
  [5, IN_USE],
  [6, IN_USE],
  [7, { text: 'has no memory left' }],
  [8, NOT_WRITABLE],
  [10, { text: 'cannot be read or written: the disk reports an error' }],
  [11, DAMAGED],
  [13, DISK_FULL],
  [14, NOT_WRITABLE],
  [23, NOT_WRITABLE],
  [26, DAMAGED],
]);

const OF_THE_SYSTEM = new Map<string, Trouble>([
  ['EACCES', NOT_WRITABLE],
  ['EPERM', NOT_WRITABLE],
  ['EROFS', NOT_WRITABLE],
  ['ENOTDIR', NO_DIRECTORY],
  ['EEXIST', NO_DIRECTORY],
  ['ENOSPC', DISK_FULL],
]);

/** The trouble of a store in words for people; what was found is its `cause`. */
export function storeErrorOf({ message, code, errcode, stack }: Fault, directory: string): StoreError {
  const trouble = errcode === undefined ? OF_THE_SYSTEM.get(code ?? '') : OF_SQLITE.get(errcode & 0xff);
  const cause = Object.assign(new Error(message), {
    ...(code === undefined ? {} : { code }),
    ...(errcode === undefined ? {} : { errcode }),
    ...(stack === undefined ? {} : { stack }),
  });
  const { fault, text } = trouble ?? { text: `is in trouble: ${message}` };
  return new StoreError(`the store in ${directory} ${text}`, { cause, fault });
}
