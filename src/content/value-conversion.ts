import { CodecError } from '../errors';
import { formatPath, type Path } from '../model/path';
import type { ResourceType, Value } from '../model/resource-value';
import type { TypeLookup } from './content-codec';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

/** Where the last instant that a Date can hold lies, in ms. */
const MAX_DATE = 8.64e15;

const OBJLNK = /^([0-9]{1,5}):([0-9]{1,5})$/;
const RFC3339 = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$/;

/**
 * A value of a format that shows its own types, as what the definition says it is. One of another type is delivered
 * as the wire shows it: what a device sends is never lost.
 */
export function fromSelfDescribed(path: Path, wire: Value, types: TypeLookup): Value {
  const type = types.typeOf(path);
  if (type === undefined || type === 'none' || wire === null) return wire;
  return asType(type, wire) ?? wire;
}

function asType(type: Exclude<ResourceType, 'none'>, wire: Exclude<Value, null>): Exclude<Value, null> | undefined {
  switch (type) {
    case 'string':
    case 'corelnk':
      return typeof wire === 'string' ? wire : undefined;
    case 'integer':
    case 'unsigned':
      return isInteger(wire, type === 'unsigned') ? normalInteger(wire) : undefined;
    case 'float':
      return typeof wire === 'number' ? wire : typeof wire === 'bigint' ? Number(wire) : undefined;
    case 'boolean':
      return typeof wire === 'boolean' ? wire : undefined;
    case 'opaque':
      return Buffer.isBuffer(wire) ? wire : undefined;
    case 'time':
      return asTime(wire);
    case 'objlnk':
      return typeof wire === 'string' ? asObjlnk(wire) : undefined;
  }
}

function asTime(wire: Exclude<Value, null>): Date | undefined {
  if (wire instanceof Date) return wire;
  if (typeof wire === 'number' || typeof wire === 'bigint') return dateOfSeconds(wire);
  // LwM2M Core 1.1 appendix C: in CBOR a time may be an RFC 3339 text.
  return typeof wire === 'string' ? dateOfText(wire) : undefined;
}

/** The date that many seconds after 1970; undefined when no Date can hold it. */
export function dateOfSeconds(seconds: number | bigint): Date | undefined {
  const ms = Math.round(Number(seconds) * 1000);
  return Math.abs(ms) <= MAX_DATE ? new Date(ms) : undefined;
}

/** The date an RFC 3339 text stands for. */
export function dateOfText(text: string): Date | undefined {
  if (!RFC3339.test(text)) return undefined;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** The text `oid:iid`, without the NUL that Zephyr's client sends after it in CBOR; undefined when it is none. */
export function asObjlnk(text: string): string | undefined {
  const link = text.endsWith('\0') ? text.slice(0, -1) : text;
  return isObjlnk(link) ? link : undefined;
}

export function isObjlnk(text: string): boolean {
  const match = OBJLNK.exec(text);
  return match !== null && Number(match[1]) <= 0xffff && Number(match[2]) <= 0xffff;
}

/** Whether a value is an integer that 64 bits hold. */
export function isInteger(value: Value, unsigned: boolean): value is number | bigint {
  if (typeof value === 'number') return Number.isSafeInteger(value) && (!unsigned || value >= 0);
  if (typeof value !== 'bigint') return false;
  return unsigned ? value >= 0n && value <= UINT64_MAX : value >= INT64_MIN && value <= INT64_MAX;
}

/** A number where that is exact, else a BigInt. There is no integer -0. */
export function normalInteger(value: number | bigint): number | bigint {
  if (typeof value === 'number') return value + 0;
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** Reads decimal digits exactly; undefined when it is no integer of 64 bits, signed or unsigned. */
export function parseInteger(text: string): number | bigint | undefined {
  if (!/^[+-]?[0-9]{1,20}$/.test(text)) return undefined;
  const number = Number(text);
  if (Number.isSafeInteger(number)) return normalInteger(number);
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return isInteger(value, value >= 0n) ? value : undefined;
}

/** A value about to be written, checked against its type. Times are in seconds since 1970. */
export type TypedValue =
  | { type: 'integer' | 'unsigned' | 'time'; value: number | bigint }
  | { type: 'float'; value: number }
  | { type: 'string' | 'corelnk' | 'objlnk'; value: string }
  | { type: 'boolean'; value: boolean }
  | { type: 'opaque'; value: Buffer };

/**
 * A value with the type it is to be written as: its definition's, or without one what JavaScript shows.
 * @throws {CodecError} the value is not of that type.
 */
export function typedValue(path: Path, value: Exclude<Value, null>, types: TypeLookup): TypedValue {
  const known = types.typeOf(path);
  const type = known === undefined || known === 'none' ? shownType(value) : known;
  switch (type) {
    case 'string':
    case 'corelnk':
      if (typeof value === 'string') return { type, value };
      break;
    case 'integer':
    case 'unsigned':
      if (isInteger(value, type === 'unsigned')) return { type, value: normalInteger(value) };
      break;
    case 'time': {
      const seconds = value instanceof Date ? Math.floor(value.getTime() / 1000) : value;
      if (isInteger(seconds, false)) return { type, value: normalInteger(seconds) };
      break;
    }
    case 'float':
      if (typeof value === 'bigint' && isInteger(value, value >= 0n)) return { type, value: Number(value) };
      if (typeof value === 'number' && Number.isFinite(value)) return { type, value };
      break;
    case 'boolean':
      if (typeof value === 'boolean') return { type, value };
      break;
    case 'opaque':
      if (Buffer.isBuffer(value)) return { type, value };
      break;
    case 'objlnk':
      if (typeof value === 'string' && isObjlnk(value)) return { type, value };
      break;
  }
  throw new CodecError(`${formatPath(path)}: the value is not of type ${type}`);
}

function shownType(value: Exclude<Value, null>): Exclude<ResourceType, 'none'> {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'bigint') return value > INT64_MAX ? 'unsigned' : 'integer';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'integer' : 'float';
  return Buffer.isBuffer(value) ? 'opaque' : 'time';
}
