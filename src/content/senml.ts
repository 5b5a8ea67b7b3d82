/**
 * What SenML JSON and SenML CBOR share (RFC 8428; LwM2M Core 1.2 s7.4.5, s7.4.6): records to resource values and back.
 */
import { CodecError } from '../errors';
import { formatPath, pathIds, type Path } from '../model/path';
import type { ResourceValue, Value } from '../model/resource-value';
import type { DecodeOptions, TypeLookup } from './content-codec';
import { checkWithin, parseName } from './paths';
import { timestampOf } from './relative-time';
import { asObjlnk, fromSelfDescribed } from './value-conversion';

/** A record as the wire has it. Units, sums and update times say nothing to LwM2M and are passed over. */
export interface SenmlRecord {
  baseName?: string;
  /** Seconds. */
  baseTime?: number;
  baseValue?: number | bigint;
  name?: string;
  /** Seconds. */
  time?: number;
  /** Of `v`, `vs`, `vb`, `vd` or `vlo`; `null` as SenML-ETCH removes (RFC 8790); undefined when there is none. */
  value?: Value;
}

/** The version of SenML that RFC 8428 describes; records of a later one must not be used (s4.4). */
const VERSION = 10;

export function checkVersion(version: unknown): void {
  if (typeof version !== 'number' || version > VERSION) throw new CodecError('SenML: records of an unknown version');
}

/** Sets the one value of a record. */
export function setValue(record: SenmlRecord, value: Value): void {
  if (record.value !== undefined) throw new CodecError('SenML: a record with several values');
  record.value = value;
}

/** A finite number of the wire, for times and numeric values. */
export function numberField(field: string, value: unknown): number | bigint {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw new CodecError(`SenML: ${field} is no number`);
}

export function stringField(field: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new CodecError(`SenML: ${field} is no text`);
}

export function objlnkField(value: unknown): string {
  const link = asObjlnk(stringField('vlo', value));
  if (link === undefined) throw new CodecError('SenML: vlo is no object link');
  return link;
}

/**
 * Resolves records (RFC 8428 s4.6) and types their values. A record with base fields alone carries no value; one that
 * has a name and no value says that an instance is empty.
 */
export function valuesOfRecords(
  records: readonly SenmlRecord[],
  requested: Path,
  types: TypeLookup,
  options: DecodeOptions,
): ResourceValue[] {
  const now = options.now ?? Date.now();
  const values: ResourceValue[] = [];
  let baseName = '';
  let baseTime: number | undefined;
  let baseValue: number | bigint = 0;
  for (const record of records) {
    baseName = record.baseName ?? baseName;
    baseTime = record.baseTime ?? baseTime;
    baseValue = record.baseValue ?? baseValue;
    if (record.value === undefined && record.name === undefined) continue;
    const path = parseName(baseName + (record.name ?? ''));
    checkWithin(path, requested);
    const wire = withBase(record.value ?? null, baseValue);
    if (path.resourceId === undefined && wire !== null) throw new CodecError(`${formatPath(path)} is no resource`);
    const value = fromSelfDescribed(path, wire, types);
    const timestamp = timestampOf(baseTime, record.time, now);
    values.push(timestamp === undefined ? { path, value } : { path, value, timestamp });
  }
  return values;
}

function withBase(value: Value, base: number | bigint): Value {
  if (base === 0 || (typeof value !== 'number' && typeof value !== 'bigint')) return value;
  if (isExact(base) && isExact(value)) {
    const sum = BigInt(base) + BigInt(value);
    return Number.isSafeInteger(Number(sum)) ? Number(sum) : sum;
  }
  const sum = Number(base) + Number(value);
  if (!Number.isFinite(sum)) throw new CodecError('SenML: base value and value add up to no number');
  return sum;
}

function isExact(value: number | bigint): boolean {
  return typeof value === 'bigint' || Number.isSafeInteger(value);
}

/** The paths of a FETCH: names without values. A base name that only serves the names after it is none of them. */
export function pathsOfRecords(records: readonly SenmlRecord[]): Path[] {
  const paths: Path[] = [];
  let baseName = '';
  records.forEach((record, index) => {
    baseName = record.baseName ?? baseName;
    const next = records[index + 1];
    const servesNext = record.name === undefined && next?.name !== undefined && next.baseName === undefined;
    if (!servesNext) paths.push(parseName(baseName + (record.name ?? '')));
  });
  return paths;
}

/** How the values of one payload are named: the base name, once, and each one's name without it. */
export interface Names {
  readonly base: string;
  readonly names: readonly string[];
}

/** Names values relative to the path of the request. */
export function namesFor(requested: Path, values: readonly ResourceValue[]): Names {
  const base = formatPath(requested);
  const depth = pathIds(requested).length;
  let atBase = 0;
  for (const { path, value } of values) {
    checkWithin(path, requested);
    if (path.resourceId === undefined && value !== null) throw new CodecError(`${formatPath(path)} is no resource`);
    if (pathIds(path).length === depth) atBase++;
  }
  // A record without a name would not show that its instance is empty.
  const named = depth === 0 || values.some(({ path, value }) => value === null && pathIds(path).length === depth);
  if (!named && atBase === values.length) return { base, names: values.map(() => '') };
  if (!named && atBase === 0) {
    return { base: `${base}/`, names: values.map(({ path }) => pathIds(path).slice(depth).join('/')) };
  }
  return { base: '', names: values.map(({ path }) => formatPath(path)) };
}
