import { InvalidArgumentError } from '../errors';
import { coerceValue, describeValue, isRecord } from './coerce-value';
import { parseId, resourceIdOf, shorten } from './names';
import type { DefinitionOf, ResourceDefinition } from './object-definition';
import { formatPath, parsePath, pathLevel, type Path } from './path';
import type { ResourceValue } from './resource-value';

interface Input {
  readonly definitionOf: DefinitionOf;
  /** Whether `null` may stand for "remove it", as only SenML-ETCH can say. */
  readonly removal: boolean;
}

interface ObjectInstancePath {
  readonly objectId: number;
  readonly objectInstanceId: number;
}

interface ResourcePath extends ObjectInstancePath {
  readonly resourceId: number;
}

/**
 * Makes of a payload the values to be written at a path; the inverse of `toPayload`.
 *
 * - resource instance, single resource: the value (see `coerceValue`)
 * - multiple resource: an object keyed by resource instance id, or an array, the index being that id
 * - object instance: an object keyed by resource: its id, its key (`onOff`) or its name (`On/Off`), in any mix
 * - object: an object keyed by object instance id
 *
 * Values are judged by the definition's type, or without a definition by what they are in JavaScript. Its range and
 * operations are not enforced: the device decides, and says so. Ids the definition does not know are taken as they are.
 * An empty object is an empty instance or multiple resource: one value, `null`, at its path.
 * @throws {InvalidArgumentError} with a text for the author of the flow.
 */
export function fromPayload(path: Path, payload: unknown, definitionOf: DefinitionOf): ResourceValue[] {
  return readPayload(path, payload, { definitionOf, removal: false });
}

/**
 * Makes of an object keyed by paths the values of a Write-Composite (LwM2M Core 1.2 s6.3.9); each property is read as by
 * `fromPayload`, but nothing may be empty, and `null` removes a resource instance.
 * @param resolve reads a path; give one that knows names if they are to be understood.
 * @throws {InvalidArgumentError} not such an object, nothing in it, or a path in it twice.
 */
export function fromCompositePayload(
  payload: unknown,
  definitionOf: DefinitionOf,
  resolve: (text: string) => Path = parsePath,
): ResourceValue[] {
  if (!isRecord(payload)) {
    throw new InvalidArgumentError(`a composite write takes an object keyed by paths, not ${describeValue(payload)}`);
  }
  const values = Object.entries(payload).flatMap(([text, value]) =>
    readPayload(resolve(text), value, { definitionOf, removal: true }),
  );
  if (values.length === 0) throw new InvalidArgumentError('a composite write without any path');
  refuseDoubles(values);
  return values;
}

function readPayload(path: Path, payload: unknown, input: Input): ResourceValue[] {
  const { objectId, objectInstanceId, resourceId, resourceInstanceId } = path;
  if (objectId === undefined) throw new InvalidArgumentError('nothing can be written at /: say which object');
  if (objectInstanceId === undefined) return readObjectPayload(objectId, payload, input);
  if (resourceId === undefined) return readInstancePayload({ objectId, objectInstanceId }, payload, input);
  const resource = { objectId, objectInstanceId, resourceId };
  if (resourceInstanceId === undefined) return readResourcePayload(resource, payload, input);
  return [readValue({ ...resource, resourceInstanceId }, payload, input)];
}

function readObjectPayload(objectId: number, payload: unknown, input: Input): ResourceValue[] {
  const what = describePath({ objectId }, input);
  if (!isRecord(payload)) {
    throw new InvalidArgumentError(`${what} takes an object keyed by instance id, not ${describeValue(payload)}`);
  }
  return Object.entries(payload).flatMap(([key, instance]) => {
    const objectInstanceId = instanceIdOf(key, what);
    return readInstancePayload({ objectId, objectInstanceId }, instance, input);
  });
}

function readInstancePayload(path: ObjectInstancePath, payload: unknown, input: Input): ResourceValue[] {
  const what = describePath(path, input);
  if (!isRecord(payload)) {
    throw new InvalidArgumentError(
      `${what} takes an object keyed by resource, such as { "0": 1 }, not ${describeValue(payload)}`,
    );
  }
  const definition = input.definitionOf(path.objectId);
  const known = definition === undefined ? [] : [definition];
  const entries = Object.entries(payload);
  if (entries.length === 0) return [emptyValue(path, input)];
  const seen = new Set<number>();
  return entries.flatMap(([key, value]) => {
    const resourceId = resourceIdOf(key, path.objectId, known);
    if (seen.has(resourceId)) {
      throw new InvalidArgumentError(`${what} is given resource ${resourceId} twice, by id and by name`);
    }
    seen.add(resourceId);
    return readResourcePayload({ ...path, resourceId }, value, input);
  });
}

function readResourcePayload(path: ResourcePath, payload: unknown, input: Input): ResourceValue[] {
  const several = instancesIn(payload);
  const multiple = resourceDefinition(path, input)?.multiple ?? several !== undefined;
  if (!multiple || (payload === null && input.removal)) return [readValue(path, payload, input)];
  const what = describePath(path, input);
  if (several === undefined) {
    throw new InvalidArgumentError(
      `${what} has several instances: give an array or an object keyed by instance id, not ${describeValue(payload)}`,
    );
  }
  if (several.length === 0) return [emptyValue(path, input)];
  return several.map(([key, value]) =>
    readValue({ ...path, resourceInstanceId: instanceIdOf(key, what) }, value, input),
  );
}

/** The instances of a multiple resource in a payload; `undefined` when the payload is a single value. */
function instancesIn(payload: unknown): [string, unknown][] | undefined {
  if (Array.isArray(payload)) return Array.from(payload, (value: unknown, index) => [String(index), value]);
  return isRecord(payload) ? Object.entries(payload) : undefined;
}

function readValue(path: ResourcePath & Path, payload: unknown, input: Input): ResourceValue {
  const value =
    payload === null && input.removal
      ? null
      : coerceValue(resourceDefinition(path, input)?.type, payload, describePath(path, input));
  return { path: toPath(path), value };
}

/** An empty instance or multiple resource; not where its `null` would be a removal. */
function emptyValue(path: ObjectInstancePath & Path, input: Input): ResourceValue {
  if (input.removal) {
    throw new InvalidArgumentError(`${describePath(path, input)} is given nothing to write (null removes)`);
  }
  return { path: toPath(path), value: null };
}

function instanceIdOf(key: string, what: string): number {
  const id = parseId(key);
  if (id === undefined) throw new InvalidArgumentError(`${what}: '${shorten(key)}' is no instance id of 0 to 65534`);
  return id;
}

function resourceDefinition(path: ResourcePath, input: Input): ResourceDefinition | undefined {
  return input.definitionOf(path.objectId)?.resources.get(path.resourceId);
}

/** `On/Off (/3311/0/5850)`, or the path alone when there is no name. */
function describePath(path: Path & { objectId: number }, input: Input): string {
  const definition = input.definitionOf(path.objectId);
  const name = path.resourceId === undefined ? definition?.name : definition?.resources.get(path.resourceId)?.name;
  return name === undefined ? formatPath(path) : `${name} (${formatPath(path)})`;
}

function toPath({ objectId, objectInstanceId, resourceId, resourceInstanceId }: Path): Path {
  return { objectId, objectInstanceId, resourceId, resourceInstanceId };
}

function refuseDoubles(values: readonly ResourceValue[]): void {
  const seen = new Set<string>();
  for (const { path } of values) {
    const text = formatPath(path);
    if (seen.has(text)) throw new InvalidArgumentError(`${text} is written twice (${pathLevel(path)})`);
    seen.add(text);
  }
}
