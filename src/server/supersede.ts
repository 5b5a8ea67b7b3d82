import { formatPath } from '../model';
import type { Operation, WriteCompositeOperation, WriteOperation } from './operation';

/**
 * What an order is about, so that of several that wait for one device only the newest need be done: those with equal keys
 * replace each other. `undefined`: each one counts (execute, create, delete).
 */
export function supersedeKey(operation: Operation): string | undefined {
  switch (operation.operation) {
    case 'write':
      return `write ${writeTarget(operation)}`;
    case 'write-composite':
      return `write ${compositeTargets(operation)}`;
    case 'read':
      return JSON.stringify({ ...operation, paths: operation.paths.map(formatPath) });
    case 'discover':
      return `discover ${formatPath(operation.path)} ${operation.depth ?? ''}`;
    case 'write-attributes':
      return `write-attributes ${formatPath(operation.path)} ${Object.keys(operation.attributes).sort().join()}`;
    case 'execute':
    case 'create':
    case 'delete':
      return undefined;
  }
}

/** A replaced instance is another one than an instance of which this or that resource is changed. */
function writeTarget({ path, value, mode }: WriteOperation): string {
  const text = formatPath(path);
  return mode === 'replace' && isKeyed(value) ? `=${text}` : text + keysOf(value);
}

function compositeTargets({ values }: WriteCompositeOperation): string {
  return Object.entries(values)
    .map(([path, value]) => path + keysOf(value))
    .sort()
    .join();
}

/** The keys of an object and of the objects in it: which of its resources are written. */
function keysOf(value: unknown): string {
  if (!isKeyed(value)) return '';
  const keys = Object.keys(value)
    .sort()
    .map((key) => key + keysOf(value[key]));
  return `{${keys.join()}}`;
}

function isKeyed(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !(value instanceof Date) && !ArrayBuffer.isView(value);
}
