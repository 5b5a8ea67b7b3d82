import type { Path } from './path';

/** The data types of LwM2M (LwM2M Core 1.2 appendix C). */
export type ResourceType =
  'string' | 'integer' | 'unsigned' | 'float' | 'boolean' | 'opaque' | 'time' | 'objlnk' | 'corelnk' | 'none';

/**
 * A value in JavaScript: string and corelnk are strings, integer and unsigned are numbers (BigInt beyond 2^53),
 * float is a number, opaque a Buffer, time a Date, objlnk the text `oid:iid`.
 * `null` is no value: an empty object instance, an empty multiple resource, or (SenML-ETCH) a removal.
 */
export type Value = string | number | bigint | boolean | Buffer | Date | null;

/**
 * One value and where it belongs. The engine's common form of what every content format carries:
 * a flat list of these, in the order of the payload.
 */
export interface ResourceValue {
  /** Of a resource or resource instance; of an object instance only when the value is `null`. */
  readonly path: Path;
  readonly value: Value;
  /** The time the device gave, in ms since 1970; absent when it gave none. */
  readonly timestamp?: number;
}
