import type { KeyExchange } from '../cipher-suites/cipher-suite';
import { WireReader, WireWriter } from '../wire';

/** RFC 4279 s5.3 asks for 128 bytes at least; an LwM2M identity is at most as long as an endpoint name. */
export const MAX_PSK_IDENTITY_LENGTH = 256;

/**
 * ClientKeyExchange: of PSK the identity (RFC 4279 s2), of ECDHE_PSK the identity and the client's point (RFC 5489 s2),
 * of ECDHE_ECDSA the point (RFC 8422 s5.7).
 */
export type ClientKeyExchange =
  | { keyExchange: 'psk'; identity: Buffer }
  | { keyExchange: 'ecdhe-psk'; identity: Buffer; publicPoint: Buffer }
  | { keyExchange: 'ecdhe-ecdsa'; publicPoint: Buffer };

export function encodeClientKeyExchange(message: ClientKeyExchange): Buffer {
  const writer = new WireWriter();
  if (message.keyExchange !== 'ecdhe-ecdsa') writer.vector16(message.identity);
  if (message.keyExchange !== 'psk') writer.vector8(message.publicPoint);
  return writer.finish();
}

/** @throws {CodecError} not a ClientKeyExchange of this key exchange, or an identity of more than 256 bytes. */
export function decodeClientKeyExchange(body: Buffer, keyExchange: KeyExchange): ClientKeyExchange {
  const reader = new WireReader(body, 'ClientKeyExchange');
  const message = read(reader, keyExchange);
  reader.end();
  return message;
}

function read(reader: WireReader, keyExchange: KeyExchange): ClientKeyExchange {
  switch (keyExchange) {
    case 'psk':
      return { keyExchange, identity: reader.vector16(0, MAX_PSK_IDENTITY_LENGTH) };
    case 'ecdhe-psk':
      return { keyExchange, identity: reader.vector16(0, MAX_PSK_IDENTITY_LENGTH), publicPoint: reader.vector8(1) };
    case 'ecdhe-ecdsa':
      return { keyExchange, publicPoint: reader.vector8(1) };
  }
}
