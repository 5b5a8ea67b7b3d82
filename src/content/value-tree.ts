import { CodecError } from '../errors';
import { formatPath, pathIds, type Path } from '../model/path';
import type { ResourceValue } from '../model/resource-value';
import { checkWithin } from './paths';

/** Values by the ids of their paths, a map a level, in the order they came. */
export type ValueTree = Map<number, ValueTree | ResourceValue>;

/**
 * Arranges values below `base`, for the formats that nest. An object instance without resources is an empty map.
 * @throws {CodecError} a value outside of `base`, two for the same path (these formats have no time to tell them
 * apart), or a resource that is both single and multiple.
 */
export function treeOf(base: Path, values: readonly ResourceValue[]): ValueTree {
  const depth = pathIds(base).length;
  const root: ValueTree = new Map();
  for (const value of values) {
    checkWithin(value.path, base);
    const ids = pathIds(value.path).slice(depth);
    const isInstance = value.path.resourceId === undefined;
    if (isInstance && value.value !== null) throw new CodecError(`${formatPath(value.path)} is no resource`);
    put(root, ids, isInstance ? new Map() : value, value.path);
  }
  return root;
}

function put(root: ValueTree, ids: readonly number[], leaf: ValueTree | ResourceValue, path: Path): void {
  let level = root;
  ids.forEach((id, index) => {
    const present = level.get(id);
    if (index === ids.length - 1) {
      if (present !== undefined && !(present instanceof Map && leaf instanceof Map)) {
        throw new CodecError(`${formatPath(path)} is there twice`);
      }
      if (present === undefined) level.set(id, leaf);
    } else if (present instanceof Map) {
      level = present;
    } else if (present === undefined) {
      const next: ValueTree = new Map();
      level.set(id, next);
      level = next;
    } else {
      throw new CodecError(`${formatPath(path)}: a resource is single or multiple, not both`);
    }
  });
}
