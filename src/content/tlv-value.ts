/** The values inside of TLV, whose bytes do not show their type (LwM2M Core 1.2 appendix C). */
import { isUtf8 } from 'node:buffer';
import { CodecError } from '../errors';
import { formatPath, type Path } from '../model/path';
import type { ResourceType, Value } from '../model/resource-value';
import type { TypeLookup } from './content-codec';
import { dateOfSeconds, normalInteger, typedValue } from './value-conversion';

/** Reads a value by its definition's type. Without one, or of another length than that type has, it is the bytes. */
export function decodeTlvValue(path: Path, bytes: Buffer, types: TypeLookup): Value {
  const type = types.typeOf(path);
  if (type === undefined || type === 'none') return Buffer.from(bytes);
  return valueOfBytes(path, type, bytes) ?? Buffer.from(bytes);
}

function valueOfBytes(
  path: Path,
  type: Exclude<ResourceType, 'none'>,
  bytes: Buffer,
): Exclude<Value, null> | undefined {
  switch (type) {
    case 'string':
    case 'corelnk':
      return isUtf8(bytes) ? bytes.toString() : undefined;
    case 'integer':
      return readSigned(bytes);
    case 'unsigned':
      return readUnsigned(bytes);
    case 'float':
      return readFloat(path, bytes);
    case 'boolean':
      return bytes.length === 1 && (bytes[0] ?? 2) < 2 ? bytes[0] === 1 : undefined;
    case 'opaque':
      return Buffer.from(bytes);
    case 'time': {
      const seconds = readSigned(bytes);
      return seconds === undefined ? undefined : dateOfSeconds(seconds);
    }
    case 'objlnk':
      return bytes.length === 4 ? `${bytes.readUInt16BE(0)}:${bytes.readUInt16BE(2)}` : undefined;
  }
}

function readSigned(bytes: Buffer): number | bigint | undefined {
  switch (bytes.length) {
    case 1:
    case 2:
    case 4:
      return bytes.readIntBE(0, bytes.length);
    case 8:
      return normalInteger(bytes.readBigInt64BE(0));
    default:
      return undefined;
  }
}

function readUnsigned(bytes: Buffer): number | bigint | undefined {
  switch (bytes.length) {
    case 1:
    case 2:
    case 4:
      return bytes.readUIntBE(0, bytes.length);
    case 8:
      return normalInteger(bytes.readBigUInt64BE(0));
    default:
      return undefined;
  }
}

function readFloat(path: Path, bytes: Buffer): number | undefined {
  if (bytes.length !== 4 && bytes.length !== 8) return undefined;
  const value = bytes.length === 4 ? bytes.readFloatBE(0) : bytes.readDoubleBE(0);
  if (!Number.isFinite(value)) throw new CodecError(`${formatPath(path)}: ${value} is no value`);
  return value;
}

export function encodeTlvValue(path: Path, value: Exclude<Value, null>, types: TypeLookup): Buffer {
  const typed = typedValue(path, value, types);
  switch (typed.type) {
    case 'string':
    case 'corelnk':
      return Buffer.from(typed.value);
    case 'integer':
    case 'time':
      return writeSigned(typed.value);
    case 'unsigned':
      return writeUnsigned(typed.value);
    case 'float':
      return writeFloat(typed.value);
    case 'boolean':
      return Buffer.of(typed.value ? 1 : 0);
    case 'opaque':
      return typed.value;
    case 'objlnk': {
      const [objectId, instanceId] = typed.value.split(':').map(Number);
      return writeNumber(4, (bytes) => bytes.writeUInt16BE(instanceId ?? 0, bytes.writeUInt16BE(objectId ?? 0)));
    }
  }
}

function writeSigned(value: number | bigint): Buffer {
  const bytes = fits(value, 7) ? 1 : fits(value, 15) ? 2 : fits(value, 31) ? 4 : 8;
  return writeNumber(bytes, (buffer) =>
    bytes === 8 ? buffer.writeBigInt64BE(BigInt(value)) : buffer.writeIntBE(Number(value), 0, bytes),
  );
}

/** Whether a sign and that many bits hold the value. */
function fits(value: number | bigint, bits: number): boolean {
  return value >= -(2 ** bits) && value < 2 ** bits;
}

function writeUnsigned(value: number | bigint): Buffer {
  const bytes = value <= 0xff ? 1 : value <= 0xffff ? 2 : value <= 0xffffffff ? 4 : 8;
  return writeNumber(bytes, (buffer) =>
    bytes === 8 ? buffer.writeBigUInt64BE(BigInt(value)) : buffer.writeUIntBE(Number(value), 0, bytes),
  );
}

/** As 4 bytes where that loses nothing, else as 8. */
function writeFloat(value: number): Buffer {
  const bytes = Math.fround(value) === value ? 4 : 8;
  return writeNumber(bytes, (buffer) => (bytes === 4 ? buffer.writeFloatBE(value) : buffer.writeDoubleBE(value)));
}

function writeNumber(bytes: number, write: (buffer: Buffer) => void): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  write(buffer);
  return buffer;
}
