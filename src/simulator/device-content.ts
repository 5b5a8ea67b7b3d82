/** What devices write and read, by content format. Their CBOR stands on another library than the server's. */
import * as content from '../content';
import type { TypeLookup } from '../content';
import type { Path, ResourceValue } from '../model';
import {
  decodeCborPaths,
  decodeCborRecords,
  decodeCborValue,
  encodeCborRecords,
  encodeCborValue,
} from './cbor-content';

const CBOR = content.contentFormatId('cbor');
const SENML_CBOR = content.contentFormatId('senml-cbor');

/** @throws {CodecError} the format cannot carry these values. */
export function encodeContent(format: number, path: Path, values: readonly ResourceValue[], types: TypeLookup): Buffer {
  if (format === CBOR) return encodeCborValue(values);
  if (format === SENML_CBOR) return encodeCborRecords(path, values, types);
  return content.encodeContent(format, path, values, types);
}

/** @throws {CodecError} the bytes are not of that format, or speak of something outside of `path`. */
export function decodeContent(format: number, path: Path, payload: Buffer, types: TypeLookup): ResourceValue[] {
  if (format === CBOR) return [decodeCborValue(path, payload, types)];
  if (format === SENML_CBOR) return decodeCborRecords(path, payload, types);
  return content.decodeContent(format, path, payload, types);
}

/** The paths of a FETCH. @throws {CodecError} */
export function decodePaths(format: number, payload: Buffer): Path[] {
  return format === SENML_CBOR ? decodeCborPaths(payload) : content.decodePaths(format, payload);
}
