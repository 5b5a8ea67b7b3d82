import { field } from './elements';

/** What nodes/shared/admin-routes.ts answers to the editor. */
export interface DeviceSuggestion {
  endpoint: string;
  connectivity: string;
}

export interface ObjectSummary {
  id: number;
  version: string;
  name: string;
}

export interface ResourceSummary {
  id: number;
  name: string;
  operations: string;
  multiple: boolean;
  type: string;
  range: string;
  units: string;
}

export interface ObjectDetail extends ObjectSummary {
  multiple: boolean;
  resources: ResourceSummary[];
}

/** An object that a registered device says it has. */
export interface DeviceObject {
  id: number;
  version: string;
  name: string;
  instances: number[];
}

/** Why there is no answer: the server of the dialog cannot be asked, or knows nothing of that name. */
export type Unavailable = 'no-server' | 'not-deployed' | 'unknown' | 'failed';

/** The answer of a route, or the reason why there is none. */
export type Answer<T> = { data: T } | { unavailable: Unavailable };

/** The server chosen in the open dialog, which need not be saved yet. */
export function chosenServer(): string | undefined {
  const id = field('server')?.value;
  return id === undefined || id === '' || id === '_ADD_' || !RED.nodes.node(id) ? undefined : id;
}

function get<T>(path: string): Promise<Answer<T>> {
  return new Promise((resolve) => {
    $.ajax({ url: path, dataType: 'json' })
      .done((data) => resolve({ data: data as T }))
      .fail((request) => resolve({ unavailable: reasonOf(request) }));
  });
}

/** A route that is not there, or has no such server: the flows that hold it are not deployed. */
function reasonOf({ status, responseJSON }: FailedRequest): Unavailable {
  if (status !== 404) return 'failed';
  return responseJSON === undefined || responseJSON.code === 'NOT_DEPLOYED' ? 'not-deployed' : 'unknown';
}

/** The public key of a server, as it is deployed; `null`: it has none, since it does no DTLS. */
export function serverPublicKey(server: string): Promise<Answer<{ publicKey: string | null }>> {
  // One that is just being made in its dialog.
  if (!RED.nodes.node(server)) return Promise.resolve({ unavailable: 'not-deployed' });
  return get(`lwm2m/${encodeURIComponent(server)}/public-key`);
}

function ofServer<T>(path: string): Promise<Answer<T>> {
  const server = chosenServer();
  // Relative, so that the editor may live below any path (httpAdminRoot).
  return server === undefined
    ? Promise.resolve({ unavailable: 'no-server' })
    : get<T>(`lwm2m/${encodeURIComponent(server)}/${path}`);
}

/** At most `limit` devices whose name contains the text. */
export function findDevices(text: string, limit: number): Promise<Answer<DeviceSuggestion[]>> {
  return ofServer(`devices?q=${encodeURIComponent(text)}&limit=${limit}`);
}

/** The objects of a registered device. */
export async function objectsOfDevice(endpoint: string): Promise<DeviceObject[]> {
  const answer = await ofServer<{ objects: DeviceObject[] }>(`devices/${encodeURIComponent(endpoint)}`);
  return 'unavailable' in answer ? [] : answer.data.objects;
}

/** All objects that the server has definitions of, in their newest version, without their resources. */
export async function listObjects(): Promise<Answer<ObjectSummary[]>> {
  const answer = await ofServer<ObjectSummary[]>('objects');
  if ('unavailable' in answer) return answer;
  return { data: answer.data.filter(({ id }, index, all) => all[index - 1]?.id !== id) };
}

/** One object definition with its resources: the version asked for or the one nearest to it. */
export function describeObject(id: number, version = ''): Promise<Answer<ObjectDetail>> {
  return ofServer(`objects/${id}?version=${encodeURIComponent(version)}`);
}
