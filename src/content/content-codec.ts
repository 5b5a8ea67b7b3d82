import type { Path } from '../model/path';
import type { ResourceType, ResourceValue } from '../model/resource-value';

/** What the codecs ask about a resource; object definitions answer it. */
export interface TypeLookup {
  /** The type of the resource at `path`, which may end in a resource instance; undefined when unknown. */
  typeOf(path: Path): ResourceType | undefined;
  /** Whether the resource at `path` has resource instances; undefined when unknown. */
  isMultiple(path: Path): boolean | undefined;
}

/** For bytes of which nothing is known. */
export const NO_TYPES: TypeLookup = { typeOf: () => undefined, isMultiple: () => undefined };

export interface DecodeOptions {
  /** The time of arrival in ms since 1970, which relative times of SenML and OMA JSON start from. Default: now. */
  readonly now?: number;
}

export interface EncodeOptions {
  /** For Create without an instance id: the instance's wrapper is left out, and the device chooses the id. TLV only. */
  readonly withoutInstanceId?: boolean;
}

/** One content format, both directions. Everything throws `CodecError` and nothing else. */
export interface ContentCodec {
  decode(path: Path, payload: Buffer, types: TypeLookup, options: DecodeOptions): ResourceValue[];
  encode(path: Path, values: readonly ResourceValue[], types: TypeLookup, options: EncodeOptions): Buffer;
  encodePaths?(paths: readonly Path[]): Buffer;
  decodePaths?(payload: Buffer): Path[];
}
