import { createPublicKey, type KeyObject } from 'node:crypto';
import { InvalidArgumentError } from '../errors';
import type { DtlsCredentials } from './dtls-credentials';

/** What the server can prove itself with in certificate handshakes. */
export interface ServerIdentity {
  readonly key: KeyObject;
  /** SubjectPublicKeyInfo in DER. */
  readonly rawPublicKey: Buffer;
  /** DER, the server's own first; empty: raw public key only. */
  readonly chain: readonly Buffer[];
}

/** Whether a key is of the one kind that our suites and RFC 7925 s4.4 use. */
export function isP256(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
}

/**
 * The same for the same key and chain, so that it is not worked out anew for each handshake.
 * @throws {InvalidArgumentError} the key is not a private one on P-256, or the certificate is of another key.
 */
export class ServerIdentitySource {
  #key: KeyObject | undefined;
  #chain: DtlsCredentials['serverCertificateChain'] = [];
  #identity: ServerIdentity | undefined;

  /** `undefined` without a server key. */
  get(credentials: DtlsCredentials): ServerIdentity | undefined {
    const { serverKey, serverCertificateChain } = credentials;
    if (serverKey !== this.#key || serverCertificateChain !== this.#chain) {
      this.#identity = serverKey === undefined ? undefined : serverIdentity(serverKey, serverCertificateChain);
      this.#key = serverKey;
      this.#chain = serverCertificateChain;
    }
    return this.#identity;
  }
}

function serverIdentity(key: KeyObject, chain: DtlsCredentials['serverCertificateChain']): ServerIdentity {
  if (key.type !== 'private' || !isP256(key)) {
    throw new InvalidArgumentError("the server's key must be a private key on the curve P-256");
  }
  if (chain[0] !== undefined && !chain[0].checkPrivateKey(key)) {
    throw new InvalidArgumentError("the server's certificate is not of the server's key");
  }
  const rawPublicKey = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return { key, rawPublicKey, chain: chain.map(({ raw }) => raw) };
}
