import { WireReader } from '../wire';

export const HANDSHAKE_HEADER_LENGTH = 12;

/** One fragment of a handshake message (RFC 6347 s4.2.2); a whole message is one fragment of offset 0. */
export interface HandshakeFragment {
  type: number;
  /** Of the whole message. */
  length: number;
  messageSeq: number;
  fragmentOffset: number;
  fragment: Buffer;
}

export function encodeHandshakeFragment(fragment: HandshakeFragment): Buffer {
  const bytes = Buffer.allocUnsafe(HANDSHAKE_HEADER_LENGTH + fragment.fragment.length);
  bytes.writeUInt8(fragment.type, 0);
  bytes.writeUIntBE(fragment.length, 1, 3);
  bytes.writeUInt16BE(fragment.messageSeq, 4);
  bytes.writeUIntBE(fragment.fragmentOffset, 6, 3);
  bytes.writeUIntBE(fragment.fragment.length, 9, 3);
  fragment.fragment.copy(bytes, HANDSHAKE_HEADER_LENGTH);
  return bytes;
}

/** A message as it counts for the transcript: as if it had come in one piece (RFC 6347 s4.2.6). */
export function encodeHandshakeMessage(type: number, messageSeq: number, body: Buffer): Buffer {
  return encodeHandshakeFragment({ type, length: body.length, messageSeq, fragmentOffset: 0, fragment: body });
}

/**
 * All fragments of one record: several messages may share it (RFC 6347 s4.2.3). They are views.
 * @throws {CodecError} cut off, or a fragment that reaches beyond its message.
 */
export function decodeHandshakeFragments(bytes: Buffer): HandshakeFragment[] {
  const reader = new WireReader(bytes, 'a handshake record');
  const fragments: HandshakeFragment[] = [];
  do {
    const type = reader.uint8();
    const length = reader.uint24();
    const messageSeq = reader.uint16();
    const fragmentOffset = reader.uint24();
    const fragment = reader.vector24(0, Math.max(0, length - fragmentOffset));
    fragments.push({ type, length, messageSeq, fragmentOffset, fragment });
  } while (reader.remaining > 0);
  return fragments;
}
