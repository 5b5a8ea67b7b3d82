/**
 * Writes the CBOR (RFC 8949) that LwM2M needs. cbor-x decides by the number alone whether it is an integer, so that 3
 * of a float resource goes out as one, which clients refuse (Zephyr's does), and BigInts always take nine bytes.
 */
import { ByteWriter } from './byte-writer';
import type { TypedValue } from './value-conversion';

const UNSIGNED = 0x00;
const NEGATIVE = 0x20;
const BYTES = 0x40;
const TEXT = 0x60;
const ARRAY = 0x80;
const MAP = 0xa0;
const TAG = 0xc0;

export class CborWriter {
  private readonly out = new ByteWriter();

  array(length: number): void {
    this.head(ARRAY, length);
  }

  map(entries: number): void {
    this.head(MAP, entries);
  }

  null(): void {
    this.out.byte(0xf6);
  }

  boolean(value: boolean): void {
    this.out.byte(value ? 0xf5 : 0xf4);
  }

  /** An integer in as few bytes as it takes. */
  integer(value: number | bigint): void {
    if (value >= 0) this.head(UNSIGNED, value);
    else this.head(NEGATIVE, typeof value === 'bigint' ? -1n - value : -1 - value);
  }

  /** A float in 4 bytes where that loses nothing, else in 8; clients do not all read those of 2. */
  float(value: number): void {
    if (Math.fround(value) === value) {
      this.out.byte(0xfa);
      this.out.float32(value);
    } else {
      this.out.byte(0xfb);
      this.out.float64(value);
    }
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.head(TEXT, length);
    this.out.utf8(value, length);
  }

  bytes(value: Uint8Array): void {
    this.head(BYTES, value.length);
    this.out.bytes(value);
  }

  /** Seconds since 1970 as a time of its own kind (tag 1). */
  epochTime(seconds: number | bigint): void {
    this.head(TAG, 1);
    this.integer(seconds);
  }

  finish(): Buffer {
    return this.out.finish();
  }

  private head(kind: number, argument: number | bigint): void {
    if (argument < 24) this.out.byte(kind | Number(argument));
    else if (argument <= 0xff) this.argument(kind | 24, Number(argument), 1);
    else if (argument <= 0xffff) this.argument(kind | 25, Number(argument), 2);
    else if (argument <= 0xffffffff) this.argument(kind | 26, Number(argument), 4);
    else {
      this.out.byte(kind | 27);
      this.out.unsigned64(BigInt(argument));
    }
  }

  private argument(head: number, argument: number, bytes: number): void {
    this.out.byte(head);
    this.out.unsigned(argument, bytes);
  }
}

/** Writes a value as CBOR and LwM2M CBOR have it (LwM2M Core 1.2 appendix C). */
export function writeTypedValue(writer: CborWriter, typed: TypedValue): void {
  switch (typed.type) {
    case 'integer':
    case 'unsigned':
      return writer.integer(typed.value);
    case 'time':
      return writer.epochTime(typed.value);
    case 'float':
      return writer.float(typed.value);
    case 'boolean':
      return writer.boolean(typed.value);
    case 'opaque':
      return writer.bytes(typed.value);
    case 'string':
    case 'corelnk':
    case 'objlnk':
      return writer.text(typed.value);
  }
}
