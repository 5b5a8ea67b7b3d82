import type { NodeAPI } from 'node-red';
import { InvalidArgumentError } from '../../src/index';
import { registerOperationNode } from '../shared/operation-node';

/** Read; several paths: Read-Composite. */
export = function (RED: NodeAPI): void {
  registerOperationNode(RED, 'lwm2m-read', 'read', async (input) => {
    const found = await input.optionalPaths();
    if (found === undefined) throw new InvalidArgumentError('no path: set one, or send msg.path');
    return { operation: 'read', paths: found.paths, composite: found.several || undefined, ...input.content() };
  });
};
