import { createPublicKey, generateKeyPairSync, sign, X509Certificate, type KeyObject } from 'node:crypto';

/*
 * Certificates for tests, good and bad ones, made from the ASN.1 of RFC 5280 s4.1: node:crypto reads certificates but makes none.
 */

function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  if (length < 128) return Buffer.concat([Buffer.from([tag, length]), body]);
  if (length < 256) return Buffer.concat([Buffer.from([tag, 0x81, length]), body]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 255]), body]);
}

const hex = (text: string) => Buffer.from(text, 'hex');
const sequence = (...content: Buffer[]) => der(0x30, ...content);
const oid = (text: string) => der(6, hex(text));
const TRUE = der(1, hex('ff'));

const Oid = {
  ecdsaSha256: '2a8648ce3d040302',
  ecdsaSha1: '2a8648ce3d0401',
  commonName: '550403',
  basicConstraints: '551d13',
  keyUsage: '551d0f',
  extendedKeyUsage: '551d25',
  subjectAltName: '551d11',
};

export const Usage = { client: '2b06010505070302', server: '2b06010505070301' };
/** The first byte of KeyUsage. */
export const KeyUsage = { digitalSignature: 0x80, keyCertSign: 0x04, keyAgreement: 0x08 };

export interface CertificateOptions {
  commonName?: string;
  dnsNames?: readonly string[];
  uris?: readonly string[];
  /** `undefined`: no BasicConstraints at all. */
  isAuthority?: boolean;
  pathLength?: number;
  keyUsage?: number;
  extendedKeyUsage?: readonly string[];
  notBefore?: Date;
  notAfter?: Date;
  key?: KeyObject;
  hash?: 'sha256' | 'sha1';
  /** An extension nobody knows. */
  unknown?: 'critical' | 'plain';
}

export interface TestCertificate {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
  readonly subject: Buffer;
  readonly raw: Buffer;
}

function name(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid(Oid.commonName), der(0x0c, Buffer.from(commonName)))));
}

function time(date: Date): Buffer {
  return der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [TRUE] : []), der(4, value));
}

function extensionsOf(options: CertificateOptions): Buffer[] {
  const list: Buffer[] = [];
  const { isAuthority, pathLength, keyUsage, extendedKeyUsage, dnsNames = [], uris = [], unknown } = options;
  if (isAuthority !== undefined) {
    const content = isAuthority ? [TRUE] : [];
    if (pathLength !== undefined) content.push(der(2, Buffer.from([pathLength])));
    list.push(extension(Oid.basicConstraints, true, sequence(...content)));
  }
  if (keyUsage !== undefined) list.push(extension(Oid.keyUsage, true, der(3, Buffer.from([0, keyUsage]))));
  if (extendedKeyUsage !== undefined) {
    list.push(extension(Oid.extendedKeyUsage, false, sequence(...extendedKeyUsage.map(oid))));
  }
  const names = [...dnsNames.map((n) => der(0x82, Buffer.from(n))), ...uris.map((n) => der(0x86, Buffer.from(n)))];
  if (names.length > 0) list.push(extension(Oid.subjectAltName, false, sequence(...names)));
  if (unknown !== undefined) list.push(extension('2a0304', unknown === 'critical', der(5)));
  return list;
}

let serial = 1;

/** @param issuer `undefined`: signs itself. */
export function newCertificate(options: CertificateOptions, issuer?: TestCertificate): TestCertificate {
  const key = options.key ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const subject = name(options.commonName ?? 'device');
  const algorithm = sequence(oid(options.hash === 'sha1' ? Oid.ecdsaSha1 : Oid.ecdsaSha256));
  const { notBefore = new Date('2020-01-01'), notAfter = new Date('2090-01-01') } = options;
  const extensions = extensionsOf(options);
  serial += 1;
  const body = sequence(
    der(0xa0, der(2, Buffer.from([2]))),
    der(2, Buffer.from([1, serial >> 8, serial & 255])),
    algorithm,
    issuer?.subject ?? subject,
    sequence(time(notBefore), time(notAfter)),
    subject,
    createPublicKey(key).export({ format: 'der', type: 'spki' }),
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  );
  const signature = sign(options.hash ?? 'sha256', body, issuer?.key ?? key);
  const raw = sequence(body, algorithm, der(3, Buffer.from([0]), signature));
  return { certificate: new X509Certificate(raw), key, subject, raw };
}

/** A certificate authority that signed itself. */
export function newAuthority(options: CertificateOptions = {}, issuer?: TestCertificate): TestCertificate {
  const defaults = { commonName: 'authority', isAuthority: true, keyUsage: KeyUsage.keyCertSign };
  return newCertificate({ ...defaults, ...options }, issuer);
}
