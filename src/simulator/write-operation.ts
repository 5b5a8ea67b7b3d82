import { CodecError, InvalidArgumentError } from '../errors';
import { contentFormatId } from '../content';
import {
  checkRange,
  coerceValue,
  formatPath,
  MAX_ID,
  pathLevel,
  pathOf,
  type Path,
  type ResourceValue,
  type Value,
} from '../model';
import { decodeContent } from './device-content';
import { isInstances, type DeviceObjects, type Resource, type ResourceInstances } from './device-objects';
import { formatOfRequest, type DeviceVersion } from './device-formats';
import { Refusal } from './refusal';

export interface Body {
  readonly contentFormat?: number;
  readonly payload: Buffer;
}

/** A value that was checked and only has to be set. */
interface Change {
  readonly resource: Resource;
  value: Value | ResourceInstances;
}

/**
 * Write of an object instance, a resource or a resource instance (LwM2M Core 1.1 s6.3.3). All is checked first: a
 * refused write changes nothing.
 * @param replace PUT: of an instance, what is writable and not given gets its factory value; of a multiple resource,
 *   the instances not given go. Else POST, the partial update.
 * @returns the paths of the resources that were written
 * @throws {Refusal} {CodecError}
 */
export function write(
  objects: DeviceObjects,
  version: DeviceVersion,
  path: Path,
  body: Body,
  replace: boolean,
): Path[] {
  const level = pathLevel(path);
  if (level === 'root' || level === 'object') throw new Refusal('4.05', `${formatPath(path)} is not written`);
  if (level === 'object-instance') objects.instance(path.objectId ?? 0, path.objectInstanceId ?? 0);
  else if (!objects.resource(path).writable) throw new Refusal('4.05', `${formatPath(path)} is read-only`);
  const format = formatOfRequest(version, body.contentFormat);
  const values = decodeContent(format, path, body.payload, objects.types);
  const changes = collectChanges((each) => objects.resource(each), values, replace && level !== 'resource-instance');
  if (replace && level === 'object-instance') addFactoryValues(objects, path, changes);
  return apply(changes.values());
}

/** Write-Composite (LwM2M Core 1.1 s6.3.9): all or nothing. @throws {Refusal} {CodecError} */
export function writeComposite(objects: DeviceObjects, version: DeviceVersion, body: Body): Path[] {
  const values = decodeContent(formatOfRequest(version, body.contentFormat), {}, body.payload, objects.types);
  return apply(collectChanges((each) => objects.resource(each), values, false).values());
}

/**
 * Create (LwM2M Core 1.1 s6.3.5), with the id the server chose or the next free one.
 * @returns the path of the new instance
 * @throws {Refusal} {CodecError}
 */
export function create(objects: DeviceObjects, version: DeviceVersion, objectId: number, body: Body): Path {
  objects.definition(objectId);
  const factory = objects.factoryOf(objectId);
  if (factory === undefined) throw new Refusal('4.05', `instances of object ${objectId} are not created`);
  const format = formatOfRequest(version, body.contentFormat);
  const { instanceId, values } = readNewInstance(objects, objectId, format, body.payload);
  const instance = objects.make(objectId, instanceId, factory(instanceId));
  const resourceAt = ({ resourceId }: Path) => {
    const resource = instance.get(resourceId ?? -1);
    if (resource === undefined) throw new Refusal('4.00', `a new instance has no resource ${resourceId}`);
    return resource;
  };
  const changes = collectChanges(resourceAt, values, true, 'create');
  objects.attach(objectId, instanceId, instance);
  apply(changes.values());
  return pathOf(objectId, instanceId);
}

/** Delete of an object instance, from 1.2 on of a resource instance too (LwM2M Core 1.2 s6.3.6). @throws {Refusal} */
export function remove(objects: DeviceObjects, version: DeviceVersion, path: Path): void {
  const { objectId = 0, objectInstanceId = 0, resourceInstanceId } = path;
  const level = pathLevel(path);
  if (level === 'object-instance') {
    objects.instance(objectId, objectInstanceId);
    if (!objects.factoryOf(objectId)) throw new Refusal('4.05', `instances of object ${objectId} are not deleted`);
    objects.remove(objectId, objectInstanceId);
  } else if (level === 'resource-instance' && version === '1.2') {
    const resource = objects.resource(path);
    if (!resource.writable) throw new Refusal('4.05', `${formatPath(path)} is read-only`);
    const instances = new Map(isInstances(resource.value) ? resource.value : []);
    if (!instances.delete(resourceInstanceId ?? -1)) throw new Refusal('4.04', `no ${formatPath(path)}`);
    apply([{ resource, value: instances }]);
  } else {
    throw new Refusal('4.05', `${formatPath(path)} is not deleted`);
  }
}

function readNewInstance(
  objects: DeviceObjects,
  objectId: number,
  format: number,
  payload: Buffer,
): { instanceId: number; values: ResourceValue[] } {
  const taken = new Set(objects.instances(objectId).map(([id]) => id));
  const free = [...taken, -1].map((id) => id + 1).filter((id) => !taken.has(id));
  const next = Math.min(...free);
  if (payload.length === 0 || lacksInstanceId(format, payload)) {
    if (next > MAX_ID) throw new Refusal('4.00', 'no id is free');
    const values = payload.length === 0 ? [] : decodeContent(format, pathOf(objectId, next), payload, objects.types);
    return { instanceId: next, values };
  }
  const values = decodeContent(format, pathOf(objectId), payload, objects.types);
  const ids = new Set(values.map(({ path }) => path.objectInstanceId));
  const [instanceId] = ids;
  if (ids.size !== 1 || instanceId === undefined) throw new Refusal('4.00', 'one new instance at a time');
  if (taken.has(instanceId)) throw new Refusal('4.00', `/${objectId}/${instanceId} exists`);
  return { instanceId, values };
}

/** TLV without the wrapper of an object instance (type bits 00, LwM2M Core 1.1 s7.4.3) leaves the id to the device. */
function lacksInstanceId(format: number, payload: Buffer): boolean {
  return format === contentFormatId('tlv') && ((payload[0] ?? 0) & 0xc0) !== 0;
}

function collectChanges(
  resourceAt: (path: Path) => Resource,
  values: readonly ResourceValue[],
  replace: boolean,
  purpose: 'write' | 'create' = 'write',
): Map<Resource, Change> {
  const changes = new Map<Resource, Change>();
  for (const { path, value } of values) {
    if (path.resourceId === undefined) continue;
    const resource = resourceAt(path);
    const allowed = resource.writable || (purpose === 'create' && resource.readable);
    if (!allowed) throw new Refusal('4.05', `${formatPath(path)} is read-only`);
    const change = changes.get(resource) ?? { resource, value: startValue(resource, replace) };
    change.value = mergeValue(resource, change.value, path, value);
    changes.set(resource, change);
  }
  return changes;
}

function startValue(resource: Resource, replace: boolean): Value | ResourceInstances {
  if (!resource.definition.multiple) return null;
  return new Map(!replace && isInstances(resource.value) ? resource.value : []);
}

function mergeValue(
  resource: Resource,
  current: Value | ResourceInstances,
  path: Path,
  value: Value,
): Value | ResourceInstances {
  const { resourceInstanceId } = path;
  if (!isInstances(current)) {
    if (resourceInstanceId !== undefined) throw new Refusal('4.00', `${formatPath(resource.path)} has no instances`);
    return checkedValue(resource, path, value);
  }
  if (resourceInstanceId === undefined) {
    if (value !== null) throw new Refusal('4.00', `${formatPath(resource.path)} has instances`);
    return current;
  }
  const instances = new Map(current);
  // SenML-ETCH removes what has no value (RFC 8790 s3.2).
  if (value === null) instances.delete(resourceInstanceId);
  else instances.set(resourceInstanceId, checkedValue(resource, path, value));
  return instances;
}

function checkedValue(resource: Resource, path: Path, value: Value): Value {
  const what = formatPath(path);
  if (value === null) throw new Refusal('4.00', `${what} needs a value`);
  let coerced: Value;
  try {
    coerced = coerceValue(resource.definition.type, value, what);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new Refusal('4.00', error.message);
    throw error;
  }
  const fault = checkRange(resource.definition, coerced) ?? resource.setup.check?.(coerced);
  if (fault !== undefined) throw new Refusal('4.00', `${what}: ${fault}`);
  return coerced;
}

function addFactoryValues(objects: DeviceObjects, path: Path, changes: Map<Resource, Change>): void {
  for (const resource of objects.instance(path.objectId ?? 0, path.objectInstanceId ?? 0).values()) {
    const { value } = resource.setup;
    if (resource.writable && value !== undefined && !changes.has(resource)) changes.set(resource, { resource, value });
  }
}

function apply(changes: Iterable<Change>): Path[] {
  const list = [...changes];
  for (const { resource, value } of list) resource.value = value;
  for (const { resource, value } of list) resource.setup.written?.(value);
  return list.map(({ resource }) => resource.path);
}

/** The answer to what went wrong; undefined for a fault of our own. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof CodecError || error instanceof InvalidArgumentError) return new Refusal('4.00', error.message);
  return undefined;
}
