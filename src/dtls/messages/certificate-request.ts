import { decodeUint16List, encodeUint16List, WireReader, WireWriter } from '../wire';

/** ClientCertificateType (RFC 8422 s5.5). */
export const ECDSA_SIGN = 64;

/** CertificateRequest (RFC 5246 s7.4.4). */
export interface CertificateRequest {
  certificateTypes: readonly number[];
  signatureAlgorithms: readonly number[];
  /** Distinguished names in DER; none: any authority, which also keeps the flight small. */
  certificateAuthorities: readonly Buffer[];
}

export function encodeCertificateRequest(request: CertificateRequest): Buffer {
  const authorities = new WireWriter();
  for (const name of request.certificateAuthorities) authorities.vector16(name);
  return new WireWriter()
    .vector8(Buffer.from(request.certificateTypes))
    .vector16(encodeUint16List(request.signatureAlgorithms))
    .vector16(authorities.finish())
    .finish();
}

/** @throws {CodecError} not a CertificateRequest. */
export function decodeCertificateRequest(body: Buffer): CertificateRequest {
  const reader = new WireReader(body, 'CertificateRequest');
  const certificateTypes = [...reader.vector8(1)];
  const signatureAlgorithms = decodeUint16List(reader.vector16(2), 'supported_signature_algorithms');
  const authorities = new WireReader(reader.vector16(), 'certificate_authorities');
  reader.end();
  const certificateAuthorities: Buffer[] = [];
  while (authorities.remaining > 0) certificateAuthorities.push(authorities.vector16(1));
  return { certificateTypes, signatureAlgorithms, certificateAuthorities };
}
