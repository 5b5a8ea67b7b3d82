/** Opaque, content format 42 (LwM2M Core 1.2 s7.4.2): the bytes of a single value. */
import { CodecError } from '../errors';
import { formatPath, type Path } from '../model/path';
import type { ResourceValue } from '../model/resource-value';
import { checkSingleValuePath, singleValue } from './paths';

export function decodeOpaque(path: Path, payload: Buffer): ResourceValue[] {
  checkSingleValuePath('opaque', path);
  return [{ path, value: Buffer.from(payload) }];
}

export function encodeOpaque(path: Path, values: readonly ResourceValue[]): Buffer {
  const only = singleValue('opaque', path, values);
  if (only.value === null) return Buffer.alloc(0);
  if (!Buffer.isBuffer(only.value)) throw new CodecError(`${formatPath(only.path)}: the value is no opaque one`);
  return Buffer.from(only.value);
}
