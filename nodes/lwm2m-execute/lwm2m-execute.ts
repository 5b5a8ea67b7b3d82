import type { NodeAPI, NodeMessageInFlow } from 'node-red';
import { InvalidArgumentError, type Engine } from '../../src/index';
import { registerOperationNode, type OperationConfig } from '../shared/operation-node';
import { describe, isEmpty, messageProperty } from '../shared/options';
import { userOf } from '../shared/user';
import { confirmationOf, conditionsOf, type GuardConfig } from './guard';

interface ExecuteConfig extends OperationConfig, GuardConfig {
  args?: unknown;
  argsType?: string;
}

/** Execute, with arguments when the typed input holds some; guarded by conditions and a second person when they are set. */
export = function (RED: NodeAPI): void {
  registerOperationNode<ExecuteConfig>(
    RED,
    'lwm2m-execute',
    'execute',
    async (input) => {
      const path = await input.path();
      const args = argumentsOf(await input.typed('args'));
      const conditions = conditionsOf(input);
      return { operation: 'execute', path, args, ...(conditions.length === 0 ? {} : { conditions }) };
    },
    { order: confirmationOf, instead: confirming },
  );
};

/** A message with `msg.confirm` agrees to an order of another person. */
function confirming(msg: NodeMessageInFlow): ((engine: Engine) => void) | undefined {
  const id = messageProperty(msg, 'confirm');
  if (isEmpty(id) || id === false) return undefined;
  return (engine) => {
    if (typeof id !== 'string') throw new InvalidArgumentError(`msg.confirm must be an id, not ${describe(id)}`);
    engine.confirm(id, { user: userOf(msg) });
  };
}

/**
 * Buttons and injections send a payload of their own, such as `true` or the time. What cannot be arguments at all only
 * triggers; text and objects are arguments and checked by the engine.
 */
function argumentsOf(value: unknown): unknown {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 9) return String(value);
  return typeof value === 'string' || (typeof value === 'object' && value !== null) ? value : undefined;
}
