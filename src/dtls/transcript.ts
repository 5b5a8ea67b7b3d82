import { createHash } from 'node:crypto';

/**
 * All handshake messages that count, in order (RFC 5246 s7.4.9): not the first ClientHello, not HelloVerifyRequest, each with
 * a header as if unfragmented (RFC 6347 s4.2.6). Kept whole because CertificateVerify signs the bytes themselves.
 */
export class Transcript {
  readonly #messages: Buffer[] = [];

  add(message: Buffer): void {
    this.#messages.push(message);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#messages);
  }

  /** `Hash(handshake_messages)` with SHA-256. */
  hash(): Buffer {
    const hash = createHash('sha256');
    for (const message of this.#messages) hash.update(message);
    return hash.digest();
  }
}
