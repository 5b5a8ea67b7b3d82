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
