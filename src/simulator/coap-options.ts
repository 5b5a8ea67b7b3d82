import type { NodeCoapOption } from './node-coap';

/** A block option (RFC 7959 s2.2): block number, whether more follow, size in bytes. */
export interface BlockOption {
  readonly num: number;
  readonly more: boolean;
  readonly size: number;
}

/** node-coap names the media types it knows and leaves the number of others; these are the ones of LwM2M. */
const FORMAT_OF_MEDIA_TYPE: ReadonlyMap<string, number> = new Map([
  ['text/plain', 0],
  ['application/link-format', 40],
  ['application/octet-stream', 42],
  ['application/cbor', 60],
  ['application/senml+json', 110],
  ['application/senml+cbor', 112],
  ['application/senml-etch+json', 320],
  ['application/senml-etch+cbor', 322],
  ['application/vnd.oma.lwm2m+tlv', 11542],
  ['application/vnd.oma.lwm2m+json', 11543],
  ['application/vnd.oma.lwm2m+cbor', 11544],
]);

/** A media type that is none of LwM2M's. */
export const UNKNOWN_FORMAT = -1;

/** Echo (RFC 9175 s2.2), which node-coap knows by number only. */
export const ECHO = '252';

/** The options of a message as node-coap delivers them. Its `headers` keep only the last of a repeated option. */
export class ReceivedOptions {
  constructor(private readonly options: readonly NodeCoapOption[]) {}

  texts(name: string): string[] {
    return this.options.filter((option) => option.name === name).map(({ value }) => text(value));
  }

  number(name: string): number | undefined {
    const value = this.#first(name);
    return typeof value === 'number' ? value : undefined;
  }

  bytes(name: string): Buffer | undefined {
    const value = this.#first(name);
    return Buffer.isBuffer(value) ? value : undefined;
  }

  /** The content format of Content-Format or Accept. */
  format(name: 'Content-Format' | 'Accept'): number | undefined {
    const value = this.#first(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number') return value;
    return FORMAT_OF_MEDIA_TYPE.get(text(value)) ?? UNKNOWN_FORMAT;
  }

  /** Undefined when there is none; `'malformed'` when it is longer than three bytes or says the reserved size. */
  block(name: 'Block1' | 'Block2'): BlockOption | 'malformed' | undefined {
    const bytes = this.bytes(name);
    return bytes && parseBlock(bytes);
  }

  /** An option that must be understood and is not: an odd number without a name (RFC 7252 s5.4.1). */
  get unknownCritical(): string | number | undefined {
    return this.options.find(({ name }) => Number(name) % 2 === 1)?.name;
  }

  #first(name: string): unknown {
    return this.options.find((option) => option.name === name)?.value;
  }
}

export function parseBlock(bytes: Buffer): BlockOption | 'malformed' {
  if (bytes.length > 3) return 'malformed';
  const value = bytes.length === 0 ? 0 : bytes.readUIntBE(0, bytes.length);
  const exponent = value & 7;
  if (exponent === 7) return 'malformed';
  return { num: value >> 4, more: (value & 8) !== 0, size: 2 ** (exponent + 4) };
}

export function encodeBlock(block: BlockOption): Buffer {
  return encodeUint((block.num << 4) | (block.more ? 8 : 0) | (Math.log2(block.size) - 4));
}

/** An option value of the uint format (RFC 7252 s3.2): as few bytes as it takes, none for 0. */
export function encodeUint(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.subarray(Math.clz32(value) >> 3);
}

function text(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString('utf8') : String(value);
}
