/**
 * CBOR (RFC 8949) as far as LwM2M uses it, from untrusted bytes.
 *
 * It is not cbor-x, which takes invalid UTF-8, throws on strings of indefinite length and on times of 64 bits, builds
 * objects from tags, shares its input, and knows no limit of depth. To check all of that beforehand is to read the
 * whole payload, and then its values are at hand already. The tests hold the two against each other.
 */
import { isUtf8 } from 'node:buffer';
import { CodecError } from '../errors';
import { MAX_DEPTH } from './bounds';
import { dateOfSeconds, dateOfText, normalInteger } from './value-conversion';

/** Integers beyond 2^53 are BigInt. A date is what tag 0 or 1 marks. Of a key given twice the last value holds. */
export type CborValue = number | bigint | string | boolean | null | Buffer | Date | CborValue[] | CborMap;
export type CborMap = Map<CborValue, CborValue>;

/** Items of one payload, keys and values alike: 10,000 records of 20 items. */
const MAX_ITEMS = 200_000;

/** Texts up to here, names above all, are put together faster than a native call takes. */
const SHORT_TEXT = 12;

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;

const INDEFINITE = 31;
const BREAK = 0xff;

/**
 * Reads one data item, and nothing may follow it.
 * @throws {CodecError} malformed or truncated, no UTF-8, nested deeper than 16, another tag than 0 and 1, a number that
 * is none, or a simple value other than false, true and null.
 */
export function readCbor(payload: Buffer): CborValue {
  const reader = new CborReader(payload);
  const value = reader.item(0);
  reader.end();
  return value;
}

class CborReader {
  private at = 0;
  private items = 0;

  constructor(private readonly bytes: Buffer) {}

  end(): void {
    if (this.at < this.bytes.length) throw new CodecError(`CBOR: ${this.bytes.length - this.at} bytes too many`);
  }

  item(depth: number): CborValue {
    if (depth > MAX_DEPTH) throw new CodecError(`CBOR: nested deeper than ${MAX_DEPTH}`);
    if (++this.items > MAX_ITEMS) throw new CodecError(`CBOR: more than ${MAX_ITEMS} items`);
    const head = this.byte();
    const info = head & 31;
    switch (head >> 5) {
      case UNSIGNED:
        return this.argument(info);
      case NEGATIVE: {
        const argument = this.argument(info);
        return typeof argument === 'number' ? normalNegative(argument) : -1n - argument;
      }
      case BYTES:
        return info === INDEFINITE ? Buffer.concat(this.chunks(BYTES)) : Buffer.from(this.take(this.length(info)));
      case TEXT:
        return info === INDEFINITE ? this.chunks(TEXT).join('') : this.text(this.length(info));
      case ARRAY:
        return this.array(info, depth);
      case MAP:
        return this.map(info, depth);
      case TAG:
        return this.tagged(info, depth);
      default:
        return this.simple(info);
    }
  }

  private array(info: number, depth: number): CborValue[] {
    const values: CborValue[] = [];
    if (info === INDEFINITE) {
      while (!this.atBreak()) values.push(this.item(depth + 1));
      return values;
    }
    for (let count = this.length(info); count > 0; count--) values.push(this.item(depth + 1));
    return values;
  }

  private map(info: number, depth: number): CborMap {
    const map: CborMap = new Map();
    if (info === INDEFINITE) {
      while (!this.atBreak()) map.set(this.item(depth + 1), this.item(depth + 1));
      return map;
    }
    for (let count = this.length(info); count > 0; count--) map.set(this.item(depth + 1), this.item(depth + 1));
    return map;
  }

  /** Times, which LwM2M writes as text (tag 0) or as seconds (tag 1); what no calendar holds stays as it is. */
  private tagged(info: number, depth: number): CborValue {
    const tag = this.argument(info);
    const content = this.item(depth + 1);
    if (tag === 0 && typeof content === 'string') return dateOfText(content) ?? content;
    if (tag === 1 && (typeof content === 'number' || typeof content === 'bigint')) {
      return dateOfSeconds(content) ?? content;
    }
    throw new CodecError(`CBOR: tag ${tag} has no place here`);
  }

  private simple(info: number): CborValue {
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 25:
        return finite(halfFloat(this.bytes.readUInt16BE(this.skip(2))));
      case 26:
        return finite(this.bytes.readFloatBE(this.skip(4)));
      case 27:
        return finite(this.bytes.readDoubleBE(this.skip(8)));
      default:
        throw new CodecError(`CBOR: simple value ${info} has no place here`);
    }
  }

  /** The number in a head: a length, a tag or the integer itself (RFC 8949 s3). */
  private argument(info: number): number | bigint {
    if (info < 24) return info;
    switch (info) {
      case 24:
        return this.byte();
      case 25:
        return this.bytes.readUInt16BE(this.skip(2));
      case 26:
        return this.bytes.readUInt32BE(this.skip(4));
      case 27:
        return normalInteger(this.bytes.readBigUInt64BE(this.skip(8)));
      default:
        throw new CodecError('CBOR: not well-formed');
    }
  }

  /** A length in bytes or items, each of which takes one byte at least. */
  private length(info: number): number {
    const length = this.argument(info);
    if (length > this.bytes.length - this.at) throw new CodecError('CBOR: longer than what is left');
    return Number(length);
  }

  /** The chunks of a string of indefinite length, which are strings of the same kind and of definite length. */
  private chunks(kind: typeof BYTES): Buffer[];
  private chunks(kind: typeof TEXT): string[];
  private chunks(kind: number): (Buffer | string)[] {
    const chunks: (Buffer | string)[] = [];
    while (!this.atBreak()) {
      const head = this.byte();
      if (head >> 5 !== kind || (head & 31) === INDEFINITE) throw new CodecError('CBOR: not a chunk of a string');
      const length = this.length(head & 31);
      chunks.push(kind === TEXT ? this.text(length) : this.take(length));
    }
    return chunks;
  }

  private text(length: number): string {
    const start = this.skip(length);
    if (length > SHORT_TEXT) return this.longText(start);
    let text = '';
    for (let at = start; at < this.at; at++) {
      const byte = this.bytes[at] ?? 0;
      if (byte >= 0x80) return this.longText(start);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  private longText(start: number): string {
    const bytes = this.bytes.subarray(start, this.at);
    if (!isUtf8(bytes)) throw new CodecError('CBOR: no UTF-8');
    return bytes.toString();
  }

  private atBreak(): boolean {
    if (this.bytes[this.at] !== BREAK) return false;
    this.at++;
    return true;
  }

  private byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new CodecError('CBOR: cut off');
    return byte;
  }

  private take(count: number): Buffer {
    const start = this.skip(count);
    return this.bytes.subarray(start, this.at);
  }

  /** Passes over bytes that are there, and tells where they start. */
  private skip(count: number): number {
    const start = this.at;
    if (count > this.bytes.length - start) throw new CodecError('CBOR: cut off');
    this.at = start + count;
    return start;
  }
}

function normalNegative(argument: number): number | bigint {
  return argument < Number.MAX_SAFE_INTEGER ? -1 - argument : -1n - BigInt(argument);
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new CodecError(`CBOR: ${value} is no value`);
  return value;
}

/** RFC 8949 appendix D. */
function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (fraction + 1024) * 2 ** (exponent - 25);
}
