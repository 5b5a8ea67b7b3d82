import { CodecError } from '../../errors';
import { DerReader, DerTag, type DerElement } from './der';

/** Object identifiers as the hex of their DER content. */
const Oid = {
  commonName: '550403',
  subjectKeyIdentifier: '551d0e',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  authorityKeyIdentifier: '551d23',
  extendedKeyUsage: '551d25',
} as const;

/** GeneralName choices (RFC 5280 s4.2.1.6). */
const DNS_NAME = 0x82;
const URI = 0x86;

/** The first bits of KeyUsage (RFC 5280 s4.2.1.3), counted from the left. */
export const KeyUsageBit = { digitalSignature: 0, keyCertSign: 5 } as const;

/** What path validation needs of a certificate and node:crypto does not show (RFC 5280 s4). */
export interface CertificateFields {
  /** Names in DER: they are compared byte by byte. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  /** ms since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** The object identifier, in hex. */
  readonly signatureAlgorithm: string;
  readonly isAuthority: boolean;
  readonly pathLength: number | undefined;
  /** `undefined`: the extension is missing, every use is allowed. */
  readonly keyUsage: Buffer | undefined;
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** DNS names and URIs of SubjectAltName, then the common name. */
  readonly names: readonly string[];
  /** A critical extension that we do not know: the certificate must not be used (RFC 5280 s4.2). */
  readonly hasUnknownCritical: boolean;
}

interface Extension {
  readonly critical: boolean;
  readonly value: Buffer;
}

/** @throws {CodecError} not a certificate in DER. */
export function readCertificateFields(der: Buffer): CertificateFields {
  const outer = new DerReader(der);
  const certificate = new DerReader(outer.read(DerTag.sequence).content);
  if (!outer.isAtEnd) throw new CodecError('a certificate has bytes behind it');
  const body = new DerReader(certificate.read(DerTag.sequence).content);
  body.readOptional(0xa0); // version
  body.read(DerTag.integer); // serialNumber
  const signatureAlgorithm = new DerReader(body.read(DerTag.sequence).content).read(DerTag.objectIdentifier).content;
  const issuer = body.read(DerTag.sequence).whole;
  const validity = new DerReader(body.read(DerTag.sequence).content);
  const notBefore = readTime(validity.read());
  const notAfter = readTime(validity.read());
  const subject = body.read(DerTag.sequence).whole;
  body.read(DerTag.sequence); // subjectPublicKeyInfo
  body.readOptional(0x81); // issuerUniqueID
  body.readOptional(0x82); // subjectUniqueID
  const extensions = readExtensions(body.readOptional(0xa3));
  return {
    issuer,
    subject,
    notBefore,
    notAfter,
    signatureAlgorithm: signatureAlgorithm.toString('hex'),
    ...readBasicConstraints(extensions.get(Oid.basicConstraints)?.value),
    keyUsage: readKeyUsage(extensions.get(Oid.keyUsage)?.value),
    extendedKeyUsage: readExtendedKeyUsage(extensions.get(Oid.extendedKeyUsage)?.value),
    names: [...readAlternativeNames(extensions.get(Oid.subjectAltName)?.value), ...readCommonNames(subject)],
    hasUnknownCritical: [...extensions].some(([oid, { critical }]) => critical && !KNOWN_EXTENSIONS.has(oid)),
  };
}

const KNOWN_EXTENSIONS: ReadonlySet<string> = new Set([
  Oid.subjectKeyIdentifier,
  Oid.keyUsage,
  Oid.subjectAltName,
  Oid.basicConstraints,
  Oid.authorityKeyIdentifier,
  Oid.extendedKeyUsage,
]);

/** Whether KeyUsage allows this; a certificate without the extension allows everything. */
export function allowsKeyUsage(fields: CertificateFields, bit: number): boolean {
  if (fields.keyUsage === undefined) return true;
  return ((fields.keyUsage[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
}

function readExtensions(element: DerElement | undefined): Map<string, Extension> {
  const extensions = new Map<string, Extension>();
  if (element === undefined) return extensions;
  const list = new DerReader(new DerReader(element.content).read(DerTag.sequence).content);
  while (!list.isAtEnd) {
    const extension = new DerReader(list.read(DerTag.sequence).content);
    const oid = extension.read(DerTag.objectIdentifier).content.toString('hex');
    const critical = (extension.readOptional(DerTag.boolean)?.content[0] ?? 0) !== 0;
    if (extensions.has(oid)) throw new CodecError('a certificate has an extension twice');
    extensions.set(oid, { critical, value: extension.read(DerTag.octetString).content });
  }
  return extensions;
}

function readBasicConstraints(value: Buffer | undefined): { isAuthority: boolean; pathLength: number | undefined } {
  if (value === undefined) return { isAuthority: false, pathLength: undefined };
  const constraints = new DerReader(new DerReader(value).read(DerTag.sequence).content);
  const isAuthority = (constraints.readOptional(DerTag.boolean)?.content[0] ?? 0) !== 0;
  const pathLength = constraints.readOptional(DerTag.integer)?.content;
  return { isAuthority, pathLength: pathLength === undefined ? undefined : readSmallInteger(pathLength) };
}

function readSmallInteger(content: Buffer): number {
  if (content.length < 1 || content.length > 6) throw new CodecError('a certificate has a bad number');
  return content.readUIntBE(0, content.length);
}

function readKeyUsage(value: Buffer | undefined): Buffer | undefined {
  // The first byte of a bit string counts the unused bits of the last, which are zero in DER.
  return value === undefined ? undefined : new DerReader(value).read(DerTag.bitString).content.subarray(1);
}

function readExtendedKeyUsage(value: Buffer | undefined): string[] | undefined {
  if (value === undefined) return undefined;
  const list = new DerReader(new DerReader(value).read(DerTag.sequence).content);
  const usages: string[] = [];
  while (!list.isAtEnd) usages.push(list.read(DerTag.objectIdentifier).content.toString('hex'));
  return usages;
}

function readAlternativeNames(value: Buffer | undefined): string[] {
  if (value === undefined) return [];
  const list = new DerReader(new DerReader(value).read(DerTag.sequence).content);
  const names: string[] = [];
  while (!list.isAtEnd) {
    const name = list.read();
    if (name.tag === DNS_NAME || name.tag === URI) names.push(name.content.toString('latin1'));
  }
  return names.filter(isPlainText);
}

/** The common names of a subject, of the string types that are used today. */
function readCommonNames(subject: Buffer): string[] {
  const names: string[] = [];
  const sets = new DerReader(new DerReader(subject).read(DerTag.sequence).content);
  while (!sets.isAtEnd) {
    const set = new DerReader(sets.read(DerTag.set).content);
    while (!set.isAtEnd) {
      const attribute = new DerReader(set.read(DerTag.sequence).content);
      const oid = attribute.read(DerTag.objectIdentifier).content.toString('hex');
      const value = attribute.read();
      if (oid === Oid.commonName && isTextTag(value.tag)) names.push(value.content.toString('utf8'));
    }
  }
  return names.filter(isPlainText);
}

function isTextTag(tag: number): boolean {
  return tag === DerTag.utf8String || tag === DerTag.printableString || tag === DerTag.ia5String;
}

/** A name with a NUL or bytes that are no text would be read in two ways by two programs. */
function isPlainText(name: string): boolean {
  return name !== '' && !/[\p{Cc}\ufffd]/u.test(name);
}

/** UTCTime and GeneralizedTime in the only forms that RFC 5280 s4.1.2.5 allows. */
function readTime(element: DerElement): number {
  const text = element.content.toString('latin1');
  const digits = element.tag === DerTag.utcTime ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const isTime = element.tag === DerTag.utcTime || element.tag === DerTag.generalizedTime;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
  if (!isTime || match === null) throw new CodecError('a certificate has a bad date');
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
}
