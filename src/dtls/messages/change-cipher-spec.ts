import { CodecError } from '../../errors';
import { WireReader } from '../wire';

/** ChangeCipherSpec (RFC 5246 s7.1): not a handshake message, but a record type of its own with one byte 1. */
export function encodeChangeCipherSpec(): Buffer {
  return Buffer.from([1]);
}

/** @throws {CodecError} not the byte 1. */
export function decodeChangeCipherSpec(bytes: Buffer): void {
  const reader = new WireReader(bytes, 'ChangeCipherSpec');
  const type = reader.uint8();
  reader.end();
  if (type !== 1) throw new CodecError(`ChangeCipherSpec is ${type}`);
}
