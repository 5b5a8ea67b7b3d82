import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { InvalidArgumentError } from '../../src/index';

/** The two properties that a typed input of the editor makes. */
export interface TypedValue {
  readonly value: unknown;
  readonly type: string;
}

const TYPES = ['msg', 'flow', 'global', 'str', 'num', 'bool', 'json', 'bin', 'date', 'jsonata', 'env'];

/**
 * What a typed input stands for.
 * @throws {InvalidArgumentError} a type that there is not, JSON or JSONata that is wrong, a property of nothing.
 */
export async function evaluate(
  RED: NodeAPI,
  node: Node,
  { value, type }: TypedValue,
  msg: NodeMessage,
): Promise<unknown> {
  if (!TYPES.includes(type)) throw new InvalidArgumentError(`there is no input type '${type}'`);
  // An exported flow may hold the value itself where the editor writes text.
  if (typeof value !== 'string' && ['num', 'bool', 'json'].includes(type)) return value;
  // A time of a device is a Date; the editor's plain timestamp is a number of ms.
  if (type === 'date' && value === '') return new Date();
  try {
    return await new Promise<unknown>((resolve, reject) => {
      RED.util.evaluateNodeProperty(
        String(value),
        type,
        node,
        msg,
        (error: Error | null | undefined, result: unknown) => {
          if (error) reject(error);
          else resolve(result);
        },
      );
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String((error as { message?: unknown }).message ?? error);
    throw new InvalidArgumentError(`${type} '${String(value)}' cannot be read: ${reason}`);
  }
}
