import type { NodeAPI } from 'node-red';
import { registerOperationNode, type OperationConfig } from '../shared/operation-node';

interface CreateConfig extends OperationConfig {
  value?: unknown;
  valueType?: string;
}

/** Create an object instance, with the id in the path or one that the device chooses. */
export = function (RED: NodeAPI): void {
  registerOperationNode<CreateConfig>(RED, 'lwm2m-create', 'create', async (input) => ({
    operation: 'create',
    path: await input.path(),
    value: await input.typed('value'),
    ...input.content(),
  }));
};
