/**
 * LwM2M CBOR, content format 11544 (LwM2M Core 1.2 s7.4.7): maps in maps, whose keys are the ids of a path from the
 * object down, one at a time (`{3: {0: {9: 95}}}`) or several in an array (`{[3, 0, 9]: 95}`).
 */
import { CodecError } from '../errors';
import { ROOT, formatPath, pathIds, type Path } from '../model/path';
import type { ResourceValue } from '../model/resource-value';
import { checkRecordCount } from './bounds';
import { readCbor, type CborMap, type CborValue } from './cbor-reader';
import { CborWriter, writeTypedValue } from './cbor-writer';
import type { ContentCodec, TypeLookup } from './content-codec';
import { checkWithin, childPath } from './paths';
import { fromSelfDescribed, typedValue } from './value-conversion';
import { treeOf, type ValueTree } from './value-tree';

export const lwm2mCbor: ContentCodec = { decode, encode, encodePaths, decodePaths };

type Leaf = Exclude<CborValue, CborValue[] | CborMap>;

function decode(path: Path, payload: Buffer, types: TypeLookup): ResourceValue[] {
  const values: ResourceValue[] = [];
  walk(readMap(payload), ROOT, (leafPath, wire) => {
    checkWithin(leafPath, path);
    if (leafPath.resourceId === undefined && wire !== null)
      throw new CodecError(`${formatPath(leafPath)} is no resource`);
    checkRecordCount(values.push({ path: leafPath, value: fromSelfDescribed(leafPath, wire, types) }));
  });
  return values;
}

function decodePaths(payload: Buffer): Path[] {
  const paths: Path[] = [];
  walk(readMap(payload), ROOT, (path) => checkRecordCount(paths.push(path)));
  return paths;
}

function readMap(payload: Buffer): CborMap {
  const content = readCbor(payload);
  if (!(content instanceof Map)) throw new CodecError('LwM2M CBOR: no map');
  return content;
}

/** Visits what is no map, and maps without entries: an instance without resources, told as null. */
function walk(map: CborMap, path: Path, visit: (path: Path, wire: Leaf) => void): void {
  for (const [key, value] of map) {
    const inner = pathOfKey(path, key);
    if (Array.isArray(value)) throw new CodecError(`LwM2M CBOR: ${formatPath(inner)} is an array`);
    if (!(value instanceof Map)) visit(inner, value);
    else if (value.size === 0) visit(inner, null);
    else walk(value, inner, visit);
  }
}

function pathOfKey(path: Path, key: CborValue): Path {
  if (!Array.isArray(key)) return childPath(path, idOf(key));
  if (key.length === 0) throw new CodecError('LwM2M CBOR: a key without ids');
  return key.reduce<Path>((inner, id) => childPath(inner, idOf(id)), path);
}

function idOf(key: CborValue): number {
  if (typeof key !== 'number' || !Number.isInteger(key) || key < 0) throw new CodecError('LwM2M CBOR: a key is no id');
  return key;
}

function encode(path: Path, values: readonly ResourceValue[], types: TypeLookup): Buffer {
  const writer = new CborWriter();
  const ids = pathIds(path);
  const tree = treeOf(
    path,
    values.filter((value) => pathIds(value.path).length > ids.length),
  );
  const [own, ...more] = values.filter((value) => pathIds(value.path).length === ids.length);
  if (own && (more.length > 0 || tree.size > 0)) throw new CodecError(`${formatPath(path)} is there twice`);
  if (ids.length === 0) {
    writeTree(writer, tree, types);
  } else if (!own && tree.size === 0) {
    writer.map(0);
  } else {
    writer.map(1);
    writeKey(writer, ids);
    if (own) writeLeaf(writer, own, types);
    else writeTree(writer, tree, types);
  }
  return writer.finish();
}

function writeTree(writer: CborWriter, tree: ValueTree, types: TypeLookup): void {
  writer.map(tree.size);
  for (const [id, value] of tree) {
    writer.integer(id);
    if (value instanceof Map) writeTree(writer, value, types);
    else writeLeaf(writer, value, types);
  }
}

function writeLeaf(writer: CborWriter, item: ResourceValue, types: TypeLookup): void {
  if (item.value !== null) writeTypedValue(writer, typedValue(item.path, item.value, types));
  else if (item.path.resourceId === undefined) writer.map(0);
  else writer.null();
}

function writeKey(writer: CborWriter, ids: readonly number[]): void {
  const [first, ...more] = ids;
  if (first !== undefined && more.length === 0) return writer.integer(first);
  writer.array(ids.length);
  for (const id of ids) writer.integer(id);
}

/** Paths to read, each with null in the place of its value. */
function encodePaths(paths: readonly Path[]): Buffer {
  const writer = new CborWriter();
  writer.map(paths.length);
  for (const path of paths) {
    const ids = pathIds(path);
    if (ids.length === 0) throw new CodecError('LwM2M CBOR has no name for the root');
    writeKey(writer, ids);
    writer.null();
  }
  return writer.finish();
}
