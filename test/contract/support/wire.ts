/**
 * CoAP as bytes (RFC 7252 s3), written for these tests alone: what the package says on the wire is judged by code that
 * shares nothing with it.
 */

export interface WireOption {
  readonly number: number;
  readonly value: Buffer;
}

export interface WireMessage {
  readonly type: 'CON' | 'NON' | 'ACK' | 'RST';
  /** `0.01` for GET, `2.05` for Content. */
  readonly code: string;
  readonly messageId: number;
  readonly token: Buffer;
  readonly options: readonly WireOption[];
  readonly payload: Buffer;
}

export const OPTION = {
  observe: 6,
  locationPath: 8,
  uriPath: 11,
  contentFormat: 12,
  uriQuery: 15,
  accept: 17,
  echo: 252,
} as const;

const TYPES = ['CON', 'NON', 'ACK', 'RST'] as const;

export function encode({ type, code, messageId, token, options, payload }: WireMessage): Buffer {
  const [major, minor] = code.split('.').map(Number);
  const head = Buffer.from([
    0x40 | (TYPES.indexOf(type) << 4) | token.length,
    ((major ?? 0) << 5) | (minor ?? 0),
    messageId >> 8,
    messageId & 0xff,
  ]);
  const parts: Buffer[] = [head, token];
  let last = 0;
  for (const { number, value } of [...options].sort((a, b) => a.number - b.number)) {
    const [delta, moreDelta] = nibble(number - last);
    const [length, moreLength] = nibble(value.length);
    parts.push(Buffer.from([(delta << 4) | length]), moreDelta, moreLength, value);
    last = number;
  }
  if (payload.length > 0) parts.push(Buffer.from([0xff]), payload);
  return Buffer.concat(parts);
}

export function decode(bytes: Buffer): WireMessage {
  const first = bytes.readUInt8(0);
  const code = bytes.readUInt8(1);
  let at = 4 + (first & 0x0f);
  const token = bytes.subarray(4, at);
  const options: WireOption[] = [];
  let number = 0;
  const extended = (value: number): number => {
    if (value < 13) return value;
    if (value === 13) return bytes.readUInt8(at++) + 13;
    at += 2;
    return bytes.readUInt16BE(at - 2) + 269;
  };
  while (at < bytes.length && bytes[at] !== 0xff) {
    const byte = bytes.readUInt8(at++);
    number += extended(byte >> 4);
    const length = extended(byte & 0x0f);
    options.push({ number, value: bytes.subarray(at, at + length) });
    at += length;
  }
  return {
    type: TYPES[(first >> 4) & 3] ?? 'CON',
    code: `${code >> 5}.${String(code & 31).padStart(2, '0')}`,
    messageId: bytes.readUInt16BE(2),
    token,
    options,
    payload: bytes.subarray(at + 1),
  };
}

/** The shortest bytes of an unsigned integer, none for 0. */
export function uint(value: number): Buffer {
  const hex = value === 0 ? '' : value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

export function textOption(number: number, ...values: string[]): WireOption[] {
  return values.map((value) => ({ number, value: Buffer.from(value) }));
}

export function uintOption(number: number, value: number | undefined): WireOption[] {
  return value === undefined ? [] : [{ number, value: uint(value) }];
}

export function textsOf(message: WireMessage, number: number): string[] {
  return message.options.filter((option) => option.number === number).map(({ value }) => value.toString());
}

export function uintOf(message: WireMessage, number: number): number | undefined {
  const found = message.options.find((option) => option.number === number);
  if (found === undefined) return undefined;
  return found.value.length === 0 ? 0 : found.value.readUIntBE(0, found.value.length);
}

function nibble(value: number): [number, Buffer] {
  if (value < 13) return [value, Buffer.alloc(0)];
  if (value < 269) return [13, Buffer.from([value - 13])];
  return [14, Buffer.from([(value - 269) >> 8, (value - 269) & 0xff])];
}
