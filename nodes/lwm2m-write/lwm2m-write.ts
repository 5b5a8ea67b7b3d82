import type { NodeAPI } from 'node-red';
import { InvalidArgumentError } from '../../src/index';
import { describe } from '../shared/options';
import { registerOperationNode, type OperationConfig } from '../shared/operation-node';

interface WriteConfig extends OperationConfig {
  value?: unknown;
  valueType?: string;
  mode?: string;
}

/** Write, as replacement or partial update; an object keyed by paths and no path: Write-Composite. */
export = function (RED: NodeAPI): void {
  registerOperationNode<WriteConfig>(RED, 'lwm2m-write', 'write', async (input) => {
    const value = await input.typed('value');
    const found = await input.optionalPaths();
    if (found === undefined) return { operation: 'write-composite', values: valuesByPath(value), ...input.content() };
    const mode = input.choice('mode', ['replace', 'update']) ?? 'replace';
    return { operation: 'write', path: input.onePath(found), value, mode, ...input.content() };
  });
};

function valuesByPath(value: unknown): Record<string, unknown> {
  const isRecord =
    typeof value === 'object' &&
    value !== null &&
    [Object.prototype, null].includes(Object.getPrototypeOf(value) as null);
  const keys = isRecord ? Object.keys(value) : [];
  if (keys.length > 0 && keys.every((key) => key.startsWith('/'))) return value as Record<string, unknown>;
  throw new InvalidArgumentError(
    `no path: set one, send msg.path, or give an object keyed by paths as the value, not ${describe(value)}`,
  );
}
