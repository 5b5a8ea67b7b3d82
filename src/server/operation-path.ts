import { formatPath } from '../model';
import type { Operation } from './operation';

/** The path of an operation as text; several are separated by commas. */
export function operationPath(operation: Operation): string {
  return operationPaths(operation).join(',');
}

/** The paths of an operation as texts. */
export function operationPaths(operation: Operation): string[] {
  switch (operation.operation) {
    case 'read':
      return operation.paths.map(formatPath);
    case 'write-composite':
      return Object.keys(operation.values);
    case 'write':
    case 'execute':
    case 'discover':
    case 'create':
    case 'delete':
    case 'write-attributes':
      return [formatPath(operation.path)];
  }
}
