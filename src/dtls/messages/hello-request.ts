import { WireReader } from '../wire';

/** HelloRequest (RFC 5246 s7.4.1.1) is empty. We never send one: there is no renegotiation here. */
export function encodeHelloRequest(): Buffer {
  return Buffer.alloc(0);
}

/** @throws {CodecError} not empty. */
export function decodeHelloRequest(body: Buffer): void {
  new WireReader(body, 'HelloRequest').end();
}
