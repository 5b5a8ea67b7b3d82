import { WireReader, WireWriter } from '../wire';

/** CertificateVerify (RFC 5246 s7.4.8): a signature over all handshake messages before it. */
export interface CertificateVerify {
  signatureScheme: number;
  signature: Buffer;
}

export function encodeCertificateVerify(message: CertificateVerify): Buffer {
  return new WireWriter().uint16(message.signatureScheme).vector16(message.signature).finish();
}

/** @throws {CodecError} not a CertificateVerify. */
export function decodeCertificateVerify(body: Buffer): CertificateVerify {
  const reader = new WireReader(body, 'CertificateVerify');
  const message = { signatureScheme: reader.uint16(), signature: reader.vector16(1) };
  reader.end();
  return message;
}
