import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  randomBytes,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import { RECORD_HEADER_LENGTH, type DtlsRecord } from '../record/record';
import {
  additionalData,
  innerPlaintext,
  writeRecordHeader,
  type RecordCipher,
  type SealedHeader,
} from '../record/record-cipher';

/** One direction of a CBC suite. */
export interface CbcKey {
  readonly key: KeyObject;
  readonly macKey: KeyObject;
}

const BLOCK = 16;
const MAC_LENGTH = 32;
const HASH_BLOCK = 64;
/** What the hash adds to its last block: one byte 0x80 and the length (FIPS 180-4 s5.1.1). */
const HASH_PADDING = 9;
const ZEROS = Buffer.alloc(6 * HASH_BLOCK);

/** AES-128-CBC with HMAC-SHA256 (RFC 5246 s6.2.3.2), or encrypt-then-MAC when both agreed on it (RFC 7366). */
export class CbcCipher implements RecordCipher {
  // IV, up to a block of padding, MAC and the type behind a connection id.
  readonly overhead = BLOCK + BLOCK + MAC_LENGTH + 1;
  readonly #write: CbcKey;
  readonly #read: CbcKey;
  readonly #encryptThenMac: boolean;

  constructor(write: CbcKey, read: CbcKey, encryptThenMac: boolean) {
    this.#write = write;
    this.#read = read;
    this.#encryptThenMac = encryptThenMac;
  }

  seal(header: SealedHeader, plaintext: Buffer): Buffer {
    const inner = innerPlaintext(header, plaintext);
    const aad = (length: number) => additionalData(header.type, header.epoch, header.sequence, header.cid, length);
    const { key, macKey } = this.#write;
    if (this.#encryptThenMac) {
      const encrypted = encrypt(key, inner);
      return frame(header, [encrypted, mac(macKey, aad(encrypted.length), encrypted)]);
    }
    return frame(header, [encrypt(key, Buffer.concat([inner, mac(macKey, aad(inner.length), inner)]))]);
  }

  open(record: DtlsRecord): Buffer | undefined {
    return this.#encryptThenMac ? this.#openEncryptThenMac(record) : this.#openMacThenEncrypt(record);
  }

  #openEncryptThenMac(record: DtlsRecord): Buffer | undefined {
    const encrypted = record.fragment.subarray(0, -MAC_LENGTH);
    if (encrypted.length < 2 * BLOCK || encrypted.length % BLOCK !== 0) return undefined;
    const aad = additionalData(record.type, record.epoch, record.sequence, record.cid, encrypted.length);
    const expected = mac(this.#read.macKey, aad, encrypted);
    if (!timingSafeEqual(expected, record.fragment.subarray(-MAC_LENGTH))) return undefined;
    const padded = decrypt(this.#read.key, encrypted);
    const { good, length } = unpad(padded, 0);
    return good === 1 ? padded.subarray(0, length) : undefined;
  }

  /**
   * MAC-then-encrypt leaks the plaintext when a wrong padding takes another time than a wrong MAC ("Lucky 13"). So the
   * padding is checked without a branch, a wrong one is treated as none, and the hash always runs over as many blocks.
   */
  #openMacThenEncrypt(record: DtlsRecord): Buffer | undefined {
    const { fragment } = record;
    if (fragment.length < BLOCK + MAC_LENGTH + BLOCK || fragment.length % BLOCK !== 0) return undefined;
    const padded = decrypt(this.#read.key, fragment);
    const { good, length } = unpad(padded, MAC_LENGTH);
    const dataLength = length - MAC_LENGTH;
    const aad = additionalData(record.type, record.epoch, record.sequence, record.cid, dataLength);
    const expected = mac(this.#read.macKey, aad, padded.subarray(0, dataLength));
    const longest = hashBlocks(aad.length + padded.length - MAC_LENGTH - 1);
    const missing = longest - hashBlocks(aad.length + dataLength);
    createHash('sha256')
      .update(ZEROS.subarray(0, missing * HASH_BLOCK))
      .digest();
    const macMatches = timingSafeEqual(expected, padded.subarray(dataLength, length)) ? 1 : 0;
    return (good & macMatches) === 1 ? padded.subarray(0, dataLength) : undefined;
  }
}

function frame(header: SealedHeader, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const record = Buffer.allocUnsafe(RECORD_HEADER_LENGTH + (header.cid?.length ?? 0) + length);
  let offset = writeRecordHeader(record, header, length);
  for (const part of parts) offset += part.copy(record, offset);
  return record;
}

function hashBlocks(length: number): number {
  return Math.ceil((length + HASH_PADDING) / HASH_BLOCK);
}

function mac(key: KeyObject, aad: Buffer, data: Buffer): Buffer {
  return createHmac('sha256', key).update(aad).update(data).digest();
}

/** IV and ciphertext; the padding is that of TLS, whose bytes all say how many others there are. */
function encrypt(key: KeyObject, data: Buffer): Buffer {
  const iv = randomBytes(BLOCK);
  const padding = BLOCK - (data.length % BLOCK);
  const cipher = createCipheriv('aes-128-cbc', key, iv).setAutoPadding(false);
  return Buffer.concat([iv, cipher.update(data), cipher.update(Buffer.alloc(padding, padding - 1)), cipher.final()]);
}

function decrypt(key: KeyObject, encrypted: Buffer): Buffer {
  const decipher = createDecipheriv('aes-128-cbc', key, encrypted.subarray(0, BLOCK)).setAutoPadding(false);
  const plaintext = decipher.update(encrypted.subarray(BLOCK));
  decipher.final();
  return plaintext;
}

/**
 * The length without the padding, and `good` 1 or 0, without a branch on what the bytes are. With a bad padding the length
 * is that of an empty one.
 * @param trailer bytes between data and padding that must remain.
 */
function unpad(padded: Buffer, trailer: number): { good: number; length: number } {
  const last = padded.length - 1;
  const padding = padded.readUInt8(last);
  // 1 when padding <= last - trailer: the sign bit of the difference tells.
  let good = 1 - ((last - trailer - padding) >>> 31);
  const scanned = Math.min(255, last);
  let wrong = 0;
  for (let back = 1; back <= scanned; back++) {
    const counts = (back - padding - 1) >> 31; // all ones when back <= padding
    wrong |= counts & (padded.readUInt8(last - back) ^ padding);
  }
  good &= ((wrong - 1) >>> 31) & 1;
  return { good, length: last - (padding & -good) };
}
