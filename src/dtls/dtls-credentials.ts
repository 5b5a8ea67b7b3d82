import type { KeyObject, X509Certificate } from 'node:crypto';

/**
 * What the server proves itself with and whom it lets in. It is asked anew at each handshake, so that everything may change
 * while the server runs; `DtlsTransport.cutOff` ends what an older answer let in.
 */
export interface DtlsCredentials {
  /**
   * The pre-shared key of an identity, or `undefined` when there is none: the handshake then goes on with a random key, so
   * that the peer cannot tell an unknown identity from a wrong key. The answer should take as long in both cases.
   * A rejection ends the handshake with `internal_error`.
   */
  psk(identity: string): Promise<Buffer | undefined>;
  /** The server's private key on P-256; without it there are no certificates and no raw public keys, only PSK. */
  readonly serverKey: KeyObject | undefined;
  /** The server's certificate and its issuers, without the root; empty: the server has a raw public key only. */
  readonly serverCertificateChain: readonly X509Certificate[];
  /**
   * Whose raw public key this is, after the peer proved to have the private one; `undefined` refuses it.
   * Without this method raw public keys are not offered.
   * @param subjectPublicKeyInfo DER (RFC 7250 s3).
   */
  verifyRawPublicKey?(subjectPublicKeyInfo: Buffer): Promise<string | undefined>;
  /** Issuers that device certificates may come from; empty: certificates of devices are not accepted. */
  readonly trustAnchors: readonly X509Certificate[];
  /**
   * Which of the names the peer goes by, after its certificate was found valid and the peer proved to have its key;
   * `undefined` refuses it. Without this method the first name counts.
   * @param names DNS names and URIs of SubjectAltName, then the common name.
   */
  verifyCertificate?(names: readonly string[], certificate: X509Certificate): Promise<string | undefined>;
}
