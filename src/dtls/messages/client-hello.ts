import { decodeClientHelloExtensions, encodeClientHelloExtensions, type ClientHelloExtensions } from './extensions';
import { decodeUint16List, encodeUint16List, WireReader, WireWriter } from '../wire';

export const RANDOM_LENGTH = 32;
/** The signalling suite that stands for an empty renegotiation_info (RFC 5746 s3.3). */
export const EMPTY_RENEGOTIATION_INFO_SCSV = 0x00ff;
export const NULL_COMPRESSION = 0;

/** ClientHello (RFC 5246 s7.4.1.2) with the cookie of RFC 6347 s4.2.1. */
export interface ClientHello {
  version: number;
  random: Buffer;
  sessionId: Buffer;
  cookie: Buffer;
  cipherSuites: readonly number[];
  compressionMethods: readonly number[];
  extensions: ClientHelloExtensions;
}

export function encodeClientHello(hello: ClientHello): Buffer {
  return new WireWriter()
    .uint16(hello.version)
    .bytes(hello.random)
    .vector8(hello.sessionId)
    .vector8(hello.cookie)
    .vector16(encodeUint16List(hello.cipherSuites))
    .vector8(Buffer.from(hello.compressionMethods))
    .bytes(encodeClientHelloExtensions(hello.extensions))
    .finish();
}

/** @throws {CodecError} not a ClientHello. */
export function decodeClientHello(body: Buffer): ClientHello {
  const reader = new WireReader(body, 'ClientHello');
  const hello: ClientHello = {
    version: reader.uint16(),
    random: reader.bytes(RANDOM_LENGTH),
    sessionId: reader.vector8(0, 32),
    cookie: reader.vector8(),
    cipherSuites: decodeUint16List(reader.vector16(2), 'cipher_suites'),
    compressionMethods: [...reader.vector8(1)],
    extensions: decodeClientHelloExtensions(reader),
  };
  reader.end();
  return hello;
}
