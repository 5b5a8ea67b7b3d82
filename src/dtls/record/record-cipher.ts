import { ContentType, DTLS_1_2, RECORD_HEADER_LENGTH, type DtlsRecord } from './record';

/** What the header of a record to be sealed says. */
export interface SealedHeader {
  readonly type: number;
  readonly epoch: number;
  readonly sequence: number;
  /** The connection id that the peer asked for; `undefined` or empty: the record has none (RFC 9146 s3). */
  readonly cid: Buffer | undefined;
}

/** Protects the records of one session in both directions: the pending, then current, state of RFC 5246 s6.1. */
export interface RecordCipher {
  /** The most bytes that `seal` adds to a plaintext, the record header and connection id not counted. */
  readonly overhead: number;
  /** The whole record, header included. */
  seal(header: SealedHeader, plaintext: Buffer): Buffer;
  /** The plaintext in a buffer of its own; `undefined` when the record was not sealed by the peer. */
  open(record: DtlsRecord): Buffer | undefined;
}

/** Writes the header of a sealed record at the start of `target`; returns where the fragment starts. */
export function writeRecordHeader(target: Buffer, header: SealedHeader, fragmentLength: number): number {
  const { cid } = header;
  const cidLength = cid?.length ?? 0;
  target.writeUInt8(cidLength > 0 ? ContentType.connectionId : header.type, 0);
  target.writeUInt16BE(DTLS_1_2, 1);
  target.writeUInt16BE(header.epoch, 3);
  target.writeUIntBE(header.sequence, 5, 6);
  if (cid !== undefined) cid.copy(target, 11);
  target.writeUInt16BE(fragmentLength, 11 + cidLength);
  return RECORD_HEADER_LENGTH + cidLength;
}

const plainAad = Buffer.alloc(13);

/**
 * What a MAC or an AEAD covers besides the data: seq_num, type, version, length (RFC 5246 s6.2.3.3), or the form with a
 * connection id (RFC 9146 s5). The buffer is overwritten by the next call.
 */
export function additionalData(
  type: number,
  epoch: number,
  sequence: number,
  cid: Buffer | undefined,
  length: number,
): Buffer {
  if (cid !== undefined && cid.length > 0) return connectionIdAdditionalData(epoch, sequence, cid, length);
  plainAad.writeUInt16BE(epoch, 0);
  plainAad.writeUIntBE(sequence, 2, 6);
  plainAad.writeUInt8(type, 8);
  plainAad.writeUInt16BE(DTLS_1_2, 9);
  plainAad.writeUInt16BE(length, 11);
  return plainAad;
}

function connectionIdAdditionalData(epoch: number, sequence: number, cid: Buffer, length: number): Buffer {
  const aad = Buffer.allocUnsafe(23 + cid.length);
  aad.fill(0xff, 0, 8);
  aad.writeUInt8(ContentType.connectionId, 8);
  aad.writeUInt8(cid.length, 9);
  aad.writeUInt8(ContentType.connectionId, 10);
  aad.writeUInt16BE(DTLS_1_2, 11);
  aad.writeUInt16BE(epoch, 13);
  aad.writeUIntBE(sequence, 15, 6);
  cid.copy(aad, 21);
  aad.writeUInt16BE(length, 21 + cid.length);
  return aad;
}

/** DTLSInnerPlaintext: the data and its real type (RFC 9146 s4), when the record carries a connection id. */
export function innerPlaintext(header: SealedHeader, plaintext: Buffer): Buffer {
  if (header.cid === undefined || header.cid.length === 0) return plaintext;
  const inner = Buffer.allocUnsafe(plaintext.length + 1);
  plaintext.copy(inner);
  inner.writeUInt8(header.type, plaintext.length);
  return inner;
}

export interface OpenedRecord {
  readonly type: number;
  readonly data: Buffer;
}

/** Opens a record and, behind a connection id, takes the padding and the real type off (RFC 9146 s4). */
export function openRecord(cipher: RecordCipher, record: DtlsRecord): OpenedRecord | undefined {
  if (record.version !== DTLS_1_2) return undefined;
  const plaintext = cipher.open(record);
  if (plaintext === undefined) return undefined;
  if (record.cid === undefined) return { type: record.type, data: plaintext };
  let end = plaintext.length - 1;
  while (end >= 0 && plaintext[end] === 0) end--;
  return end < 0 ? undefined : { type: plaintext.readUInt8(end), data: plaintext.subarray(0, end) };
}
