import { CodecError } from '../../errors';
import { WireReader, WireWriter } from '../wire';

/** More than a path needs; a chain is validated one signature a certificate. */
const MAX_CHAIN_LENGTH = 8;

/**
 * Certificate (RFC 5246 s7.4.2): a chain of X.509 certificates in DER, the sender's own first, empty when it has none;
 * or a raw public key, one SubjectPublicKeyInfo in DER without a list around it (RFC 7250 s3). Which one it is
 * was agreed on in the hellos.
 */
export type Certificate =
  { kind: 'x509'; chain: readonly Buffer[] } | { kind: 'raw-public-key'; subjectPublicKeyInfo: Buffer };

export function encodeCertificate(certificate: Certificate): Buffer {
  if (certificate.kind === 'raw-public-key') {
    return new WireWriter().vector24(certificate.subjectPublicKeyInfo).finish();
  }
  const list = new WireWriter(1024);
  for (const der of certificate.chain) list.vector24(der);
  return new WireWriter(list.length + 3).vector24(list.finish()).finish();
}

/** @throws {CodecError} not a Certificate of this kind, or a chain of more than 8. */
export function decodeCertificate(body: Buffer, kind: Certificate['kind']): Certificate {
  const reader = new WireReader(body, 'Certificate');
  const content = reader.vector24();
  reader.end();
  if (kind === 'raw-public-key') return { kind, subjectPublicKeyInfo: content };
  const list = new WireReader(content, 'certificate_list');
  const chain: Buffer[] = [];
  while (list.remaining > 0) {
    if (chain.length === MAX_CHAIN_LENGTH) throw new CodecError('certificate_list is too long');
    chain.push(list.vector24(1));
  }
  return { kind, chain };
}
