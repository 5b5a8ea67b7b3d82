import { CodecError } from '../../errors';
import type { KeyExchange } from '../cipher-suites/cipher-suite';
import { NamedGroup } from './extensions';
import { WireReader, WireWriter } from '../wire';

/** ECCurveType `named_curve` (RFC 8422 s5.4). */
const NAMED_CURVE = 3;

/**
 * ServerKeyExchange: of PSK an identity hint (RFC 4279 s2), of ECDHE_PSK a hint and the server's point (RFC 5489 s2),
 * of ECDHE_ECDSA the point and a signature (RFC 8422 s5.4).
 */
export type ServerKeyExchange =
  | { keyExchange: 'psk'; identityHint: Buffer }
  | { keyExchange: 'ecdhe-psk'; identityHint: Buffer; group: number; publicPoint: Buffer }
  | { keyExchange: 'ecdhe-ecdsa'; group: number; publicPoint: Buffer; signatureScheme: number; signature: Buffer };

/** ServerECDHParams, the part that is signed together with both randoms (RFC 8422 s5.4). */
export function encodeEcdhParameters(group: number, publicPoint: Buffer): Buffer {
  return new WireWriter(4 + publicPoint.length).uint8(NAMED_CURVE).uint16(group).vector8(publicPoint).finish();
}

export function encodeServerKeyExchange(message: ServerKeyExchange): Buffer {
  const writer = new WireWriter();
  switch (message.keyExchange) {
    case 'psk':
      return writer.vector16(message.identityHint).finish();
    case 'ecdhe-psk':
      return writer
        .vector16(message.identityHint)
        .bytes(encodeEcdhParameters(message.group, message.publicPoint))
        .finish();
    case 'ecdhe-ecdsa':
      return writer
        .bytes(encodeEcdhParameters(message.group, message.publicPoint))
        .uint16(message.signatureScheme)
        .vector16(message.signature)
        .finish();
  }
}

/** @throws {CodecError} not a ServerKeyExchange of this key exchange, or a curve that is not secp256r1. */
export function decodeServerKeyExchange(body: Buffer, keyExchange: KeyExchange): ServerKeyExchange {
  const reader = new WireReader(body, 'ServerKeyExchange');
  const message = read(reader, keyExchange);
  reader.end();
  return message;
}

function read(reader: WireReader, keyExchange: KeyExchange): ServerKeyExchange {
  switch (keyExchange) {
    case 'psk':
      return { keyExchange, identityHint: reader.vector16() };
    case 'ecdhe-psk':
      return { keyExchange, identityHint: reader.vector16(), ...readEcdhParameters(reader) };
    case 'ecdhe-ecdsa':
      return {
        keyExchange,
        ...readEcdhParameters(reader),
        signatureScheme: reader.uint16(),
        signature: reader.vector16(),
      };
  }
}

function readEcdhParameters(reader: WireReader): { group: number; publicPoint: Buffer } {
  const curveType = reader.uint8();
  const group = reader.uint16();
  if (curveType !== NAMED_CURVE || group !== NamedGroup.secp256r1) {
    throw new CodecError(`ServerKeyExchange has the curve ${curveType}/${group}`);
  }
  return { group, publicPoint: reader.vector8(1) };
}
