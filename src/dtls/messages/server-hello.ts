import { RANDOM_LENGTH } from './client-hello';
import { decodeServerHelloExtensions, encodeServerHelloExtensions, type ServerHelloExtensions } from './extensions';
import { WireReader, WireWriter } from '../wire';

/** ServerHello (RFC 5246 s7.4.1.3). */
export interface ServerHello {
  version: number;
  random: Buffer;
  sessionId: Buffer;
  cipherSuite: number;
  compressionMethod: number;
  extensions: ServerHelloExtensions;
}

export function encodeServerHello(hello: ServerHello): Buffer {
  return new WireWriter()
    .uint16(hello.version)
    .bytes(hello.random)
    .vector8(hello.sessionId)
    .uint16(hello.cipherSuite)
    .uint8(hello.compressionMethod)
    .bytes(encodeServerHelloExtensions(hello.extensions))
    .finish();
}

/** @throws {CodecError} not a ServerHello. */
export function decodeServerHello(body: Buffer): ServerHello {
  const reader = new WireReader(body, 'ServerHello');
  const hello: ServerHello = {
    version: reader.uint16(),
    random: reader.bytes(RANDOM_LENGTH),
    sessionId: reader.vector8(0, 32),
    cipherSuite: reader.uint16(),
    compressionMethod: reader.uint8(),
    extensions: decodeServerHelloExtensions(reader),
  };
  reader.end();
  return hello;
}
