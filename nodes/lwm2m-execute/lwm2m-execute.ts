import type { NodeAPI } from 'node-red';
import { registerOperationNode, type OperationConfig } from '../shared/operation-node';

interface ExecuteConfig extends OperationConfig {
  args?: unknown;
  argsType?: string;
}

/** Execute, with arguments when the typed input holds some. */
export = function (RED: NodeAPI): void {
  registerOperationNode<ExecuteConfig>(RED, 'lwm2m-execute', 'execute', async (input) => {
    const path = await input.path();
    return { operation: 'execute', path, args: argumentsOf(await input.typed('args')) };
  });
};

/**
 * Buttons and injections send a payload of their own, such as `true` or the time. What cannot be arguments at all only
 * triggers; text and objects are arguments and checked by the engine.
 */
function argumentsOf(value: unknown): unknown {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 9) return String(value);
  return typeof value === 'string' || (typeof value === 'object' && value !== null) ? value : undefined;
}
