import { WireReader, WireWriter } from '../wire';

/** HelloVerifyRequest (RFC 6347 s4.2.1): asks the client to prove that it receives at its address. */
export interface HelloVerifyRequest {
  /** DTLS 1.0, whatever will be negotiated. */
  version: number;
  cookie: Buffer;
}

export function encodeHelloVerifyRequest(request: HelloVerifyRequest): Buffer {
  return new WireWriter(3 + request.cookie.length).uint16(request.version).vector8(request.cookie).finish();
}

/** @throws {CodecError} not a HelloVerifyRequest. */
export function decodeHelloVerifyRequest(body: Buffer): HelloVerifyRequest {
  const reader = new WireReader(body, 'HelloVerifyRequest');
  const request = { version: reader.uint16(), cookie: reader.vector8() };
  reader.end();
  return request;
}
