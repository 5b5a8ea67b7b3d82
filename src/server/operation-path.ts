import { formatPath } from '../model';
import type { Operation } from './operation';

/** The path of an operation as text; several are separated by commas. */
export function operationPath(operation: Operation): string {
  switch (operation.operation) {
    case 'read':
      return operation.paths.map(formatPath).join(',');
    case 'write-composite':
      return Object.keys(operation.values).join(',');
    case 'write':
    case 'execute':
    case 'discover':
    case 'create':
    case 'delete':
    case 'write-attributes':
      return formatPath(operation.path);
  }
}
