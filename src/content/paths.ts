import { CodecError } from '../errors';
import { MAX_ID, ROOT, formatPath, pathLevel, type Path } from '../model/path';
import type { ResourceValue } from '../model/resource-value';

const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Reads a resolved name such as `/3/0/6/1`. Clients also send it without the first slash or with one at the end.
 * @throws {CodecError} anything else.
 */
export function parseName(name: string): Path {
  let path: Path = ROOT;
  let at = name.charCodeAt(0) === SLASH ? 1 : 0;
  while (at < name.length) {
    const start = at;
    let id = 0;
    for (; at < name.length && name.charCodeAt(at) !== SLASH; at++) {
      const digit = name.charCodeAt(at);
      if (digit < ZERO || digit > NINE || at - start > 4) throw notAPath(name);
      id = id * 10 + digit - ZERO;
    }
    if (at === start || id > MAX_ID || path.resourceInstanceId !== undefined) throw notAPath(name);
    path = childPath(path, id);
    at++;
  }
  return path;
}

function notAPath(name: string): CodecError {
  return new CodecError(`'${name.slice(0, 40)}' is no path`);
}

/** The path one level further down. */
export function childPath(path: Path, id: number): Path {
  if (id > MAX_ID) throw new CodecError(`${id} is no id`);
  const { objectId, objectInstanceId, resourceId, resourceInstanceId } = path;
  if (objectId === undefined) return pathFrom(id);
  if (objectInstanceId === undefined) return pathFrom(objectId, id);
  if (resourceId === undefined) return pathFrom(objectId, objectInstanceId, id);
  if (resourceInstanceId === undefined) return pathFrom(objectId, objectInstanceId, resourceId, id);
  throw new CodecError('a path has four ids at most');
}

function pathFrom(objectId: number, objectInstanceId?: number, resourceId?: number, resourceInstanceId?: number): Path {
  return { objectId, objectInstanceId, resourceId, resourceInstanceId };
}

/** Whether `inner` is `outer` or lies below it. Without the arrays of `pathContains`: this runs once a record. */
export function isWithin(inner: Path, outer: Path): boolean {
  if (outer.objectId === undefined) return true;
  if (outer.objectId !== inner.objectId) return false;
  if (outer.objectInstanceId === undefined) return true;
  if (outer.objectInstanceId !== inner.objectInstanceId) return false;
  if (outer.resourceId === undefined) return true;
  if (outer.resourceId !== inner.resourceId) return false;
  return outer.resourceInstanceId === undefined || outer.resourceInstanceId === inner.resourceInstanceId;
}

/** @throws {CodecError} the payload speaks of something that was not asked for. */
export function checkWithin(path: Path, requested: Path): void {
  if (!isWithin(path, requested)) throw new CodecError(`${formatPath(path)} is outside of ${formatPath(requested)}`);
}

/** For the formats that hold a single value. */
export function checkSingleValuePath(format: string, path: Path): void {
  const level = pathLevel(path);
  if (level !== 'resource' && level !== 'resource-instance') {
    throw new CodecError(`${format} holds a single value, and ${formatPath(path)} is no single value`);
  }
}

/** The one value that a single-value format can write. */
export function singleValue(format: string, path: Path, values: readonly ResourceValue[]): ResourceValue {
  const [first, ...more] = values;
  if (!first || more.length > 0) throw new CodecError(`${format} holds a single value, not ${values.length}`);
  checkWithin(first.path, path);
  checkSingleValuePath(format, first.path);
  return first;
}
