import type { NodeMessage } from 'node-red';
import type { DeviceEvent } from '../../src/index';

export function messageOf({ topic, endpoint, payload }: DeviceEvent): NodeMessage {
  return { topic, endpoint, payload };
}
