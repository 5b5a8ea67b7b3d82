import type { ResourceType, Value } from './resource-value';

/** What the range or enumeration of a definition lets pass. */
export interface ValueRange {
  /** Whether it is about the length in bytes, as of strings and opaque values. */
  readonly ofLength: boolean;
  allows(value: Value): boolean;
}

type Bound = number | bigint;
type Interval = readonly [from: Bound, to: Bound];

const NUMBER = '[+-]?[0-9]+(?:\\.[0-9]+)?';
const SINGLE = new RegExp(`^(${NUMBER})$`);
const INTERVAL = new RegExp(`^(${NUMBER})\\s*(?:\\.{2,3}|-|\\u2013|to)\\s*(${NUMBER})$`);
/** `1: normal 2: remote`, once the lines are joined. */
const LABELLED = /(?:^|\s)([0-9]+)\s*:\s*(?=[^\s0-9:])/g;
const WORD = /^[\p{L}_][\p{L}\p{N}_+-]*$/u;

/**
 * Reads the RangeEnumeration of a definition: `0..100`, `0-100`, `0..3, 99`, `0: off 1: on`, `0..255 bytes`, `auto,manual`.
 * `undefined` when it is written in a way that leaves doubt, and for types that have no order.
 */
export function parseValueRange(type: ResourceType, text: string): ValueRange | undefined {
  switch (type) {
    case 'integer':
    case 'unsigned':
    case 'float':
      return numberRange(text);
    case 'string':
      return lengthRange(text) ?? wordRange(text);
    case 'opaque':
      return lengthRange(text);
    case 'boolean':
    case 'time':
    case 'objlnk':
    case 'corelnk':
    case 'none':
      return undefined;
  }
}

function numberRange(text: string): ValueRange | undefined {
  const intervals = intervalsOf(text) ?? labelsOf(text);
  // One lone number is an upper bound for some authors and the number of values for others.
  if (intervals === undefined || (intervals.length === 1 && isLone(intervals[0]))) return undefined;
  return {
    ofLength: false,
    allows: (value) =>
      (typeof value !== 'number' && typeof value !== 'bigint') ||
      intervals.some(([from, to]) => value >= from && value <= to),
  };
}

/** Authors mean a lone number as the length or as the greatest length: it bounds from above. */
function lengthRange(text: string): ValueRange | undefined {
  const intervals = intervalsOf(text.replace(/\s*bytes?$/i, ''));
  if (intervals === undefined) return undefined;
  const loose = intervals.map((interval): Interval => (isLone(interval) ? [0, interval[1]] : interval));
  return {
    ofLength: true,
    allows(value) {
      const length = typeof value === 'string' ? Buffer.byteLength(value) : Buffer.isBuffer(value) ? value.length : NaN;
      return Number.isNaN(length) || loose.some(([from, to]) => length >= from && length <= to);
    },
  };
}

function wordRange(text: string): ValueRange | undefined {
  const words = text.split(/[,;|]/).map((word) => word.trim());
  if (words.length < 2 || !words.every((word) => WORD.test(word))) return undefined;
  return { ofLength: false, allows: (value) => typeof value !== 'string' || words.includes(value) };
}

function intervalsOf(text: string): Interval[] | undefined {
  const intervals: Interval[] = [];
  for (const part of text.split(/[,;]/)) {
    const interval = intervalOf(part.trim());
    if (interval === undefined) return undefined;
    intervals.push(interval);
  }
  return intervals;
}

function intervalOf(text: string): Interval | undefined {
  const [, from, to = from] = SINGLE.exec(text) ?? INTERVAL.exec(text) ?? [];
  if (from === undefined || to === undefined) return undefined;
  const [a, b] = [boundOf(from), boundOf(to)];
  // `-30..-120` stands in the registry.
  return a <= b ? [a, b] : [b, a];
}

function labelsOf(text: string): Interval[] | undefined {
  const values = [...text.matchAll(LABELLED)].map(([, value = '']) => boundOf(value));
  return values.length < 2 ? undefined : values.map((value): Interval => [value, value]);
}

function boundOf(text: string): Bound {
  const number = Number(text);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? BigInt(text.replace('+', '')) : number;
}

function isLone(interval: Interval | undefined): boolean {
  return interval !== undefined && interval[0] === interval[1];
}
