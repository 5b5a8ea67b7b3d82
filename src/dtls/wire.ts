import { CodecError } from '../errors';

/** Reads the vectors and numbers of TLS (RFC 5246 s4) from a buffer; every read is checked against what remains. */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #offset = 0;

  /** @param what names the structure in the text of an error. */
  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#advance(2));
  }

  uint24(): number {
    return this.#bytes.readUIntBE(this.#advance(3), 3);
  }

  /** A view of the next bytes, not a copy. */
  bytes(length: number): Buffer {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** `opaque vector<minimum..maximum>` with a length of one byte. */
  vector8(minimum = 0, maximum = 0xff): Buffer {
    return this.#vector(this.uint8(), minimum, maximum);
  }

  vector16(minimum = 0, maximum = 0xffff): Buffer {
    return this.#vector(this.uint16(), minimum, maximum);
  }

  vector24(minimum = 0, maximum = 0xffffff): Buffer {
    return this.#vector(this.uint24(), minimum, maximum);
  }

  /** @throws {CodecError} bytes are left over. */
  end(): void {
    if (this.remaining !== 0) throw new CodecError(`${this.#what} has ${this.remaining} bytes too many`);
  }

  #vector(length: number, minimum: number, maximum: number): Buffer {
    if (length < minimum || length > maximum) throw new CodecError(`${this.#what} has a vector of ${length} bytes`);
    return this.bytes(length);
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (length > this.remaining) throw new CodecError(`${this.#what} is cut off`);
    this.#offset = start + length;
    return start;
  }
}

/** Writes the same; grows as needed. */
export class WireWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(expectedLength = 256) {
    this.#bytes = Buffer.allocUnsafe(expectedLength);
  }

  get length(): number {
    return this.#length;
  }

  uint8(value: number): this {
    this.#bytes.writeUInt8(value, this.#reserve(1));
    return this;
  }

  uint16(value: number): this {
    this.#bytes.writeUInt16BE(value, this.#reserve(2));
    return this;
  }

  uint24(value: number): this {
    this.#bytes.writeUIntBE(value, this.#reserve(3), 3);
    return this;
  }

  bytes(value: Buffer): this {
    value.copy(this.#bytes, this.#reserve(value.length));
    return this;
  }

  vector8(value: Buffer): this {
    return this.uint8(value.length).bytes(value);
  }

  vector16(value: Buffer): this {
    return this.uint16(value.length).bytes(value);
  }

  vector24(value: Buffer): this {
    return this.uint24(value.length).bytes(value);
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(length: number): number {
    const start = this.#length;
    this.#length = start + length;
    if (this.#length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#length, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, start);
      this.#bytes = grown;
    }
    return start;
  }
}

/** A list of 16-bit numbers, as in `CipherSuite cipher_suites<2..2^16-2>`. */
export function decodeUint16List(bytes: Buffer, what: string): number[] {
  if (bytes.length % 2 !== 0) throw new CodecError(`${what} has an odd length`);
  return Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(index * 2));
}

export function encodeUint16List(values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 2);
  values.forEach((value, index) => bytes.writeUInt16BE(value, index * 2));
  return bytes;
}
