import type { Exchange } from '../exchange';
import type { Operation, OperationResult } from '../operation';
import { create } from './create';
import { deleteInstance } from './delete-instance';
import { discover } from './discover';
import { execute } from './execute';
import { read } from './read';
import { write } from './write';
import { writeAttributes } from './write-attributes';
import { writeComposite } from './write-composite';

export { checkOperation, checkPaths } from './check';

/** Does an operation, which `checkOperation` let pass, on one device. */
export function perform(exchange: Exchange, operation: Operation): Promise<OperationResult> {
  switch (operation.operation) {
    case 'read':
      return read(exchange, operation);
    case 'write':
      return write(exchange, operation);
    case 'write-composite':
      return writeComposite(exchange, operation);
    case 'execute':
      return execute(exchange, operation);
    case 'discover':
      return discover(exchange, operation);
    case 'create':
      return create(exchange, operation);
    case 'delete':
      return deleteInstance(exchange, operation);
    case 'write-attributes':
      return writeAttributes(exchange, operation);
  }
}

/**
 * Whether doing it twice is as good as once, so that it may be sent again when no answer came (RFC 7252 s5.1: GET, PUT,
 * DELETE; RFC 8132: FETCH, iPATCH). Execute, create and partial update are POST.
 */
export function isIdempotent(operation: Operation): boolean {
  switch (operation.operation) {
    case 'execute':
    case 'create':
      return false;
    case 'write':
      return operation.mode === 'replace';
    default:
      return true;
  }
}
