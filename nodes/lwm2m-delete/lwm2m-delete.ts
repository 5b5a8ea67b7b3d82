import type { NodeAPI } from 'node-red';
import { registerOperationNode } from '../shared/operation-node';

/** Delete an object instance or, of a 1.2 device, a resource instance. */
export = function (RED: NodeAPI): void {
  registerOperationNode(RED, 'lwm2m-delete', 'delete', async (input) => ({
    operation: 'delete',
    path: await input.path(),
  }));
};
