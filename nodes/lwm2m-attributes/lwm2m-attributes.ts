import type { NodeAPI } from 'node-red';
import { InvalidArgumentError } from '../../src/index';
import { registerOperationNode } from '../shared/operation-node';

/** Write-Attributes: when and how a device notifies. */
export = function (RED: NodeAPI): void {
  registerOperationNode(RED, 'lwm2m-attributes', 'write-attributes', async (input) => {
    const attributes = input.attributes();
    if (Object.keys(attributes).length === 0)
      throw new InvalidArgumentError('no attribute is set, here or in the message');
    return { operation: 'write-attributes', path: await input.path(), attributes };
  });
};
