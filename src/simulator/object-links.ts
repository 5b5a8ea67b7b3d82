import { formatLinks, type Link } from '../content';
import { formatPath, pathLevel, pathOf, type Path } from '../model';
import { announcedFormats, type DeviceVersion } from './device-formats';
import { isInstances, type DeviceObjects, type Resource } from './device-objects';
import type { AttributeValues, NotificationAttributes } from './notification-attributes';
import { Refusal } from './refusal';

/** Never told to a server: Security, OSCORE and MQTT credentials. */
const HIDDEN_OBJECTS: readonly number[] = [0, 21, 23];

/** The body of a Register: formats, objects with their versions, object instances (LwM2M Core 1.1 s6.2.1). */
export function registrationLinks(objects: DeviceObjects, version: DeviceVersion): Buffer {
  const formats = version === '1.0' ? '11543' : announcedFormats(version);
  const links: Link[] = [link('/', { rt: 'oma.lwm2m', ct: formats })];
  for (const objectId of objects.objectIds()) {
    if (HIDDEN_OBJECTS.includes(objectId)) continue;
    const ver = objects.versionOf(objectId);
    const instances = objects.instances(objectId);
    if (ver !== undefined || instances.length === 0) links.push(link(`/${objectId}`, { ver }));
    for (const [id] of instances) links.push(link(`/${objectId}/${id}`));
  }
  return formatLinks(links);
}

/** Objects whose values no server may see. @throws {Refusal} 4.01 */
export function refuseHidden({ objectId }: Path): void {
  if (objectId !== undefined && HIDDEN_OBJECTS.includes(objectId)) throw new Refusal('4.01');
}

/** How far below its path a Discover without `depth` looks: to the resources, of a resource to its instances. */
const DEFAULT_DEPTH = { root: 0, object: 2, 'object-instance': 1, resource: 1, 'resource-instance': 0 } as const;

/**
 * The answer to a Discover (LwM2M Core 1.1 s6.3.2).
 * @param depth levels below `path` (LwM2M Core 1.2 s6.3.2)
 * @throws {Refusal} 4.04
 */
export function discover(
  objects: DeviceObjects,
  attributes: NotificationAttributes,
  path: Path,
  depth: number = DEFAULT_DEPTH[pathLevel(path)],
): Buffer {
  const { objectId, objectInstanceId } = path;
  if (objectId === undefined) throw new Refusal('4.05', 'the root is discovered by the bootstrap server only');
  // What was inherited from above is told at the path asked for; below, what is attached there.
  const here = attributes.effective(path);
  if (path.resourceId !== undefined) {
    return formatLinks(resourceLinks(objects.resource(path), attributes, depth, here));
  }
  if (objectInstanceId !== undefined) {
    return formatLinks(instanceLinks(objects, attributes, objectId, objectInstanceId, depth, here));
  }
  const links = [link(`/${objectId}`, { ver: objects.versionOf(objectId), ...texts(here) })];
  for (const [id] of depth > 0 ? objects.instances(objectId) : []) {
    links.push(...instanceLinks(objects, attributes, objectId, id, depth - 1));
  }
  return formatLinks(links);
}

function instanceLinks(
  objects: DeviceObjects,
  attributes: NotificationAttributes,
  objectId: number,
  instanceId: number,
  depth: number,
  own?: AttributeValues,
): Link[] {
  const path = pathOf(objectId, instanceId);
  const resources = [...objects.instance(objectId, instanceId).values()];
  const links = [link(formatPath(path), texts(own ?? attributes.at(path)))];
  if (depth < 1) return links;
  resources.sort((a, b) => a.definition.id - b.definition.id);
  return links.concat(resources.flatMap((resource) => resourceLinks(resource, attributes, depth - 1)));
}

function resourceLinks(
  resource: Resource,
  attributes: NotificationAttributes,
  depth: number,
  own?: AttributeValues,
): Link[] {
  const { path, value } = resource;
  const instances = isInstances(value) ? [...value.keys()].sort((a, b) => a - b) : undefined;
  const dim = instances && String(instances.length);
  const links = [link(formatPath(path), { dim, ...texts(own ?? attributes.at(path)) })];
  if (depth < 1 || instances === undefined) return links;
  for (const resourceInstanceId of instances) {
    const each = { ...path, resourceInstanceId };
    links.push(link(formatPath(each), texts(attributes.at(each))));
  }
  return links;
}

function texts(attributes: AttributeValues): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]));
}

function link(target: string, attributes: Record<string, string | undefined> = {}): Link {
  return { target, attributes: new Map(Object.entries(attributes).filter(([, value]) => value !== undefined)) };
}
