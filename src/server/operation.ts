import type { ContentFormatName } from '../content';
import type { Keys, Path } from '../model';
import type { Attributes } from './attributes';

/** How values travel: the content format wished for (empty: the engine chooses) and how objects of a payload are keyed. */
export interface ContentOptions {
  /** The content format to ask for or to send; absent: chosen from what the device announced and has shown. */
  readonly contentFormat?: ContentFormatName;
  /** Keys of objects in payloads; ids when absent. */
  readonly keys?: Keys;
}

/** Read (one path), or Read-Composite (several) - LwM2M Core 1.2 s6.3.1, s6.3.8. */
export interface ReadOperation extends ContentOptions {
  readonly operation: 'read';
  readonly paths: readonly Path[];
  /** Ask for a Read-Composite even for a single path. */
  readonly composite?: boolean;
}

/** Write: `replace` (PUT) or partial `update` (POST, object instances and multiple resources) - LwM2M Core 1.2 s6.3.3. */
export interface WriteOperation extends ContentOptions {
  readonly operation: 'write';
  readonly path: Path;
  readonly value: unknown;
  readonly mode: 'replace' | 'update';
}

/** Write-Composite: values keyed by paths - LwM2M Core 1.2 s6.3.9. */
export interface WriteCompositeOperation extends ContentOptions {
  readonly operation: 'write-composite';
  readonly values: Readonly<Record<string, unknown>>;
}

/** Execute - LwM2M Core 1.2 s6.3.5. */
export interface ExecuteOperation {
  readonly operation: 'execute';
  readonly path: Path;
  /**
   * Arguments: the text of the grammar (`0='a',1`), or an object or array from argument number (0-9) to value;
   * `null` for one without a value.
   */
  readonly args?: unknown;
  /** Must all hold by values read from the device right before, in the same exchange; else nothing is executed. */
  readonly conditions?: readonly Condition[];
}

/** What a value of the device must be. A value that cannot be compared, or is NaN, fulfils nothing. */
export interface Condition {
  /** Of a resource or a resource instance. */
  readonly path: Path;
  /** Equal, not equal, less, less or equal, greater, greater or equal; texts and booleans are only equal or not. */
  readonly test: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';
  /** Of a time ms since 1970. */
  readonly value: number | string | boolean;
  /** How old the value may be by the device's own time of it, s; absent: as the device answers it. */
  readonly maxAge?: number;
  /**
   * Who orders may have chosen it, and so must have the right to read what it asks: whether it holds says something of the
   * value. A guard that others have set needs none.
   */
  readonly isOfUser?: boolean;
}

/** Discover - LwM2M Core 1.2 s6.3.2. */
export interface DiscoverOperation {
  readonly operation: 'discover';
  readonly path: Path;
  /** How many levels below the path (1.2): 0 to 3. */
  readonly depth?: number;
}

/** Create an object instance: with the id in the path, or with one the device chooses - LwM2M Core 1.2 s6.3.6. */
export interface CreateOperation extends ContentOptions {
  readonly operation: 'create';
  readonly path: Path;
  readonly value: unknown;
}

/** Delete an object instance, or (1.2) a resource instance - LwM2M Core 1.2 s6.3.7. */
export interface DeleteOperation {
  readonly operation: 'delete';
  readonly path: Path;
}

/** Write-Attributes - LwM2M Core 1.2 s6.3.4. */
export interface WriteAttributesOperation {
  readonly operation: 'write-attributes';
  readonly path: Path;
  readonly attributes: Attributes;
}

/** What can be done on a device (LwM2M Core 1.2 s6.3, s6.4). */
export type Operation =
  | ReadOperation
  | WriteOperation
  | WriteCompositeOperation
  | ExecuteOperation
  | DiscoverOperation
  | CreateOperation
  | DeleteOperation
  | WriteAttributesOperation;

/** Its name, as rights and the audit trail have it. */
export type OperationName = Operation['operation'];

/** What a device answered to an operation. */
export interface OperationResult {
  readonly operation: OperationName;
  readonly endpoint: string;
  /** The path ordered; several paths are separated by a comma. Of `create` the object, with the new instance in `payload`. */
  readonly path: string;
  /** As DESIGN section 4 describes `msg.payload`; `undefined` where the operation answers nothing. */
  readonly payload: unknown;
  /** The CoAP response code, `2.05`. */
  readonly code: string;
  readonly contentFormat?: ContentFormatName;
  /** ms since 1970: the device's own time of the value, else of its arrival. */
  readonly timestamp: number;
  /** How long the order waited for a sleeping device, ms; 0 when it was sent at once. */
  readonly queuedFor: number;
  /** A composite operation that was done as single ones. */
  readonly fallback?: true;
  /** How what the device sent differs from its object definition, for people. */
  readonly warnings?: readonly string[];
}
