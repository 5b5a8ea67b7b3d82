import { parsePath, pathLevel, type Path } from '../model';
import { InvalidArgumentError } from '../errors';
import type { IncomingRequest, Reply } from './coap-messages';
import type { DeviceVersion } from './device-formats';
import { isInstances, type DeviceObjects } from './device-objects';
import { parseAttributes, type NotificationAttributes } from './notification-attributes';
import { discover, refuseHidden } from './object-links';
import type { ObservationRequest, Observations } from './observations';
import { readMany, readOne, readValues, requestedPaths, valuesOfMany } from './read-operation';
import { Refusal } from './refusal';
import { create, refusalOf, remove, write, writeComposite } from './write-operation';

/** What a device opens to the server's requests. */
export interface RequestTarget {
  readonly version: DeviceVersion;
  readonly objects: DeviceObjects;
  readonly attributes: NotificationAttributes;
  readonly observations: Observations;
  onWritten(paths: readonly Path[]): void;
  onExecuted(path: Path, args: string): void;
}

const LINK_FORMAT = 40;

/** Arguments of an Execute (LwM2M Core 1.1 s6.3.5): digits, each with a quoted value or none, separated by commas. */
const ARGUMENTS = /^([0-9](='[^']*')?(,[0-9](='[^']*')?)*)?$/;

/** Answers one request of the server (LwM2M Core 1.1 s6.3, s6.4; response codes s6.7). */
export function answer(target: RequestTarget, request: IncomingRequest): Reply {
  try {
    const path = requestPath(request);
    refuseHidden(path);
    if (target.version === '1.0' && pathLevel(path) === 'resource-instance') {
      throw new Refusal('4.04', 'LwM2M 1.0 has no paths of resource instances');
    }
    return dispatch(target, request, path);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return { code: refusal.code, payload: Buffer.from(refusal.message) };
  }
}

function dispatch(target: RequestTarget, request: IncomingRequest, path: Path): Reply {
  switch (request.method) {
    case 'GET':
      return request.accept === LINK_FORMAT ? discoverPath(target, request, path) : read(target, request, path);
    case 'PUT':
      return put(target, request, path);
    case 'POST':
      return post(target, request, path);
    case 'DELETE':
      remove(target.objects, target.version, path);
      target.attributes.forget(path);
      return { code: '2.02' };
    case 'FETCH':
      return fetch(target, request);
    case 'iPATCH':
      requireComposite(target, path);
      target.onWritten(writeComposite(target.objects, target.version, request));
      return { code: '2.04' };
    case 'PATCH':
      return { code: '4.05' };
  }
}

function requestPath(request: IncomingRequest): Path {
  try {
    return parsePath(`/${request.path.join('/')}`);
  } catch (error) {
    // Nothing else than the object tree lives here.
    if (error instanceof InvalidArgumentError) throw new Refusal('4.04', error.message);
    throw error;
  }
}

function discoverPath(target: RequestTarget, request: IncomingRequest, path: Path): Reply {
  // The instances of a resource are listed from 1.1 on.
  let depth = target.version === '1.0' && pathLevel(path) === 'resource' ? 0 : undefined;
  for (const parameter of request.query) {
    const match = /^depth=([0-3])$/.exec(parameter);
    if (!match || target.version !== '1.2') throw new Refusal('4.00', `'${parameter}' is not understood`);
    depth = Number(match[1]);
  }
  const payload = discover(target.objects, target.attributes, path, depth);
  return { code: '2.05', contentFormat: LINK_FORMAT, payload };
}

function read(target: RequestTarget, request: IncomingRequest, path: Path): Reply {
  const respond = () => readOne(target.objects, target.version, path, request.accept);
  return observeOrAnswer(target, request, { paths: [path], respond, values: () => readValues(target.objects, path) });
}

function fetch(target: RequestTarget, request: IncomingRequest): Reply {
  requireComposite(target, requestPath(request));
  const paths = requestedPaths(target.version, request.contentFormat, request.payload);
  const respond = () => readMany(target.objects, target.version, paths, request.accept);
  const values = () => valuesOfMany(target.objects, paths);
  return observeOrAnswer(target, request, { paths, respond, values });
}

function observeOrAnswer(
  { observations, version }: RequestTarget,
  request: IncomingRequest,
  reading: Omit<ObservationRequest, 'attributes'>,
): Reply {
  const { paths, respond } = reading;
  if (request.observe === 1) observations.remove(request.token);
  if (request.observe !== 0) return respond();
  const [first] = paths;
  const level = paths.length === 1 && first ? pathLevel(first) : 'root';
  const attributes = request.query.length > 0 ? parseAttributes(request.query, level, version) : {};
  return { ...respond(), observed: (stream) => observations.add({ ...reading, attributes }, stream) };
}

function put(target: RequestTarget, request: IncomingRequest, path: Path): Reply {
  // Write-Attributes is a PUT whose content is its query.
  if (request.contentFormat === undefined && request.payload.length === 0 && request.query.length > 0) {
    writeAttributes(target, path, request.query);
  } else {
    target.onWritten(write(target.objects, target.version, path, request, true));
  }
  return { code: '2.04' };
}

function writeAttributes(
  { objects, attributes, observations, version }: RequestTarget,
  path: Path,
  query: readonly string[],
): void {
  const { objectId = 0, objectInstanceId = 0 } = path;
  const level = pathLevel(path);
  if (level === 'root') throw new Refusal('4.05');
  if (level === 'object') objects.definition(objectId);
  else if (level === 'object-instance') objects.instance(objectId, objectInstanceId);
  else if (level === 'resource') objects.resource(path);
  else {
    const { value } = objects.resource(path);
    if (!isInstances(value) || !value.has(path.resourceInstanceId ?? -1)) throw new Refusal('4.04');
  }
  attributes.write(path, query, version);
  observations.attributesChanged();
}

function post(target: RequestTarget, request: IncomingRequest, path: Path): Reply {
  const level = pathLevel(path);
  if (level === 'resource') return execute(target, request, path);
  if (level === 'object-instance') {
    target.onWritten(write(target.objects, target.version, path, request, false));
    return { code: '2.04' };
  }
  if (level !== 'object' || path.objectId === undefined) throw new Refusal('4.05');
  const created = create(target.objects, target.version, path.objectId, request);
  return { code: '2.01', locationPath: [String(created.objectId), String(created.objectInstanceId)] };
}

function execute(target: RequestTarget, request: IncomingRequest, path: Path): Reply {
  const resource = target.objects.resource(path);
  if (resource.definition.operations !== 'E') throw new Refusal('4.05', 'not executable');
  const args = request.payload.toString('utf8');
  if (!ARGUMENTS.test(args)) throw new Refusal('4.00', 'malformed arguments');
  resource.setup.execute?.(args);
  target.onExecuted(path, args);
  return { code: '2.04' };
}

function requireComposite({ version }: RequestTarget, path: Path): void {
  if (version === '1.0' || pathLevel(path) !== 'root') throw new Refusal('4.05');
}
