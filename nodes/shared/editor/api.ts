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

/** Why the server of a dialog cannot be asked. */
export type Unavailable = 'no-server' | 'not-deployed' | 'failed';

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
      .fail(({ status }) => resolve({ unavailable: status === 404 ? 'not-deployed' : 'failed' }));
  });
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

/** All object definitions that the server knows, without their resources. */
export function listObjects(): Promise<Answer<ObjectSummary[]>> {
  return ofServer('objects');
}

/** One object definition with its resources. */
export function describeObject(id: number): Promise<Answer<ObjectDetail>> {
  return ofServer(`objects/${id}`);
}
