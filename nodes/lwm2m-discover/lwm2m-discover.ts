import type { NodeAPI } from 'node-red';
import { registerOperationNode, type OperationConfig } from '../shared/operation-node';

interface DiscoverConfig extends OperationConfig {
  depth?: unknown;
}

/** Discover: the paths below a path, with their attributes. */
export = function (RED: NodeAPI): void {
  registerOperationNode<DiscoverConfig>(RED, 'lwm2m-discover', 'discover', async (input) => ({
    operation: 'discover',
    path: await input.path(),
    depth: input.number('depth'),
  }));
};
