/**
 * TLV, content format 11542 (LwM2M Core 1.0 s6.4.3, 1.2 s7.4.4).
 *
 * The same bytes mean different levels by the path of the request, and clients differ in what they wrap: a resource
 * may come inside its object instance, and the only instance of an object without its wrapper. All of that is read.
 */
import { CodecError } from '../errors';
import { formatPath, pathLevel, type Path } from '../model/path';
import type { ResourceValue } from '../model/resource-value';
import { checkRecordCount } from './bounds';
import type { EncodeOptions, TypeLookup } from './content-codec';
import { checkWithin, childPath } from './paths';
import { decodeTlvValue, encodeTlvValue } from './tlv-value';
import { treeOf, type ValueTree } from './value-tree';

/** Bits 7-6 of the type byte. */
const OBJECT_INSTANCE = 0x00;
const RESOURCE_INSTANCE = 0x40;
const MULTIPLE_RESOURCE = 0x80;
const RESOURCE = 0xc0;

interface Entry {
  readonly kind: number;
  readonly id: number;
  readonly value: Buffer;
}

interface Reading {
  readonly requested: Path;
  readonly types: TypeLookup;
  readonly values: ResourceValue[];
}

/** @throws {CodecError} malformed, truncated, or outside of `path`. */
export function decodeTlv(path: Path, payload: Buffer, types: TypeLookup): ResourceValue[] {
  if (path.objectId === undefined) throw new CodecError('TLV cannot carry several objects');
  const reading: Reading = { requested: path, types, values: [] };
  for (const entry of entriesOf(payload)) readTopEntry(entry, path, path.objectId, reading);
  return reading.values;
}

function readTopEntry(entry: Entry, path: Path, objectId: number, reading: Reading): void {
  const object = { objectId, objectInstanceId: undefined, resourceId: undefined, resourceInstanceId: undefined };
  // Without its wrapper an object's instance is the only one, and that is number 0.
  const instance = { ...object, objectInstanceId: path.objectInstanceId ?? 0 };
  switch (entry.kind) {
    case OBJECT_INSTANCE:
      return readObjectInstance(entry, childPath(object, entry.id), reading);
    case RESOURCE:
      return readResource(entry, childPath(instance, entry.id), reading);
    case MULTIPLE_RESOURCE:
      return readMultipleResource(entry, childPath(instance, entry.id), reading);
    default:
      if (path.resourceId === undefined) throw new CodecError(`TLV: a resource instance without its resource`);
      return readResource(entry, childPath({ ...path, resourceInstanceId: undefined }, entry.id), reading);
  }
}

function readObjectInstance(entry: Entry, path: Path, reading: Reading): void {
  const entries = entriesOf(entry.value);
  if (entries.length === 0) return add(path, null, reading);
  for (const inner of entries) {
    if (inner.kind === RESOURCE) readResource(inner, childPath(path, inner.id), reading);
    else if (inner.kind === MULTIPLE_RESOURCE) readMultipleResource(inner, childPath(path, inner.id), reading);
    else throw new CodecError(`TLV: ${formatPath(path)} holds something that is no resource`);
  }
}

function readMultipleResource(entry: Entry, path: Path, reading: Reading): void {
  const entries = entriesOf(entry.value);
  if (entries.length === 0) return add(path, null, reading);
  for (const inner of entries) {
    if (inner.kind !== RESOURCE_INSTANCE) {
      throw new CodecError(`TLV: ${formatPath(path)} holds something that is no resource instance`);
    }
    readResource(inner, childPath(path, inner.id), reading);
  }
}

function readResource(entry: Entry, path: Path, reading: Reading): void {
  add(path, decodeTlvValue(path, entry.value, reading.types), reading);
}

function add(path: Path, value: ResourceValue['value'], reading: Reading): void {
  checkWithin(path, reading.requested);
  checkRecordCount(reading.values.push({ path, value }));
}

/** One level of entries. Their number is bounded by the bytes: an entry has two at least. */
function entriesOf(bytes: Buffer): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  while (at < bytes.length) {
    const type = bytes[at] ?? 0;
    const idBytes = type & 0x20 ? 2 : 1;
    const lengthBytes = (type >> 3) & 3;
    const header = 1 + idBytes + lengthBytes;
    if (at + header > bytes.length) throw new CodecError('TLV: an entry is cut off');
    const id = bytes.readUIntBE(at + 1, idBytes);
    const length = lengthBytes === 0 ? type & 7 : bytes.readUIntBE(at + 1 + idBytes, lengthBytes);
    at += header;
    if (length > bytes.length - at) throw new CodecError('TLV: an entry is longer than what is left');
    checkRecordCount(entries.push({ kind: type & 0xc0, id, value: bytes.subarray(at, at + length) }));
    at += length;
  }
  return entries;
}

/** @throws {CodecError} a value that is not of its type, or that lies outside of `path`. */
export function encodeTlv(
  path: Path,
  values: readonly ResourceValue[],
  types: TypeLookup,
  options: EncodeOptions,
): Buffer {
  const level = pathLevel(path);
  switch (level) {
    case 'root':
      throw new CodecError('TLV cannot carry several objects');
    case 'object':
      return encodeObject(path, treeOf(path, values), types, options);
    case 'object-instance':
      // A value of the instance's own path says that it is empty: that needs the wrapper.
      if (values.some((value) => value.path.resourceId === undefined)) {
        return encodeObject({ objectId: path.objectId }, treeOf({ objectId: path.objectId }, values), types, options);
      }
      return encodeResources(treeOf(path, values), types);
    case 'resource':
    case 'resource-instance': {
      const instance = { objectId: path.objectId, objectInstanceId: path.objectInstanceId };
      for (const value of values) checkWithin(value.path, path);
      return encodeResources(treeOf(instance, values), types);
    }
  }
}

function encodeObject(path: Path, tree: ValueTree, types: TypeLookup, options: EncodeOptions): Buffer {
  if (options.withoutInstanceId && tree.size > 1) throw new CodecError('TLV: several instances need their ids');
  return Buffer.concat(
    [...tree].map(([id, instance]) => {
      if (!(instance instanceof Map)) throw new CodecError(`${formatPath(childPath(path, id))} is no object instance`);
      const resources = encodeResources(instance, types);
      return options.withoutInstanceId ? resources : encodeEntry(OBJECT_INSTANCE, id, resources);
    }),
  );
}

function encodeResources(tree: ValueTree, types: TypeLookup): Buffer {
  const parts: Buffer[] = [];
  for (const [id, resource] of tree) {
    if (resource instanceof Map) parts.push(encodeEntry(MULTIPLE_RESOURCE, id, encodeInstances(resource, types)));
    else if (resource.value === null) parts.push(encodeEntry(MULTIPLE_RESOURCE, id, Buffer.alloc(0)));
    else parts.push(encodeEntry(RESOURCE, id, encodeTlvValue(resource.path, resource.value, types)));
  }
  return Buffer.concat(parts);
}

function encodeInstances(tree: ValueTree, types: TypeLookup): Buffer {
  const parts: Buffer[] = [];
  for (const [id, instance] of tree) {
    if (instance instanceof Map || instance.value === null)
      throw new CodecError('TLV cannot remove a resource instance');
    parts.push(encodeEntry(RESOURCE_INSTANCE, id, encodeTlvValue(instance.path, instance.value, types)));
  }
  return Buffer.concat(parts);
}

function encodeEntry(kind: number, id: number, value: Buffer): Buffer {
  const length = value.length;
  const idBytes = id > 0xff ? 2 : 1;
  const lengthBytes = length < 8 ? 0 : length <= 0xff ? 1 : length <= 0xffff ? 2 : 3;
  if (length > 0xffffff) throw new CodecError('TLV: a value is longer than 16 MiB');
  const header = 1 + idBytes + lengthBytes;
  const entry = Buffer.allocUnsafe(header + length);
  entry[0] = kind | (idBytes === 2 ? 0x20 : 0) | (lengthBytes << 3) | (lengthBytes === 0 ? length : 0);
  entry.writeUIntBE(id, 1, idBytes);
  if (lengthBytes > 0) entry.writeUIntBE(length, 1 + idBytes, lengthBytes);
  entry.set(value, header);
  return entry;
}
