import { X509Certificate } from 'node:crypto';
import { CodecError } from '../../errors';
import { AlertError } from '../alert';
import { allowsKeyUsage, KeyUsageBit, readCertificateFields, type CertificateFields } from './certificate-fields';

/** Signatures that still hold: ECDSA and RSA (PKCS #1 v1.5) with SHA-256, -384, -512, and Ed25519. */
const SIGNATURE_ALGORITHMS: ReadonlySet<string> = new Set([
  '2a8648ce3d040302',
  '2a8648ce3d040303',
  '2a8648ce3d040304',
  '2a864886f70d01010b',
  '2a864886f70d01010c',
  '2a864886f70d01010d',
  '2b6570',
]);
const CLIENT_AUTH = '2b06010505070302';
const ANY_EXTENDED_KEY_USAGE = '551d2500';
const MIN_RSA_BITS = 2048;

interface ParsedCertificate {
  readonly certificate: X509Certificate;
  readonly fields: CertificateFields;
}

/** @throws {AlertError} `bad_certificate`: not a certificate. */
export function parseCertificate(der: Buffer): ParsedCertificate {
  try {
    const certificate = new X509Certificate(der);
    // It looks for PEM anywhere in the bytes before it takes them for DER: the key would be of one certificate, the names
    // of another.
    if (!certificate.raw.equals(der)) throw new CodecError('a certificate can be read in two ways');
    return { certificate, fields: readCertificateFields(der) };
  } catch (error) {
    const reason = error instanceof CodecError ? error.message : 'no certificate';
    throw new AlertError('badCertificate', reason);
  }
}

/**
 * Validates a client's certificate (RFC 5280 s6.1): a path of signatures to a trust anchor, every certificate in its time and
 * allowed to do what it does here. Certificate policies and name constraints are not supported: where they are critical
 * the path is refused. There is no revocation by CRL or OCSP; a device is revoked where devices are provisioned.
 * @param chain DER, the client's own certificate first, then issuer by issuer (RFC 5246 s7.4.2).
 * @param now ms since 1970.
 * @returns the names that the client's certificate proves: SubjectAltName's, then the common name.
 * @throws {AlertError} with the alert that RFC 5246 s7.2.2 has for the reason.
 */
export function verifyCertificatePath(
  chain: readonly Buffer[],
  trustAnchors: readonly X509Certificate[],
  now: number,
): readonly string[] {
  const [leaf, ...others] = chain.map(parseCertificate);
  if (leaf === undefined) throw new AlertError('handshakeFailure', 'the client sent no certificate');
  checkClient(leaf.fields);
  const anchors = trustAnchors.map(({ raw }) => parseCertificate(raw));
  const path = [leaf];
  for (let subject = leaf; ;) {
    checkOwn(subject.fields, now);
    const anchor = anchors.find((candidate) => mayHaveIssued(candidate, path) && hasSigned(candidate, subject));
    if (anchor !== undefined) {
      checkOwn(anchor.fields, now);
      checkSignatures(path);
      return leaf.fields.names;
    }
    const issuer = others[path.length - 1];
    if (issuer === undefined || !mayHaveIssued(issuer, path)) throw noPath();
    path.push(issuer);
    subject = issuer;
  }
}

/**
 * From the top down, once a trust anchor has signed the last of the path: so each signature is checked with a key that is
 * trusted by then. The key of a stranger may be made to be slow (RSA with a long exponent).
 */
function checkSignatures(path: readonly ParsedCertificate[]): void {
  path.reduceRight((issuer, subject) => {
    if (!hasSigned(issuer, subject)) throw noPath();
    return subject;
  });
}

function noPath(): AlertError {
  return new AlertError('unknownCa', 'no path of certificates leads to a trust anchor');
}

/** What any certificate of a path must hold by itself. */
function checkOwn(fields: CertificateFields, now: number): void {
  if (now < fields.notBefore || now > fields.notAfter) {
    throw new AlertError('certificateExpired', 'a certificate is not in its time of validity');
  }
  if (fields.hasUnknownCritical) {
    throw new AlertError('unsupportedCertificate', 'a certificate has a critical extension that is not known here');
  }
}

function checkClient(fields: CertificateFields): void {
  if (!allowsKeyUsage(fields, KeyUsageBit.digitalSignature)) {
    throw new AlertError('unsupportedCertificate', "the client's certificate must not sign");
  }
  const usages = fields.extendedKeyUsage;
  if (usages !== undefined && !usages.includes(CLIENT_AUTH) && !usages.includes(ANY_EXTENDED_KEY_USAGE)) {
    throw new AlertError('unsupportedCertificate', "the client's certificate is not for clients");
  }
}

/** Whether the issuer may issue certificates and says to have issued the last of the path; no signature is looked at. */
function mayHaveIssued({ fields }: ParsedCertificate, path: readonly ParsedCertificate[]): boolean {
  const authoritiesBelow = path.length - 1;
  return (
    path.at(-1)?.fields.issuer.equals(fields.subject) === true &&
    fields.isAuthority &&
    allowsKeyUsage(fields, KeyUsageBit.keyCertSign) &&
    (fields.pathLength === undefined || fields.pathLength >= authoritiesBelow)
  );
}

function hasSigned({ certificate }: ParsedCertificate, subject: ParsedCertificate): boolean {
  return (
    SIGNATURE_ALGORITHMS.has(subject.fields.signatureAlgorithm) &&
    isStrong(certificate) &&
    subject.certificate.verify(certificate.publicKey)
  );
}

function isStrong({ publicKey }: X509Certificate): boolean {
  if (publicKey.asymmetricKeyType !== 'rsa') return true;
  return (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS;
}
