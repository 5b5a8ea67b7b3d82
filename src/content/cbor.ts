/** CBOR, content format 60 (LwM2M Core 1.2 s7.4.3): a single value. */
import { CodecError } from '../errors';
import type { Path } from '../model/path';
import type { ResourceValue } from '../model/resource-value';
import { readCbor } from './cbor-reader';
import { CborWriter, writeTypedValue } from './cbor-writer';
import type { TypeLookup } from './content-codec';
import { checkSingleValuePath, singleValue } from './paths';
import { fromSelfDescribed, typedValue } from './value-conversion';

export function decodeCbor(path: Path, payload: Buffer, types: TypeLookup): ResourceValue[] {
  checkSingleValuePath('CBOR', path);
  const wire = readCbor(payload);
  if (Array.isArray(wire) || wire instanceof Map) throw new CodecError('CBOR: no single value');
  return [{ path, value: fromSelfDescribed(path, wire, types) }];
}

export function encodeCbor(path: Path, values: readonly ResourceValue[], types: TypeLookup): Buffer {
  const only = singleValue('CBOR', path, values);
  const writer = new CborWriter();
  if (only.value === null) writer.null();
  else writeTypedValue(writer, typedValue(only.path, only.value, types));
  return writer.finish();
}
