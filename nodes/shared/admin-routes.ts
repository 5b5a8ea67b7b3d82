import type { Request, Response } from 'express';
import type { NodeAPI } from 'node-red';
import type { Engine, ObjectDefinition, ObjectSummary } from '../../src/index';
import type { ServerNode } from './server-node';

/** Devices in one answer: so many when the request says nothing, and at most. */
const FEW = 20;
const MOST = 200;

interface ResourceView {
  id: number;
  name: string;
  camelName: string;
  operations: string;
  multiple: boolean;
  mandatory: boolean;
  type: string;
  range: string;
  units: string;
}

interface ObjectView extends ObjectSummary {
  multiple: boolean;
  resources: ResourceView[];
}

interface DeviceObject {
  id: number;
  version: string;
  /** Empty when the object has no definition here. */
  name: string;
  instances: number[];
}

/**
 * What the editor asks for. All are GET, need the permission `lwm2m.read`, and answer JSON; 404 with
 * `{ code: 'NOT_DEPLOYED' | 'UNKNOWN_DEVICE' | 'UNKNOWN_OBJECT', message }` when there is nothing of that
 * name. No route answers a key that is secret.
 *
 *   lwm2m/<server>/devices?q=&limit=      [{ endpoint, connectivity }]: endpoints that contain q, sorted, at most limit (20)
 *   lwm2m/<server>/devices/<endpoint>     { endpoint, connectivity, objects: [{ id, version, name, instances }] }
 *   lwm2m/<server>/objects?q=             [{ id, version, name }]: whose id begins with q or whose name contains it
 *   lwm2m/<server>/objects/<id>?version=  { id, version, name, multiple, resources: [{ id, name, camelName, operations,
 *                                           multiple, mandatory, type, range, units }] }
 *   lwm2m/<server>/public-key             { publicKey }: what devices know the server by, base64 of the SPKI in DER; null: no DTLS
 */
export function registerAdminRoutes(RED: NodeAPI): void {
  const route = (path: string, answer: (engine: Engine, request: Request) => unknown): void => {
    RED.httpAdmin.get(`/lwm2m/:server/${path}`, RED.auth.needsPermission('lwm2m.read'), (request, response) => {
      const host = (RED.nodes.getNode(parameter(request, 'server')) as ServerNode | null)?.host;
      if (host === undefined) notFound(response, 'NOT_DEPLOYED', 'this server is not deployed');
      else reply(response, answer(host.engine, request));
    });
  };
  route('devices', findDevices);
  route('devices/:endpoint', describeDevice);
  route('objects', findObjects);
  route('objects/:id', describeObject);
  route('public-key', publicKey);
}

class NotFound {
  constructor(
    readonly code: string,
    readonly message: string,
  ) {}
}

function reply(response: Response, answer: unknown): void {
  if (answer instanceof NotFound) notFound(response, answer.code, answer.message);
  else response.json(answer);
}

function notFound(response: Response, code: string, message: string): void {
  response.status(404).json({ code, message });
}

function findDevices(engine: Engine, request: Request): unknown {
  return engine.searchDevices(query(request, 'q'), limitOf(request));
}

function describeDevice(engine: Engine, request: Request): unknown {
  const endpoint = parameter(request, 'endpoint');
  const device = engine.devices({ endpoint }, []).find((candidate) => candidate.endpoint === endpoint);
  if (device === undefined) return new NotFound('UNKNOWN_DEVICE', 'no device of this name is known');
  const objects: DeviceObject[] = device.objects.map(({ id, version, instances }) => ({
    id,
    version,
    name: engine.definitions.get(id, version)?.name ?? '',
    instances,
  }));
  return { endpoint, connectivity: device.connectivity, objects };
}

function findObjects(engine: Engine, request: Request): ObjectSummary[] {
  const text = query(request, 'q').trim().toLowerCase();
  return engine.definitions
    .list()
    .filter(({ id, name }) => text === '' || String(id).startsWith(text) || name.toLowerCase().includes(text));
}

function describeObject(engine: Engine, request: Request): ObjectView | NotFound {
  const id = parameter(request, 'id');
  const version = query(request, 'version');
  const definition = /^\d{1,5}$/.test(id)
    ? engine.definitions.get(Number(id), version === '' ? undefined : version)
    : undefined;
  if (definition === undefined) return new NotFound('UNKNOWN_OBJECT', 'no definition of this object is known');
  return viewOf(definition);
}

function publicKey({ serverPublicKey }: Engine): unknown {
  return { publicKey: serverPublicKey ?? null };
}

function viewOf(definition: ObjectDefinition): ObjectView {
  const { id, version, name, multiple } = definition;
  const resources = [...definition.resources.values()].map((resource) => ({
    id: resource.id,
    name: resource.name,
    camelName: resource.camelName,
    operations: resource.operations,
    multiple: resource.multiple,
    mandatory: resource.mandatory,
    type: resource.type,
    range: resource.range,
    units: resource.units,
  }));
  return { id, version, name, multiple, resources };
}

function limitOf(request: Request): number {
  const limit = Number.parseInt(query(request, 'limit'), 10);
  return Number.isNaN(limit) ? FEW : Math.min(Math.max(limit, 1), MOST);
}

function parameter(request: Request, name: string): string {
  const value = request.params[name];
  return typeof value === 'string' ? value : '';
}

/** A query parameter given once; anything else is as if it were not given. */
function query(request: Request, name: string): string {
  const value = request.query[name];
  return typeof value === 'string' ? value : '';
}
