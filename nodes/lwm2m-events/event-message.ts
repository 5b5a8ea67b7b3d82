import type { NodeMessage } from 'node-red';
import type { HostEvent } from '../lwm2m-server/device-events';

/** What happened to the server itself is of no endpoint. */
export function messageOf(event: HostEvent): NodeMessage {
  const { topic, payload } = event;
  return 'endpoint' in event ? { topic, endpoint: event.endpoint, payload } : { topic, payload };
}
