import type { DefinitionOf, ResourceDefinition } from './object-definition';
import type { ResourceValue, Value } from './resource-value';

export function checkRange(_definition: ResourceDefinition, _value: Value): string | undefined {
  throw new Error('being written');
}
export function deviations(_values: readonly ResourceValue[], _definitionOf: DefinitionOf): string[] {
  throw new Error('being written');
}
