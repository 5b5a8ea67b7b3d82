/** ContentType (RFC 5246 s6.2.1; 25 of RFC 9146 s4). */
export const ContentType = {
  changeCipherSpec: 20,
  alert: 21,
  handshake: 22,
  applicationData: 23,
  connectionId: 25,
} as const;

/** Versions are the one's complement of the dotted version (RFC 6347 s4.1). */
export const DTLS_1_0 = 0xfeff;
export const DTLS_1_2 = 0xfefd;

export const RECORD_HEADER_LENGTH = 13;
/** 2^14 and what a cipher may add (RFC 5246 s6.2.3). */
const MAX_FRAGMENT_LENGTH = (1 << 14) + 2048;
/** Plaintext of one record (RFC 5246 s6.2.1). */
export const MAX_PLAINTEXT_LENGTH = 1 << 14;
/** Epoch and sequence number share 64 bits (RFC 6347 s4.1). */
export const MAX_SEQUENCE = 2 ** 48 - 1;

/**
 * DTLSCiphertext (RFC 6347 s4.1), or the form with a connection id (RFC 9146 s4). `cid` and `fragment` are views into the
 * datagram.
 */
export interface DtlsRecord {
  readonly type: number;
  readonly version: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly cid: Buffer | undefined;
  readonly fragment: Buffer;
  /** Where the next record of the datagram starts. */
  readonly end: number;
}

/**
 * The record at `offset` of a datagram; `undefined` when there is none that could be ours: what is cut off, too long or of
 * another protocol is dropped without an answer (RFC 6347 s4.1.2.7).
 * @param cidLength bytes of the connection ids that we gave out, which stand before the length (RFC 9146 s4).
 */
export function readRecord(datagram: Buffer, offset: number, cidLength: number): DtlsRecord | undefined {
  if (offset + RECORD_HEADER_LENGTH > datagram.length) return undefined;
  const type = datagram.readUInt8(offset);
  const version = datagram.readUInt16BE(offset + 1);
  if (type < ContentType.changeCipherSpec || type > ContentType.connectionId || version >> 8 !== 0xfe) return undefined;
  const cidEnd = offset + 11 + (type === ContentType.connectionId ? cidLength : 0);
  if (cidEnd + 2 > datagram.length) return undefined;
  const length = datagram.readUInt16BE(cidEnd);
  const end = cidEnd + 2 + length;
  if (length > MAX_FRAGMENT_LENGTH || end > datagram.length) return undefined;
  return {
    type,
    version,
    epoch: datagram.readUInt16BE(offset + 3),
    sequence: datagram.readUIntBE(offset + 5, 6),
    cid: type === ContentType.connectionId ? datagram.subarray(offset + 11, cidEnd) : undefined,
    fragment: datagram.subarray(cidEnd + 2, end),
    end,
  };
}

/** A record without protection: epoch 0. */
export function encodePlainRecord(
  type: number,
  sequence: number,
  fragment: Buffer,
  version: number = DTLS_1_2,
): Buffer {
  const record = Buffer.allocUnsafe(RECORD_HEADER_LENGTH + fragment.length);
  record.writeUInt8(type, 0);
  record.writeUInt16BE(version, 1);
  record.writeUInt16BE(0, 3);
  record.writeUIntBE(sequence, 5, 6);
  record.writeUInt16BE(fragment.length, 11);
  fragment.copy(record, RECORD_HEADER_LENGTH);
  return record;
}
