import { VERIFY_DATA_LENGTH } from '../prf';
import { WireReader } from '../wire';

/** Finished (RFC 5246 s7.4.9): the first message under the new keys; proves that both saw the same handshake. */
export interface Finished {
  verifyData: Buffer;
}

export function encodeFinished(message: Finished): Buffer {
  return Buffer.from(message.verifyData);
}

/** @throws {CodecError} not 12 bytes. */
export function decodeFinished(body: Buffer): Finished {
  const reader = new WireReader(body, 'Finished');
  const message = { verifyData: reader.bytes(VERIFY_DATA_LENGTH) };
  reader.end();
  return message;
}
