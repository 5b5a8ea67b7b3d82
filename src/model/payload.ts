import type { DefinitionOf, ObjectDefinition } from './object-definition';
import { formatPath, pathContains, pathEquals, pathIds, type Path } from './path';
import type { ResourceValue, Value } from './resource-value';

/** How the objects of a payload are keyed: by ids as text, or by names in camelCase. */
export type Keys = 'id' | 'name';

export interface PayloadOptions {
  readonly keys: Keys;
  readonly definitionOf: DefinitionOf;
}

/** What was sent at a path and below it. */
interface Node {
  value: Value | undefined;
  children: Map<number, Node> | undefined;
}

const RESOURCE_DEPTH = 3;

/**
 * Makes of the values that a device sent for a path what `msg.payload` holds.
 *
 * - resource, resource instance: the value; of a multiple resource an object keyed by resource instance id
 * - object instance: an object keyed by resource, by id or (`keys: 'name'`) by key such as `onOff`
 * - object: an object keyed by object instance id; root: an object keyed by object
 *
 * What the definition does not know is delivered under its id, and a single value of a multiple resource, or the other
 * way round, as it was sent. Of several values with times of one path the newest is taken. `null` when nothing was sent
 * for a single value, `{}` when nothing was sent for anything else.
 */
export function toPayload(path: Path, values: readonly ResourceValue[], options: PayloadOptions): unknown {
  const [first] = values;
  // The most frequent read of all: one value of one resource.
  if (values.length === 1 && first !== undefined && first.value !== null && pathEquals(first.path, path))
    return first.value;
  const ids = pathIds(path);
  return toObject(nodeAt(path, ids.length, values), ids, options);
}

/**
 * Makes of the values of a Read-Composite an object keyed by the paths that were asked for, each as `toPayload` has it.
 * A path for which the device sent nothing, because it does not have it, is left out (LwM2M Core 1.2 s6.3.8).
 */
export function toCompositePayload(
  paths: readonly Path[],
  values: readonly ResourceValue[],
  options: PayloadOptions,
): Record<string, unknown> {
  const payload: Record<string, unknown> = {};
  for (const path of paths) {
    const below = values.filter((value) => pathContains(path, value.path));
    if (below.length > 0) payload[formatPath(path)] = toPayload(path, below, options);
  }
  return payload;
}

function nodeAt(path: Path, depth: number, values: readonly ResourceValue[]): Node {
  const root: Node = { value: undefined, children: undefined };
  for (const { path: valuePath, value } of oldestFirst(values)) {
    if (!pathContains(path, valuePath)) continue;
    let node = root;
    for (const id of pathIds(valuePath).slice(depth)) {
      node.children ??= new Map();
      let child = node.children.get(id);
      if (child === undefined) node.children.set(id, (child = { value: undefined, children: undefined }));
      node = child;
    }
    node.value = value;
  }
  return root;
}

/** In the order of their times, those without one (which are of now) last, so that the newest is taken. */
function oldestFirst(values: readonly ResourceValue[]): readonly ResourceValue[] {
  if (values.every(({ timestamp }) => timestamp === undefined)) return values;
  return [...values].sort((a, b) => compareTimes(a.timestamp ?? Infinity, b.timestamp ?? Infinity));
}

function compareTimes(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

/** @param ids of the node's path */
function toObject(node: Node, ids: readonly number[], options: PayloadOptions): unknown {
  const { value, children } = node;
  if (children === undefined && value !== undefined && value !== null) return value;
  if (children === undefined && !isContainer(ids, value, options)) return null;
  // A plain object, which flows can compare and clone: ids and keys are never `__proto__` (see camelCase).
  const object: Record<string, unknown> = {};
  for (const [id, child] of children ?? []) {
    const key = keyOf(ids, id, options);
    object[Object.hasOwn(object, key) ? String(id) : key] = toObject(child, [...ids, id], options);
  }
  return object;
}

/** Whether a path without values is an empty object rather than no value. */
function isContainer(ids: readonly number[], value: Value | undefined, { definitionOf }: PayloadOptions): boolean {
  if (ids.length !== RESOURCE_DEPTH) return ids.length < RESOURCE_DEPTH;
  const [objectId = 0, , resourceId = 0] = ids;
  return definitionOf(objectId)?.resources.get(resourceId)?.multiple ?? value === null;
}

function keyOf(parentIds: readonly number[], id: number, { keys, definitionOf }: PayloadOptions): string {
  if (keys === 'id') return String(id);
  const [objectId] = parentIds;
  if (objectId === undefined) return definitionOf(id)?.camelName ?? String(id);
  if (parentIds.length !== 2) return String(id);
  const definition: ObjectDefinition | undefined = definitionOf(objectId);
  return definition?.resources.get(id)?.camelName ?? String(id);
}
