import type { CipherCCM, DecipherCCM, KeyObject } from 'node:crypto';
import { RECORD_HEADER_LENGTH, type DtlsRecord } from '../record/record';
import {
  additionalData,
  innerPlaintext,
  writeRecordHeader,
  type RecordCipher,
  type SealedHeader,
} from '../record/record-cipher';

/** The part of CCM and of GCM that differs. */
export interface AeadAlgorithm {
  readonly tagLength: number;
  encipher(key: KeyObject, nonce: Buffer): CipherCCM;
  decipher(key: KeyObject, nonce: Buffer): DecipherCCM;
}

/** One direction: the key and the first four bytes of its nonces, `client_write_IV` or `server_write_IV`. */
export interface AeadKey {
  readonly key: KeyObject;
  readonly salt: number;
}

const EXPLICIT_NONCE_LENGTH = 8;
/** Encryption is synchronous and copies the nonce, so that one buffer serves all. */
const nonce = Buffer.alloc(12);

/**
 * AEAD records (RFC 5246 s6.2.3.3). The nonce is the salt, then the 8 bytes of epoch and sequence number, which also travel
 * as the explicit part (RFC 6655 s3): it cannot repeat as long as the sequence number does not.
 */
export class AeadCipher implements RecordCipher {
  readonly overhead: number;
  readonly #algorithm: AeadAlgorithm;
  readonly #write: AeadKey;
  readonly #read: AeadKey;

  constructor(algorithm: AeadAlgorithm, write: AeadKey, read: AeadKey) {
    this.#algorithm = algorithm;
    this.#write = write;
    this.#read = read;
    this.overhead = EXPLICIT_NONCE_LENGTH + algorithm.tagLength + 1;
  }

  seal(header: SealedHeader, plaintext: Buffer): Buffer {
    const { tagLength } = this.#algorithm;
    const inner = innerPlaintext(header, plaintext);
    const fragmentLength = EXPLICIT_NONCE_LENGTH + inner.length + tagLength;
    const record = Buffer.allocUnsafe(RECORD_HEADER_LENGTH + (header.cid?.length ?? 0) + fragmentLength);
    const start = writeRecordHeader(record, header, fragmentLength);
    nonce.writeUInt32BE(this.#write.salt, 0);
    nonce.writeUInt16BE(header.epoch, 4);
    nonce.writeUIntBE(header.sequence, 6, 6);
    nonce.copy(record, start, 4);
    const cipher = this.#algorithm.encipher(this.#write.key, nonce);
    const aad = additionalData(header.type, header.epoch, header.sequence, header.cid, inner.length);
    cipher.setAAD(aad, { plaintextLength: inner.length });
    cipher.update(inner).copy(record, start + EXPLICIT_NONCE_LENGTH);
    cipher.final();
    cipher.getAuthTag().copy(record, start + EXPLICIT_NONCE_LENGTH + inner.length);
    return record;
  }

  open(record: DtlsRecord): Buffer | undefined {
    const { fragment } = record;
    const tagStart = fragment.length - this.#algorithm.tagLength;
    const length = tagStart - EXPLICIT_NONCE_LENGTH;
    if (length < 0) return undefined;
    nonce.writeUInt32BE(this.#read.salt, 0);
    fragment.copy(nonce, 4, 0, EXPLICIT_NONCE_LENGTH);
    const decipher = this.#algorithm.decipher(this.#read.key, nonce);
    decipher.setAuthTag(fragment.subarray(tagStart));
    const aad = additionalData(record.type, record.epoch, record.sequence, record.cid, length);
    decipher.setAAD(aad, { plaintextLength: length });
    try {
      const plaintext = decipher.update(fragment.subarray(EXPLICIT_NONCE_LENGTH, tagStart));
      decipher.final();
      return plaintext;
    } catch {
      // The only way in which node:crypto says that the tag does not match.
      return undefined;
    }
  }
}
