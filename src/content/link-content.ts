/** Link format as the content of a single Corelnk resource (LwM2M Core 1.2 appendix C). */
import { CodecError } from '../errors';
import { formatPath, type Path } from '../model/path';
import type { ResourceValue } from '../model/resource-value';
import { parseLinks } from './link-format';
import { checkSingleValuePath, singleValue } from './paths';

export function decodeLinkContent(path: Path, payload: Buffer): ResourceValue[] {
  checkSingleValuePath('link format', path);
  parseLinks(payload);
  return [{ path, value: payload.toString() }];
}

export function encodeLinkContent(path: Path, values: readonly ResourceValue[]): Buffer {
  const only = singleValue('link format', path, values);
  if (typeof only.value !== 'string') throw new CodecError(`${formatPath(only.path)}: the value is no text`);
  const payload = Buffer.from(only.value);
  parseLinks(payload);
  return payload;
}
