import { decodePaths, encodeContent } from './device-content';
import { formatPath, pathLevel, pathOf, type Path, type ResourceValue, type Value } from '../model';
import { isInstances, type DeviceObjects, type Resource } from './device-objects';
import { formatOfAnswer, formatOfComposite, formatOfRequest, type DeviceVersion } from './device-formats';
import type { Reply } from './coap-messages';
import { Refusal } from './refusal';

/** Read and Observe of one path (LwM2M Core 1.1 s6.3.1). @throws {Refusal} */
export function readOne(objects: DeviceObjects, version: DeviceVersion, path: Path, accept: number | undefined): Reply {
  if (pathLevel(path) === 'root') throw new Refusal('4.05', 'the root is read by Read-Composite');
  const values = readValues(objects, path);
  const definition = path.resourceId === undefined ? undefined : objects.resource(path).definition;
  const contentFormat = formatOfAnswer(version, accept, path, definition);
  return { code: '2.05', contentFormat, payload: encodeContent(contentFormat, path, values, objects.types) };
}

/** Read-Composite and Observe-Composite (LwM2M Core 1.1 s6.3.8): what is missing or unreadable is left out. */
export function readMany(
  objects: DeviceObjects,
  version: DeviceVersion,
  paths: readonly Path[],
  accept: number | undefined,
): Reply {
  const contentFormat = formatOfComposite(version, accept);
  return {
    code: '2.05',
    contentFormat,
    payload: encodeContent(contentFormat, {}, valuesOfMany(objects, paths), objects.types),
  };
}

/** What is readable at and below these paths, each once. */
export function valuesOfMany(objects: DeviceObjects, paths: readonly Path[]): ResourceValue[] {
  const values = new Map<string, ResourceValue>();
  for (const path of paths) {
    for (const value of readableValues(objects, path)) values.set(formatPath(value.path), value);
  }
  return [...values.values()];
}

/** The paths that a FETCH asks for. @throws {Refusal} 4.15 {CodecError} */
export function requestedPaths(version: DeviceVersion, contentFormat: number | undefined, payload: Buffer): Path[] {
  const paths = decodePaths(formatOfRequest(version, contentFormat), payload);
  if (paths.length === 0) throw new Refusal('4.00', 'no path is asked for');
  return paths;
}

/** The values at and below `path`, as Read sees them. @throws {Refusal} 4.04, 4.05 */
export function readValues(objects: DeviceObjects, path: Path): ResourceValue[] {
  const { objectId, objectInstanceId, resourceId } = path;
  if (objectId === undefined) {
    return objects.objectIds().flatMap((id) => readValues(objects, pathOf(id)));
  }
  if (objectInstanceId === undefined) {
    return objects.instances(objectId).flatMap(([id]) => readValues(objects, pathOf(objectId, id)));
  }
  if (resourceId === undefined) {
    const resources = [...objects.instance(objectId, objectInstanceId).values()].filter(({ readable }) => readable);
    if (resources.length === 0) return [{ path, value: null }];
    return resources.sort((a, b) => a.definition.id - b.definition.id).flatMap(valuesOf);
  }
  const resource = objects.resource(path);
  if (!resource.readable) throw new Refusal('4.05', `${formatPath(path)} is not readable`);
  if (path.resourceInstanceId === undefined) return valuesOf(resource);
  return [{ path, value: instanceValue(resource, path.resourceInstanceId) }];
}

function readableValues(objects: DeviceObjects, path: Path): ResourceValue[] {
  try {
    return readValues(objects, path).filter(({ value }) => value !== null);
  } catch (error) {
    if (error instanceof Refusal) return [];
    throw error;
  }
}

function valuesOf(resource: Resource): ResourceValue[] {
  const { path, value } = resource;
  if (!isInstances(value)) return [{ path, value }];
  if (value.size === 0) return [{ path, value: null }];
  return [...value]
    .sort(([a], [b]) => a - b)
    .map(([resourceInstanceId, each]) => ({ path: { ...path, resourceInstanceId }, value: each }));
}

function instanceValue(resource: Resource, id: number): Value {
  const value = isInstances(resource.value) ? resource.value.get(id) : undefined;
  if (value === undefined) throw new Refusal('4.04', `no ${formatPath(resource.path)}/${id}`);
  return value;
}
