import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import { InvalidArgumentError, StoreError } from '../errors';
import type { SecretStore } from '../fleet';

/** What the server proves itself with to devices, and whose certificates it believes. All in PEM. */
export interface ServerCredentialsOptions {
  /** On the curve P-256. Made at the first start, and kept in the store, when none is given. */
  readonly privateKey?: string;
  /** Without `privateKey`: what a store that holds no key yet keeps, instead of a new one. On P-256 too. */
  readonly formerPrivateKey?: string;
  /** The server's certificate, then those of its issuers; the root may be left out. It needs `privateKey`. */
  readonly certificate?: string;
  /** Certificates of the authorities whose device certificates are believed. */
  readonly trustAnchors?: string;
}

export interface ServerCredentials {
  /** `undefined`: the store has it, or it is to be made. */
  readonly key: KeyObject | undefined;
  /** What the store is to have when it has none. */
  readonly formerKey: KeyObject | undefined;
  /** The server's own first, without the root. */
  readonly chain: readonly X509Certificate[];
  readonly trustAnchors: readonly X509Certificate[];
}

/** @throws {InvalidArgumentError} something is no PEM, or of the wrong kind, or does not fit to the rest. */
export function readServerCredentials(options: ServerCredentialsOptions): ServerCredentials {
  const key = isGiven(options.privateKey) ? readPrivateKey(options.privateKey) : undefined;
  const { formerPrivateKey } = options;
  const formerKey = key === undefined && isGiven(formerPrivateKey) ? readPrivateKey(formerPrivateKey) : undefined;
  const chain = isGiven(options.certificate) ? readChain(options.certificate, key) : [];
  const trustAnchors = isGiven(options.trustAnchors) ? readCertificates(options.trustAnchors, 'trust anchors') : [];
  for (const anchor of trustAnchors) {
    if (!anchor.ca) {
      throw new InvalidArgumentError(`the trust anchor '${nameOf(anchor)}' is no certificate of an authority (CA)`);
    }
  }
  return { key, formerKey, chain, trustAnchors };
}

const SERVER_KEY = 'server-key';

/**
 * The key that the store keeps for a server that was given none; made when there is none yet. Devices that know the server
 * by its public key know it after a restart too.
 * @param former what it keeps when it has none, instead of a new one.
 * @throws {StoreError} the store is in trouble, or what it holds is no key.
 */
export async function keptServerKey(secrets: SecretStore, former?: KeyObject): Promise<KeyObject> {
  const kept = await secrets.get(SERVER_KEY);
  if (kept !== undefined) return keptKey(kept);
  const privateKey = former ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  if (await secrets.add(SERVER_KEY, privateKey.export({ format: 'der', type: 'pkcs8' }))) return privateKey;
  // Another instance that shares the store was faster.
  return keptServerKey(secrets, former);
}

/** The public key of a private one, as device makers want it: base64 of the SubjectPublicKeyInfo in DER. */
export function publicKeyOf(privateKey: KeyObject): string {
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).toString('base64');
}

function keptKey(der: Buffer): KeyObject {
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch (cause) {
    throw new StoreError("the server's key in the store cannot be read", { cause });
  }
}

function readPrivateKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // What OpenSSL says of it helps nobody.
    const isLocked = /ENCRYPTED/.test(pem);
    throw new InvalidArgumentError(
      isLocked ? "the server's private key is locked by a password" : "the server's private key is no key in PEM",
    );
  }
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new InvalidArgumentError("the server's private key must be on the curve P-256 (secp256r1)");
  }
  return key;
}

function readChain(pem: string, key: KeyObject | undefined): X509Certificate[] {
  if (key === undefined) throw new InvalidArgumentError("the server's certificate needs the server's private key");
  const chain = readCertificates(pem, "server's certificate");
  for (const [index, certificate] of chain.entries()) {
    const subject = chain[index - 1];
    if (subject === undefined) {
      if (!certificate.checkPrivateKey(key)) {
        throw new InvalidArgumentError("the server's certificate and the server's private key do not belong together");
      }
    } else if (!subject.checkIssued(certificate) || !subject.verify(certificate.publicKey)) {
      throw new InvalidArgumentError(
        `the server's certificates are not in order: '${nameOf(certificate)}' did not issue '${nameOf(subject)}'`,
      );
    }
  }
  // The root is with the device or it does not help (RFC 5246 s7.4.2); in a datagram every byte counts.
  const isRoot = (certificate: X509Certificate) => certificate.issuer === certificate.subject;
  return chain.filter((certificate, index) => index === 0 || !isRoot(certificate));
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function readCertificates(pem: string, what: string): X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new InvalidArgumentError(`the ${what}: there is no certificate in PEM`);
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new InvalidArgumentError(`the ${what}: certificate ${index + 1} cannot be read`);
    }
  });
}

function nameOf({ subject }: X509Certificate): string {
  return (subject || '(no name)').replaceAll('\n', ', ');
}

/** An empty text is what a form says for nothing. */
function isGiven(pem: string | undefined): pem is string {
  return pem !== undefined && pem.trim() !== '';
}
