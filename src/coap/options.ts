import { isUtf8 } from 'node:buffer';
import { CodecError } from '../errors';

/** One block of a body (RFC 7959 s2.2). Its size is `blockSize(szx)`; szx 7 is reserved. */
export interface Block {
  readonly num: number;
  readonly more: boolean;
  readonly szx: number;
}

/** The size in bytes that an SZX of 0..6 says: 16 to 1024. */
export function blockSize(szx: number): number {
  return 1 << (szx + 4);
}

/** The largest SZX whose size is not above `size` bytes; 0 for sizes below 16. */
export function blockSzx(size: number): number {
  return Math.max(0, Math.min(6, Math.floor(Math.log2(size)) - 4));
}

/**
 * The options of a message by name, with their values as the registry gives their formats (RFC 7252 s5.10,
 * RFC 7641, RFC 7959, RFC 7967, RFC 8768, RFC 9175). A repeatable option that is there has at least one value.
 */
export interface CoapOptions {
  ifMatch?: readonly Buffer[];
  uriHost?: string;
  eTag?: readonly Buffer[];
  ifNoneMatch?: boolean;
  observe?: number;
  uriPort?: number;
  locationPath?: readonly string[];
  uriPath?: readonly string[];
  contentFormat?: number;
  /** In seconds. */
  maxAge?: number;
  uriQuery?: readonly string[];
  hopLimit?: number;
  accept?: number;
  locationQuery?: readonly string[];
  block2?: Block;
  block1?: Block;
  size2?: number;
  proxyUri?: string;
  proxyScheme?: string;
  size1?: number;
  echo?: Buffer;
  noResponse?: number;
  requestTag?: readonly Buffer[];
  /** Set by the decoder only: numbers of critical options that it does not know or cannot accept (RFC 7252 s5.4.1). */
  unknownCritical?: readonly number[];
}

const OptionNumber = {
  IfMatch: 1,
  UriHost: 3,
  ETag: 4,
  IfNoneMatch: 5,
  Observe: 6,
  UriPort: 7,
  LocationPath: 8,
  UriPath: 11,
  ContentFormat: 12,
  MaxAge: 14,
  UriQuery: 15,
  HopLimit: 16,
  Accept: 17,
  LocationQuery: 20,
  Block2: 23,
  Block1: 27,
  Size2: 28,
  ProxyUri: 35,
  ProxyScheme: 39,
  Size1: 60,
  Echo: 252,
  NoResponse: 258,
  RequestTag: 292,
} as const;

const PAYLOAD_MARKER = 0xff;
const MAX_OPTION_NUMBER = 0xffff;

/**
 * Reads the options that start at `start` into `options`.
 * An option of a wrong length, of text that is no UTF-8, or given twice where once is allowed counts as unrecognized
 * (RFC 7252 s5.4.3, s5.4.5): left out when elective, noted in `unknownCritical` when critical.
 * @returns where the payload starts, the length of the datagram when there is none
 * @throws {CodecError} a reserved delta or length, an option number above 65,535, a value that is cut off
 */
export function decodeOptions(datagram: Buffer, start: number, options: CoapOptions): number {
  const end = datagram.length;
  let position = start;
  let number = 0;
  while (position < end) {
    const first = datagram[position] as number;
    position += 1;
    if (first === PAYLOAD_MARKER) {
      if (position === end) throw new CodecError('a payload marker without a payload');
      return position;
    }
    let delta = first >> 4;
    if (delta >= 13) {
      const extended = extendedSize(delta);
      delta = readExtended(datagram, position, delta);
      position += extended;
    }
    let length = first & 0x0f;
    if (length >= 13) {
      const extended = extendedSize(length);
      length = readExtended(datagram, position, length);
      position += extended;
    }
    number += delta;
    if (number > MAX_OPTION_NUMBER) throw new CodecError(`option number ${number} is above 65535`);
    if (length > end - position) throw new CodecError(`option ${number} is cut off`);
    if (!readOption(datagram, position, position + length, number, options) && (number & 1) === 1) {
      options.unknownCritical = append(options.unknownCritical, number);
    }
    position += length;
  }
  return end;
}

/** How many bytes follow for a nibble of 13 or 14 (RFC 7252 s3.1). */
function extendedSize(nibble: number): number {
  return nibble - 12;
}

function readExtended(datagram: Buffer, position: number, nibble: number): number {
  if (nibble === 15) throw new CodecError('a reserved option delta or length');
  if (position + extendedSize(nibble) > datagram.length) throw new CodecError('an option header is cut off');
  return nibble === 13 ? (datagram[position] as number) + 13 : datagram.readUInt16BE(position) + 269;
}

/** Reads one option; false when it must be treated as unrecognized. */
function readOption(datagram: Buffer, start: number, end: number, number: number, options: CoapOptions): boolean {
  const length = end - start;
  switch (number) {
    case OptionNumber.IfMatch:
      if (length > 8) return false;
      options.ifMatch = append(options.ifMatch, datagram.subarray(start, end));
      return true;
    case OptionNumber.UriHost: {
      const text = readText(datagram, start, end, 1, 255);
      if (text === undefined || options.uriHost !== undefined) return false;
      options.uriHost = text;
      return true;
    }
    case OptionNumber.ETag:
      if (length < 1 || length > 8) return false;
      options.eTag = append(options.eTag, datagram.subarray(start, end));
      return true;
    case OptionNumber.IfNoneMatch:
      if (length > 0 || options.ifNoneMatch === true) return false;
      options.ifNoneMatch = true;
      return true;
    case OptionNumber.Observe:
      if (length > 3 || options.observe !== undefined) return false;
      options.observe = readUint(datagram, start, end);
      return true;
    case OptionNumber.UriPort:
      if (length > 2 || options.uriPort !== undefined) return false;
      options.uriPort = readUint(datagram, start, end);
      return true;
    case OptionNumber.LocationPath: {
      const text = readText(datagram, start, end, 0, 255);
      if (text === undefined) return false;
      options.locationPath = append(options.locationPath, text);
      return true;
    }
    case OptionNumber.UriPath: {
      const text = readText(datagram, start, end, 0, 255);
      if (text === undefined) return false;
      options.uriPath = append(options.uriPath, text);
      return true;
    }
    case OptionNumber.ContentFormat:
      if (length > 2 || options.contentFormat !== undefined) return false;
      options.contentFormat = readUint(datagram, start, end);
      return true;
    case OptionNumber.MaxAge:
      if (length > 4 || options.maxAge !== undefined) return false;
      options.maxAge = readUint(datagram, start, end);
      return true;
    case OptionNumber.UriQuery: {
      const text = readText(datagram, start, end, 0, 255);
      if (text === undefined) return false;
      options.uriQuery = append(options.uriQuery, text);
      return true;
    }
    case OptionNumber.HopLimit:
      if (length !== 1 || options.hopLimit !== undefined) return false;
      options.hopLimit = readUint(datagram, start, end);
      return true;
    case OptionNumber.Accept:
      if (length > 2 || options.accept !== undefined) return false;
      options.accept = readUint(datagram, start, end);
      return true;
    case OptionNumber.LocationQuery: {
      const text = readText(datagram, start, end, 0, 255);
      if (text === undefined) return false;
      options.locationQuery = append(options.locationQuery, text);
      return true;
    }
    case OptionNumber.Block2:
      if (length > 3 || options.block2 !== undefined) return false;
      options.block2 = readBlock(datagram, start, end);
      return true;
    case OptionNumber.Block1:
      if (length > 3 || options.block1 !== undefined) return false;
      options.block1 = readBlock(datagram, start, end);
      return true;
    case OptionNumber.Size2:
      if (length > 4 || options.size2 !== undefined) return false;
      options.size2 = readUint(datagram, start, end);
      return true;
    case OptionNumber.ProxyUri: {
      const text = readText(datagram, start, end, 1, 1034);
      if (text === undefined || options.proxyUri !== undefined) return false;
      options.proxyUri = text;
      return true;
    }
    case OptionNumber.ProxyScheme: {
      const text = readText(datagram, start, end, 1, 255);
      if (text === undefined || options.proxyScheme !== undefined) return false;
      options.proxyScheme = text;
      return true;
    }
    case OptionNumber.Size1:
      if (length > 4 || options.size1 !== undefined) return false;
      options.size1 = readUint(datagram, start, end);
      return true;
    case OptionNumber.Echo:
      if (length < 1 || length > 40 || options.echo !== undefined) return false;
      options.echo = datagram.subarray(start, end);
      return true;
    case OptionNumber.NoResponse:
      if (length > 1 || options.noResponse !== undefined) return false;
      options.noResponse = readUint(datagram, start, end);
      return true;
    case OptionNumber.RequestTag:
      if (length > 8) return false;
      options.requestTag = append(options.requestTag, datagram.subarray(start, end));
      return true;
    default:
      return false;
  }
}

function append<T>(values: readonly T[] | undefined, value: T): readonly T[] {
  if (values === undefined) return [value];
  // Made here by the first call for this message, so nobody else holds it.
  (values as T[]).push(value);
  return values;
}

/** An unsigned integer in network order, leading zeros allowed (RFC 7252 s3.2). */
function readUint(datagram: Buffer, start: number, end: number): number {
  let value = 0;
  for (let position = start; position < end; position += 1) value = value * 256 + (datagram[position] as number);
  return value;
}

function readBlock(datagram: Buffer, start: number, end: number): Block {
  const value = readUint(datagram, start, end);
  return { num: value >>> 4, more: (value & 8) !== 0, szx: value & 7 };
}

/** `undefined` when the text is too short, too long or no UTF-8. */
function readText(datagram: Buffer, start: number, end: number, min: number, max: number): string | undefined {
  const length = end - start;
  if (length < min || length > max) return undefined;
  for (let position = start; position < end; position += 1) {
    if ((datagram[position] as number) < 0x80) continue;
    return isUtf8(datagram.subarray(start, end)) ? datagram.toString('utf8', start, end) : undefined;
  }
  return datagram.toString('latin1', start, end);
}

/** Writes a message's header and options into a buffer of its own that is reused; `writer.bytes` up to `writer.length`. */
export class OptionWriter {
  readonly bytes: Buffer;
  length = 0;
  #lastNumber = 0;

  /** @param capacity the most bytes that header and options of one message may have */
  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** Starts anew after `length` bytes that the caller writes itself. */
  reset(length: number): void {
    this.length = length;
    this.#lastNumber = 0;
  }

  /** Options must come in the order of their numbers. */
  uint(number: number, value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
      throw new CodecError(`option ${number} cannot be ${value}`);
    }
    const length = value === 0 ? 0 : value < 0x100 ? 1 : value < 0x10000 ? 2 : value < 0x1000000 ? 3 : 4;
    this.#header(number, length);
    for (let shift = (length - 1) * 8; shift >= 0; shift -= 8) {
      this.bytes[this.length] = value >>> shift;
      this.length += 1;
    }
  }

  opaque(number: number, value: Buffer): void {
    this.#header(number, value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }

  text(number: number, value: string): void {
    const length = value.length;
    if (length > 32 || !isShortAscii(value)) {
      this.opaque(number, Buffer.from(value, 'utf8'));
      return;
    }
    this.#header(number, length);
    for (let index = 0; index < length; index += 1) this.bytes[this.length + index] = value.charCodeAt(index);
    this.length += length;
  }

  #header(number: number, length: number): void {
    if (this.length + 5 + length > this.bytes.length) throw new CodecError('the options are too long for a message');
    const delta = number - this.#lastNumber;
    this.#lastNumber = number;
    const start = this.length;
    this.length += 1;
    this.bytes[start] = (this.#extended(delta) << 4) | this.#extended(length);
  }

  /** Writes the extended bytes of a delta or length, and says the nibble for it. */
  #extended(value: number): number {
    if (value < 13) return value;
    if (value < 269) {
      this.bytes[this.length] = value - 13;
      this.length += 1;
      return 13;
    }
    this.bytes.writeUInt16BE(value - 269, this.length);
    this.length += 2;
    return 14;
  }
}

function isShortAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) >= 0x80) return false;
  return true;
}

/**
 * Writes all options.
 * @throws {CodecError} a value that its option cannot carry
 */
export function encodeOptions(options: CoapOptions, writer: OptionWriter): void {
  if (options.ifMatch !== undefined)
    for (const tag of options.ifMatch) writeOpaque(writer, OptionNumber.IfMatch, tag, 0, 8);
  if (options.uriHost !== undefined) writeText(writer, OptionNumber.UriHost, options.uriHost, 1, 255);
  if (options.eTag !== undefined) for (const tag of options.eTag) writeOpaque(writer, OptionNumber.ETag, tag, 1, 8);
  if (options.ifNoneMatch === true) writer.uint(OptionNumber.IfNoneMatch, 0);
  if (options.observe !== undefined) writeUint(writer, OptionNumber.Observe, options.observe, 0xffffff);
  if (options.uriPort !== undefined) writeUint(writer, OptionNumber.UriPort, options.uriPort, 0xffff);
  writeTexts(writer, OptionNumber.LocationPath, options.locationPath);
  writeTexts(writer, OptionNumber.UriPath, options.uriPath);
  if (options.contentFormat !== undefined) {
    writeUint(writer, OptionNumber.ContentFormat, options.contentFormat, 0xffff);
  }
  if (options.maxAge !== undefined) writer.uint(OptionNumber.MaxAge, options.maxAge);
  writeTexts(writer, OptionNumber.UriQuery, options.uriQuery);
  if (options.hopLimit !== undefined) writeUint(writer, OptionNumber.HopLimit, options.hopLimit, 0xff);
  if (options.accept !== undefined) writeUint(writer, OptionNumber.Accept, options.accept, 0xffff);
  writeTexts(writer, OptionNumber.LocationQuery, options.locationQuery);
  if (options.block2 !== undefined) writeBlock(writer, OptionNumber.Block2, options.block2);
  if (options.block1 !== undefined) writeBlock(writer, OptionNumber.Block1, options.block1);
  if (options.size2 !== undefined) writer.uint(OptionNumber.Size2, options.size2);
  if (options.proxyUri !== undefined) writeText(writer, OptionNumber.ProxyUri, options.proxyUri, 1, 1034);
  if (options.proxyScheme !== undefined) writeText(writer, OptionNumber.ProxyScheme, options.proxyScheme, 1, 255);
  if (options.size1 !== undefined) writer.uint(OptionNumber.Size1, options.size1);
  if (options.echo !== undefined) writeOpaque(writer, OptionNumber.Echo, options.echo, 1, 40);
  if (options.noResponse !== undefined) writeUint(writer, OptionNumber.NoResponse, options.noResponse, 0xff);
  if (options.requestTag !== undefined) {
    for (const tag of options.requestTag) writeOpaque(writer, OptionNumber.RequestTag, tag, 0, 8);
  }
}

function writeUint(writer: OptionWriter, number: number, value: number, max: number): void {
  if (value > max) throw new CodecError(`option ${number} cannot be ${value}`);
  writer.uint(number, value);
}

function writeBlock(writer: OptionWriter, number: number, block: Block): void {
  writeUint(writer, number, block.num * 16 + (block.more ? 8 : 0) + block.szx, 0xffffff);
}

function writeOpaque(writer: OptionWriter, number: number, value: Buffer, min: number, max: number): void {
  if (value.length < min || value.length > max) {
    throw new CodecError(`option ${number} cannot have ${value.length} bytes`);
  }
  writer.opaque(number, value);
}

function writeTexts(writer: OptionWriter, number: number, values: readonly string[] | undefined): void {
  if (values !== undefined) for (const value of values) writeText(writer, number, value, 0, 255);
}

function writeText(writer: OptionWriter, number: number, value: string, min: number, max: number): void {
  // No text has more characters than bytes, and none has fewer than a third.
  if (value.length < min || (value.length * 3 > max && Buffer.byteLength(value) > max)) {
    throw new CodecError(`option ${number} must have ${min} to ${max} bytes of text`);
  }
  writer.text(number, value);
}
