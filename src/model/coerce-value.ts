import { isAnyArrayBuffer, isDate, isUint8Array } from 'node:util/types';
import { InvalidArgumentError } from '../errors';
import { shorten } from './names';
import type { ResourceType, Value } from './resource-value';

const WHOLE_NUMBER = /^[+-]?[0-9]{1,30}(\.0*)?$/;
const NUMBER = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i;
const ISO_8601 =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?$/;
const OBJECT_LINK = /^([0-9]{1,5}):([0-9]{1,5})$/;
const LONE_SURROGATE = /\p{Cs}/u;
const MAX_LINK_ID = 65535;
const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;
const MAX_UNSIGNED = 2n ** 64n - 1n;
/** Times below this are seconds, others milliseconds: as seconds the year 5138, as milliseconds March 1973. */
const FIRST_MILLISECONDS = 1e11;
const MAX_DATE = 8.64e15;

type Coercion = (value: unknown, refuse: Refuse) => Value;
type Refuse = (wanted: string) => never;

const COERCIONS: Readonly<Record<ResourceType, Coercion>> = {
  string: toText,
  integer: (value, refuse) => toInteger(value, MIN_INTEGER, MAX_INTEGER, 'a signed integer of 64 bits', refuse),
  unsigned: (value, refuse) => toInteger(value, 0n, MAX_UNSIGNED, 'an unsigned integer of 64 bits', refuse),
  float: toFloat,
  boolean: toBoolean,
  opaque: toOpaque,
  time: toTime,
  objlnk: toObjectLink,
  corelnk: toText,
  none: untyped,
};

/**
 * Makes of what a flow holds the value of a resource; kindly, but never a value that was not meant.
 *
 * - string, corelnk: a text or a number
 * - integer, unsigned: a whole number, BigInt, or either as a text; within 64 bits. A number beyond 2^53 has lost digits already and is refused.
 * - float: a number or BigInt, or a number as a text; not NaN or Infinity
 * - boolean: true, false, 'true', 'false', 0, 1, '0', '1'
 * - opaque: a Buffer, Uint8Array or ArrayBuffer, or a Buffer that went through JSON; no text, which could be meant as hex, base64 or itself
 * - time: a Date, an ISO 8601 text (without a zone: local time, a date alone: UTC), or a number since 1970: seconds (as LwM2M
 *   has it) below 10^11 in absolute value, else milliseconds (as JavaScript has it); cut to whole seconds
 * - objlnk: 'oid:iid', each 0 to 65535 ('65535:65535' is the null link)
 * - none, or unknown (`undefined`): what it is in JavaScript
 *
 * @param what names the resource in the error
 * @throws {InvalidArgumentError} the value cannot be meant as one of the type.
 */
export function coerceValue(type: ResourceType | undefined, value: unknown, what: string): Value {
  const refuse: Refuse = (wanted) => {
    throw new InvalidArgumentError(`${what}: ${describeValue(value)} is not ${wanted}`);
  };
  return COERCIONS[type ?? 'none'](value, refuse);
}

/** Whether a value is the bytes of one opaque resource rather than an object of several values. */
export function isBytes(value: unknown): boolean {
  return isUint8Array(value) || isAnyArrayBuffer(value) || isSerialisedBuffer(value);
}

/** An object with keys, whatever realm it comes from: a flow's function may run in a context with an `Object` of its own. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]' && !isBytes(value);
}

export function describeValue(value: unknown): string {
  if (typeof value === 'string') return `'${shorten(value)}'`;
  if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null || value === undefined) return String(value);
  if (isBytes(value)) return 'a Buffer';
  if (isDate(value)) return 'a Date';
  if (Array.isArray(value)) return 'an array';
  return `a ${typeof value}`.replace('a object', 'an object');
}

function toText(value: unknown, refuse: Refuse): string {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'string') return refuse('a text');
  return LONE_SURROGATE.test(value) ? refuse('a text of whole characters: it has half a surrogate pair') : value;
}

function toInteger(value: unknown, min: bigint, max: bigint, wanted: string, refuse: Refuse): number | bigint {
  const exact = toBigInt(value, refuse);
  if (exact === undefined) return refuse('a whole number');
  if (exact < min || exact > max) return refuse(wanted);
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : exact;
}

function toBigInt(value: unknown, refuse: Refuse): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'string') {
    const text = value.trim();
    return WHOLE_NUMBER.test(text) ? BigInt(text.replace(/^\+|\..*$/g, '')) : undefined;
  }
  if (typeof value !== 'number' || !Number.isInteger(value)) return undefined;
  if (!Number.isSafeInteger(value)) {
    return refuse('exact, as numbers beyond 2^53 have lost digits: use a BigInt or a text');
  }
  return BigInt(value);
}

function toFloat(value: unknown, refuse: Refuse): number {
  let number = NaN;
  if (typeof value === 'number') number = value;
  else if (typeof value === 'bigint') number = Number(value);
  else if (typeof value === 'string' && NUMBER.test(value.trim())) number = Number(value);
  if (!Number.isFinite(number)) return refuse('a number');
  if (typeof value === 'bigint' && BigInt(number) !== value) return refuse('a number that a float can hold exactly');
  return number;
}

function toBoolean(value: unknown, refuse: Refuse): boolean {
  if (value === true || value === 'true' || value === 1 || value === '1') return true;
  if (value === false || value === 'false' || value === 0 || value === '0') return false;
  return refuse('true or false');
}

function toOpaque(value: unknown, refuse: Refuse): Buffer {
  // Copied, since an order may wait for hours while the flow goes on to use its buffer.
  if (isUint8Array(value)) return Buffer.from(value);
  if (isAnyArrayBuffer(value)) return Buffer.from(new Uint8Array(value));
  if (isSerialisedBuffer(value)) return Buffer.from(value.data);
  return refuse("a Buffer (make one of a text with Buffer.from(text, 'hex'), 'base64' or 'utf8')");
}

function toTime(value: unknown, refuse: Refuse): Date {
  const wanted = 'a time: give a Date, an ISO 8601 text or seconds since 1970';
  const ms = toMilliseconds(value);
  const wholeSeconds = Math.floor(ms / 1000) * 1000;
  return Math.abs(wholeSeconds) <= MAX_DATE ? new Date(wholeSeconds) : refuse(wanted);
}

function toMilliseconds(value: unknown): number {
  if (isDate(value)) return value.getTime();
  if (typeof value === 'string') return isoMilliseconds(value);
  if (typeof value !== 'number' && typeof value !== 'bigint') return NaN;
  const number = Number(value);
  return Math.abs(number) < FIRST_MILLISECONDS ? number * 1000 : number;
}

/** `Date.parse` makes March of the 30th of February. */
function isoMilliseconds(text: string): number {
  const [matched, year, month, day] = ISO_8601.exec(text) ?? [];
  if (matched === undefined) return NaN;
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) <= lastDay ? Date.parse(text) : NaN;
}

function toObjectLink(value: unknown, refuse: Refuse): string {
  const link = typeof value === 'string' ? OBJECT_LINK.exec(value) : null;
  const objectId = Number(link?.[1]);
  const instanceId = Number(link?.[2]);
  if (!(objectId <= MAX_LINK_ID && instanceId <= MAX_LINK_ID)) return refuse("an object link such as '3:0'");
  return `${objectId}:${instanceId}`;
}

function untyped(value: unknown, refuse: Refuse): Value {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return toText(value, refuse);
  if (typeof value === 'number') return Number.isFinite(value) ? value : refuse('a number');
  if (typeof value === 'bigint') return toInteger(value, MIN_INTEGER, MAX_UNSIGNED, 'an integer of 64 bits', refuse);
  if (isDate(value)) return toTime(value, refuse);
  if (isBytes(value)) return toOpaque(value, refuse);
  return refuse('a value a resource can have');
}

function isSerialisedBuffer(value: unknown): value is { type: 'Buffer'; data: number[] } {
  if (typeof value !== 'object' || value === null) return false;
  const { type, data } = value as { type?: unknown; data?: unknown };
  if (type !== 'Buffer' || !Array.isArray(data)) return false;
  return data.every((byte) => Number.isInteger(byte) && (byte as number) >= 0 && (byte as number) <= 255);
}
