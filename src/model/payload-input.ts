import type { DefinitionOf } from './object-definition';
import type { Path } from './path';
import type { ResourceType, ResourceValue, Value } from './resource-value';

export function fromPayload(_path: Path, _payload: unknown, _definitionOf: DefinitionOf): ResourceValue[] {
  throw new Error('being written');
}
export function fromCompositePayload(_payload: unknown, _definitionOf: DefinitionOf): ResourceValue[] {
  throw new Error('being written');
}
export function coerceValue(_type: ResourceType | undefined, _value: unknown, _what: string): Value {
  throw new Error('being written');
}
