import { WireReader } from '../wire';

/** ServerHelloDone (RFC 5246 s7.4.5) is empty. */
export function encodeServerHelloDone(): Buffer {
  return Buffer.alloc(0);
}

/** @throws {CodecError} not empty. */
export function decodeServerHelloDone(body: Buffer): void {
  new WireReader(body, 'ServerHelloDone').end();
}
