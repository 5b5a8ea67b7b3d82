import { CodecError } from '../errors';
import { decodeOptions, encodeOptions, OptionWriter } from './options';
import type { CoapOptions } from './options';

export enum MessageType {
  CON = 0,
  NON = 1,
  ACK = 2,
  RST = 3,
}

/** A message as RFC 7252 s3 lays it out. */
export interface CoapMessage {
  type: MessageType;
  code: number;
  /** 0..65535 */
  messageId: number;
  /** 0 to 8 bytes */
  token: Buffer;
  options: CoapOptions;
  payload: Buffer;
}

/** A datagram that is no message. With the type and message id where the header could be read, so that it can be rejected. */
export class MessageFormatError extends CodecError {
  readonly type: MessageType | undefined;
  readonly messageId: number | undefined;

  constructor(message: string, type?: MessageType, messageId?: number) {
    super(message);
    this.type = type;
    this.messageId = messageId;
  }
}

export const NO_BYTES = Buffer.alloc(0);

const VERSION = 1;
const HEADER_LENGTH = 4;
const MAX_TOKEN_LENGTH = 8;
const PAYLOAD_MARKER = 0xff;
/** UDP over IPv4 carries no more. */
const MAX_DATAGRAM = 65_507;
/** More than the options of any sensible message: 16 KiB. */
const MAX_OPTIONS = 16_384;

/** Encoding is synchronous, so one writer does for all. */
const writer = new OptionWriter(MAX_OPTIONS);

/**
 * @throws {CodecError} a token or option that cannot be, or a message too long for a datagram
 */
export function encodeMessage(message: CoapMessage): Buffer {
  const { token, payload } = message;
  if (token.length > MAX_TOKEN_LENGTH) throw new CodecError(`a token has at most 8 bytes, not ${token.length}`);
  writer.reset(HEADER_LENGTH + token.length);
  const scratch = writer.bytes;
  scratch[0] = (VERSION << 6) | (message.type << 4) | token.length;
  scratch[1] = message.code;
  scratch[2] = message.messageId >> 8;
  scratch[3] = message.messageId;
  for (let index = 0; index < token.length; index += 1) scratch[HEADER_LENGTH + index] = token[index] as number;
  encodeOptions(message.options, writer);

  const head = writer.length;
  const length = payload.length === 0 ? head : head + 1 + payload.length;
  if (length > MAX_DATAGRAM) throw new CodecError(`a message of ${length} bytes does not fit into a datagram`);
  const datagram = Buffer.allocUnsafe(length);
  scratch.copy(datagram, 0, 0, head);
  if (payload.length > 0) {
    datagram[head] = PAYLOAD_MARKER;
    payload.copy(datagram, head + 1);
  }
  return datagram;
}

/** An empty message: an acknowledgement, a reset or a ping (RFC 7252 s4.1). */
export function encodeEmptyMessage(type: MessageType, messageId: number): Buffer {
  const datagram = Buffer.allocUnsafe(HEADER_LENGTH);
  datagram[0] = (VERSION << 6) | (type << 4);
  datagram[1] = 0;
  datagram[2] = messageId >> 8;
  datagram[3] = messageId;
  return datagram;
}

/**
 * Token, opaque options and payload are views of the datagram.
 * @throws {MessageFormatError} RFC 7252 s3: too short, another version, a token length of 9 to 15, a reserved or
 *   truncated option, an option number above 65,535, a payload marker without payload, an Empty message with more
 *   than a header, a reserved code class, a request in an ACK, or a RST that is not Empty.
 */
export function decodeMessage(datagram: Buffer): CoapMessage {
  if (datagram.length < HEADER_LENGTH) throw new MessageFormatError('shorter than a header');
  const first = datagram[0] as number;
  if (first >> 6 !== VERSION) throw new MessageFormatError(`version ${first >> 6}`);
  const type: MessageType = (first >> 4) & 3;
  const code = datagram[1] as number;
  const messageId = ((datagram[2] as number) << 8) | (datagram[3] as number);
  const tokenLength = first & 0x0f;

  const flaw = headerFlaw(type, code, tokenLength, datagram.length);
  if (flaw !== undefined) throw new MessageFormatError(flaw, type, messageId);

  const options: CoapOptions = {};
  const optionsStart = HEADER_LENGTH + tokenLength;
  let payloadStart = optionsStart;
  if (optionsStart < datagram.length) {
    try {
      payloadStart = decodeOptions(datagram, optionsStart, options);
    } catch (error) {
      if (error instanceof CodecError) throw new MessageFormatError(error.message, type, messageId);
      throw error;
    }
  }
  return {
    type,
    code,
    messageId,
    token: tokenLength === 0 ? NO_BYTES : datagram.subarray(HEADER_LENGTH, optionsStart),
    options,
    payload: payloadStart === datagram.length ? NO_BYTES : datagram.subarray(payloadStart),
  };
}

/** What is wrong with a header, if anything. */
function headerFlaw(type: MessageType, code: number, tokenLength: number, length: number): string | undefined {
  if (tokenLength > MAX_TOKEN_LENGTH) return `a token length of ${tokenLength}`;
  if (HEADER_LENGTH + tokenLength > length) return 'the token is cut off';
  if (code === 0) {
    return length > HEADER_LENGTH || tokenLength > 0 ? 'an Empty message with more than a header' : undefined;
  }
  const codeClass = code >> 5;
  if (codeClass === 1 || codeClass === 3 || codeClass > 5) return `a code of the reserved class ${codeClass}`;
  if (type === MessageType.RST) return 'a reset that is not Empty';
  if (type === MessageType.ACK && codeClass === 0) return 'a request in an acknowledgement';
  return undefined;
}
