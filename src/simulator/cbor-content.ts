/** CBOR (LwM2M Core 1.1 s7.4.2) and SenML CBOR (RFC 8428 s6) of a device, by cbor-x. */
import { createRequire } from 'node:module';
import type * as CborX from 'cbor-x' with { 'resolution-mode': 'import' };
import type { TypeLookup } from '../content';
import { CodecError, InvalidArgumentError } from '../errors';
import { formatPath, parsePath, pathContains, type Path, type ResourceValue, type Value } from '../model';

// Its CommonJS build has no types, and those of its ES module do not let a plain import through.
const { Encoder } = createRequire(__filename)('cbor-x') as typeof CborX;

const cbor = new Encoder({ mapsAsObjects: false, useRecords: false });

/** The labels of RFC 8428 table 4, and the one that LwM2M adds. */
const Label = {
  baseName: -2,
  baseValue: -5,
  name: 0,
  value: 2,
  text: 3,
  boolean: 4,
  time: 6,
  bytes: 8,
  link: 'vlo',
} as const;

const VALUE_LABELS = [Label.value, Label.text, Label.boolean, Label.bytes, Label.link];

const MAX_RECORDS = 10_000;

type CborRecord = Map<number | string, unknown>;

export function encodeCborValue(values: readonly ResourceValue[]): Buffer {
  const [only, ...more] = values;
  if (only === undefined || more.length > 0) throw new CodecError(`CBOR holds one value, not ${values.length}`);
  const { value } = only;
  // A date becomes a time of its own kind, tag 1.
  return cbor.encode(value instanceof Date ? new Date(secondsOf(value) * 1000) : exact(value));
}

export function decodeCborValue(path: Path, payload: Buffer, types: TypeLookup): ResourceValue {
  return { path, value: valueOf(path, decode(payload), types) };
}

export function encodeCborRecords(path: Path, values: readonly ResourceValue[], types: TypeLookup): Buffer {
  const base = baseName(path, values);
  const records = values.map((each, index): CborRecord => {
    const record: CborRecord = new Map();
    if (base !== '' && index === 0) record.set(Label.baseName, base);
    const name = formatPath(each.path).slice(base.length);
    if (name !== '') record.set(Label.name, name);
    setValue(record, each, types);
    if (each.timestamp !== undefined) record.set(Label.time, each.timestamp / 1000);
    return record;
  });
  return cbor.encode(records);
}

/** What all names begin with and only the first record says. An instance without resources is named in full. */
function baseName(path: Path, values: readonly ResourceValue[]): string {
  if (path.objectId === undefined || values.some(({ value }) => value === null)) return '';
  const own = formatPath(path);
  return values.every((each) => formatPath(each.path) !== own) ? `${own}/` : own;
}

export function decodeCborRecords(requested: Path, payload: Buffer, types: TypeLookup): ResourceValue[] {
  return namedRecords(payload).flatMap(({ path, record, isNamed }) => {
    const labels = VALUE_LABELS.filter((label) => record.has(label));
    if (labels.length > 1) throw new CodecError(`${formatPath(path)} has several values`);
    const [label] = labels;
    if (label === undefined && !isNamed) return [];
    if (!pathContains(requested, path)) throw new CodecError(`${formatPath(path)} is outside of the request`);
    if (label === undefined) return [{ path, value: null }];
    if (path.resourceId === undefined) throw new CodecError(`${formatPath(path)} is no resource`);
    return [{ path, value: valueOf(path, record.get(label), types) }];
  });
}

export function decodeCborPaths(payload: Buffer): Path[] {
  return namedRecords(payload).map(({ path }) => path);
}

interface NamedRecord {
  readonly path: Path;
  readonly record: CborRecord;
  /** Has a name of its own, not only a base name for those that follow. */
  readonly isNamed: boolean;
}

/** Resolves the names (RFC 8428 s4.6). */
function namedRecords(payload: Buffer): NamedRecord[] {
  const pack: unknown = payload.length === 0 ? [] : decode(payload);
  if (!Array.isArray(pack) || pack.length > MAX_RECORDS) throw new CodecError('SenML: no array of records');
  let base = '';
  return pack.map((record: unknown) => {
    if (!(record instanceof Map)) throw new CodecError('SenML: a record is no map');
    // Servers have no use for it, and to pass over it would change what they mean.
    if (record.has(Label.baseValue)) throw new CodecError('SenML: base values are not supported');
    base = textOf(record.get(Label.baseName)) ?? base;
    const name = textOf(record.get(Label.name));
    return { path: pathNamed(base + (name ?? '')), record, isNamed: name !== undefined };
  });
}

function textOf(field: unknown): string | undefined {
  if (field !== undefined && typeof field !== 'string') throw new CodecError('SenML: a name is no text');
  return field;
}

function pathNamed(name: string): Path {
  try {
    // A base name alone may end in the slash that separates it from the names.
    return parsePath(name.replace(/(?<=.)\/$/, ''));
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new CodecError(error.message);
    throw error;
  }
}

function setValue(record: CborRecord, { path, value }: ResourceValue, types: TypeLookup): void {
  if (value === null) return;
  if (typeof value === 'boolean') record.set(Label.boolean, value);
  else if (typeof value === 'string') record.set(types.typeOf(path) === 'objlnk' ? Label.link : Label.text, value);
  else if (Buffer.isBuffer(value)) record.set(Label.bytes, value);
  else record.set(Label.value, exact(value instanceof Date ? secondsOf(value) : value));
}

function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

/** The library writes integers of more than 32 bits as floats, unless they are BigInts. */
function exact(value: Value): Value {
  return Number.isSafeInteger(value) && Math.abs(Number(value)) > 0xffff_ffff ? BigInt(Number(value)) : value;
}

function decode(payload: Buffer): unknown {
  try {
    return cbor.decode(payload);
  } catch (cause) {
    // Whatever it throws, an overflow of the stack included, is about these bytes.
    throw new CodecError('the payload is no CBOR', { cause });
  }
}

/** A value of the wire, whose type is checked when it is written. */
function valueOf(path: Path, wire: unknown, types: TypeLookup): Value {
  if (typeof wire === 'string' || typeof wire === 'boolean') return wire;
  if (typeof wire === 'number' || typeof wire === 'bigint') {
    return types.typeOf(path) === 'time' ? new Date(Number(wire) * 1000) : wire;
  }
  if (wire === null || wire instanceof Date) return wire;
  // The library's are part of the payload.
  if (wire instanceof Uint8Array) return Buffer.from(wire);
  throw new CodecError(`${formatPath(path)}: no value of LwM2M`);
}
