/** Content formats (LwM2M Core 1.2 s7.4): payload bytes to resource values and back. */
import { CodecError } from '../errors';
import type { Path } from '../model/path';
import type { ResourceValue } from '../model/resource-value';
import type { ContentCodec, DecodeOptions, EncodeOptions, TypeLookup } from './content-codec';
import { contentFormatName, type ContentFormatName } from './content-formats';
import { decodeCbor, encodeCbor } from './cbor';
import { withoutDuplicates } from './duplicates';
import { decodeJson, encodeJson } from './json';
import { decodeLinkContent, encodeLinkContent } from './link-content';
import { lwm2mCbor } from './lwm2m-cbor';
import { decodeOpaque, encodeOpaque } from './opaque';
import { senmlCbor, senmlEtchCbor } from './senml-cbor';
import { senmlEtchJson, senmlJson } from './senml-json';
import { decodeText, encodeText } from './text';
import { decodeTlv, encodeTlv } from './tlv';

export { NO_TYPES, type DecodeOptions, type EncodeOptions, type TypeLookup } from './content-codec';
export { contentFormatId, contentFormatName, type ContentFormatName } from './content-formats';
export { formatLinks, parseDiscovery, parseLinks, type DiscoveredPath, type Link } from './link-format';

const CODECS: Readonly<Record<ContentFormatName, ContentCodec>> = {
  text: { decode: decodeText, encode: encodeText },
  opaque: { decode: decodeOpaque, encode: encodeOpaque },
  'link-format': { decode: decodeLinkContent, encode: encodeLinkContent },
  cbor: { decode: decodeCbor, encode: encodeCbor },
  tlv: { decode: decodeTlv, encode: encodeTlv },
  json: { decode: decodeJson, encode: encodeJson },
  'lwm2m-cbor': lwm2mCbor,
  'senml-json': senmlJson,
  'senml-cbor': senmlCbor,
  'senml-etch-json': senmlEtchJson,
  'senml-etch-cbor': senmlEtchCbor,
};

function codecOf(formatId: number): ContentCodec {
  const name = contentFormatName(formatId);
  const codec = name && CODECS[name];
  if (!codec) throw new CodecError(`content format ${formatId} is not known`);
  return codec;
}

/** Formats whose payload is a structure, so that no bytes at all can only mean no values. */
const STRUCTURED: ReadonlySet<ContentFormatName> = new Set<ContentFormatName>([
  'senml-json',
  'senml-cbor',
  'senml-etch-json',
  'senml-etch-cbor',
  'tlv',
  'json',
  'lwm2m-cbor',
]);

/**
 * Reads a payload: the answer to a request on `path`, or its body. Values come in the payload's order; of several for
 * the same path and time the last one holds. An empty payload of a structured format holds no values: that is how
 * clients answer for an object without instances.
 * @throws {CodecError} the bytes are not of that format, or speak of something outside of `path`.
 */
export function decodeContent(
  formatId: number,
  path: Path,
  payload: Buffer,
  types: TypeLookup,
  options: DecodeOptions = {},
): ResourceValue[] {
  const name = contentFormatName(formatId);
  if (payload.length === 0 && name !== undefined && STRUCTURED.has(name)) return [];
  return withoutDuplicates(codecOf(formatId).decode(path, payload, types, options));
}

/**
 * Writes a payload for a request on `path`; every value lies at or below it.
 * @throws {CodecError} the format cannot carry these values.
 */
export function encodeContent(
  formatId: number,
  path: Path,
  values: readonly ResourceValue[],
  types: TypeLookup,
  options: EncodeOptions = {},
): Buffer {
  if (options.withoutInstanceId && contentFormatName(formatId) !== 'tlv') {
    throw new CodecError('only TLV can leave the id of a new instance to the device');
  }
  return codecOf(formatId).encode(path, values, types, options);
}

/** Writes the list of paths of a FETCH (LwM2M Core 1.2 s6.3.7). */
export function encodePaths(formatId: number, paths: readonly Path[]): Buffer {
  const codec = codecOf(formatId);
  if (!codec.encodePaths) throw new CodecError(`content format ${formatId} cannot carry a list of paths`);
  return codec.encodePaths(paths);
}

/** Reads the list of paths of a FETCH. */
export function decodePaths(formatId: number, payload: Buffer): Path[] {
  const codec = codecOf(formatId);
  if (!codec.decodePaths) throw new CodecError(`content format ${formatId} cannot carry a list of paths`);
  return codec.decodePaths(payload);
}
