import { StoreError } from '../../errors';
import type { SqlValue } from './messages';

/**
 * The bytes of a column.
 * @throws {StoreError} it holds something else.
 */
export function bytesOf(value: SqlValue | undefined): Buffer {
  if (!(value instanceof Uint8Array)) throw new StoreError('a stored row cannot be read');
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
