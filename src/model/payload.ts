import type { DefinitionOf } from './object-definition';
import type { Path } from './path';
import type { ResourceValue } from './resource-value';

/** How the objects of a payload are keyed: by ids as text, or by names in camelCase. */
export type Keys = 'id' | 'name';

export interface PayloadOptions {
  readonly keys: Keys;
  readonly definitionOf: DefinitionOf;
}

export function toPayload(_path: Path, _values: readonly ResourceValue[], _options: PayloadOptions): unknown {
  throw new Error('being written');
}
export function toCompositePayload(
  _paths: readonly Path[],
  _values: readonly ResourceValue[],
  _options: PayloadOptions,
): Record<string, unknown> {
  throw new Error('being written');
}
