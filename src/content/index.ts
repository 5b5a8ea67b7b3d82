/** Content formats (LwM2M Core 1.2 s7.4): payload bytes to resource values and back. */
import { CodecError } from '../errors';
import type { Path } from '../model/path';
import type { ResourceValue } from '../model/resource-value';
import type { ContentCodec, DecodeOptions, EncodeOptions, TypeLookup } from './content-codec';
import { contentFormatName, type ContentFormatName } from './content-formats';
import { decodeLinkContent, encodeLinkContent } from './link-content';
import { decodeOpaque, encodeOpaque } from './opaque';
import { senmlEtchJson, senmlJson } from './senml-json';
import { decodeText, encodeText } from './text';
import { decodeTlv, encodeTlv } from './tlv';

export { NO_TYPES, type DecodeOptions, type EncodeOptions, type TypeLookup } from './content-codec';
export { contentFormatId, contentFormatName, type ContentFormatName } from './content-formats';
export { formatLinks, parseDiscovery, parseLinks, type DiscoveredPath, type Link } from './link-format';

const CODECS: Partial<Record<ContentFormatName, ContentCodec>> = {
  text: { decode: decodeText, encode: encodeText },
  opaque: { decode: decodeOpaque, encode: encodeOpaque },
  'link-format': { decode: decodeLinkContent, encode: encodeLinkContent },
  tlv: { decode: decodeTlv, encode: encodeTlv },
  'senml-json': senmlJson,
  'senml-etch-json': senmlEtchJson,
};

function codecOf(formatId: number): ContentCodec {
  const name = contentFormatName(formatId);
  const codec = name && CODECS[name];
  if (!codec) throw new CodecError(`content format ${formatId} is not known`);
  return codec;
}

/**
 * Reads a payload: the answer to a request on `path`, or its body.
 * @throws {CodecError} the bytes are not of that format, or speak of something outside of `path`.
 */
export function decodeContent(
  formatId: number,
  path: Path,
  payload: Buffer,
  types: TypeLookup,
  options: DecodeOptions = {},
): ResourceValue[] {
  return codecOf(formatId).decode(path, payload, types, options);
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
