import { CodecError } from '../../errors';

/** Tags of DER (X.690 s8) that certificates use. */
export const DerTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element. Both buffers are views. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  /** With its tag and length. */
  readonly whole: Buffer;
}

/** Reads the elements of a constructed one, in order. Definite lengths of at most three bytes, nothing else. */
export class DerReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** The tag that comes next; `undefined` at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#offset];
  }

  /** @throws {CodecError} not DER, or another tag. */
  read(tag?: number): DerElement {
    const start = this.#offset;
    const found = this.#byte();
    if (tag !== undefined && found !== tag)
      throw new CodecError(`a certificate has the tag ${found} instead of ${tag}`);
    const length = this.#length();
    if (length > this.#bytes.length - this.#offset) throw new CodecError('a certificate is cut off');
    const content = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return { tag: found, content, whole: this.#bytes.subarray(start, this.#offset) };
  }

  /** The element when it has this tag, else `undefined` and nothing is read. */
  readOptional(tag: number): DerElement | undefined {
    return this.nextTag === tag ? this.read(tag) : undefined;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw new CodecError('a certificate has a length that is not DER');
    let length = 0;
    for (let index = 0; index < count; index++) length = length * 256 + this.#byte();
    return length;
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw new CodecError('a certificate is cut off');
    this.#offset += 1;
    return byte;
  }
}
