import { InvalidArgumentError } from '../errors';
import { readObjects } from './ddf-elements';
import { parseXml, XmlError } from './ddf-xml';
import type { ObjectDefinition } from './object-definition';

/** A file of object definitions that cannot be used: where and why. */
export class DdfError extends InvalidArgumentError {
  constructor(
    readonly fileName: string,
    /** From 1. */
    readonly line: number,
    /** From 1. */
    readonly column: number,
    readonly reason: string,
  ) {
    super(`${fileName}:${line}:${column}: ${reason}`);
  }
}

/** The largest DDF file that is read, in characters: thirty times the largest of the OMA registry. */
export const MAX_DDF_LENGTH = 1024 * 1024;

const DECLARED_ENCODING = /^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]*)["']/;

/**
 * Reads the objects of one DDF file (LwM2M Core 1.2 appendix D, schemas LWM2M.xsd and LWM2M-v1_1.xsd).
 * What says what an object is must be right; what may be left out without doubt (type, range, units, versions, URN) may.
 * A DOCTYPE is refused, so there are no entities to expand and nothing is ever fetched.
 * @throws {DdfError} the file is no XML, too large, or not a definition.
 */
export function parseDdf(xml: string, fileName: string): ObjectDefinition[] {
  if (xml.length > MAX_DDF_LENGTH) {
    throw new DdfError(fileName, 1, 1, `the file is larger than ${MAX_DDF_LENGTH} characters`);
  }
  try {
    return readObjects(parseXml(xml));
  } catch (error) {
    if (error instanceof XmlError) throw new DdfError(fileName, error.line, error.column, error.message);
    throw error;
  }
}

/**
 * As `parseDdf`, from the bytes of a file: in the encoding of its byte order mark, else of its XML declaration, else UTF-8.
 * @throws {DdfError} also when the bytes are not of that encoding.
 */
export function readDdf(bytes: Uint8Array, fileName: string): ObjectDefinition[] {
  if (bytes.length > MAX_DDF_LENGTH)
    throw new DdfError(fileName, 1, 1, `the file is larger than ${MAX_DDF_LENGTH} bytes`);
  return parseDdf(decodeXml(bytes, fileName), fileName);
}

function decodeXml(bytes: Uint8Array, fileName: string): string {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    // A RangeError for an encoding nobody knows, a TypeError for bytes it does not allow.
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw new DdfError(fileName, 1, 1, `the file is not text in ${encoding}`);
  }
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const head = Buffer.from(bytes.subarray(0, 200))
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '');
  return DECLARED_ENCODING.exec(head)?.[1] ?? 'utf-8';
}
