import { isDate } from 'node:util/types';
import type { DefinitionOf, ResourceDefinition } from './object-definition';
import { formatPath, pathContains, type Path } from './path';
import type { ResourceType, ResourceValue, Value } from './resource-value';
import { parseValueRange, type ValueRange } from './value-range';

const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 63n - 1n;
const MAX_UNSIGNED = 2n ** 64n - 1n;
const OBJECT_LINK = /^[0-9]{1,5}:[0-9]{1,5}$/;

const HOLDS: Readonly<Record<ResourceType, (value: Value) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: (value) => isWhole(value) && value >= MIN_INTEGER && value <= MAX_INTEGER,
  unsigned: (value) => isWhole(value) && value >= 0 && value <= MAX_UNSIGNED,
  float: (value) => typeof value === 'number' || typeof value === 'bigint',
  boolean: (value) => typeof value === 'boolean',
  opaque: (value) => Buffer.isBuffer(value),
  time: (value) => isDate(value),
  objlnk: (value) => typeof value === 'string' && OBJECT_LINK.test(value),
  corelnk: (value) => typeof value === 'string',
  // Executable, or a definition that forgot to say.
  none: () => true,
};

const ranges = new WeakMap<ResourceDefinition, ValueRange | null>();

/**
 * What is wrong with a value by the range or enumeration of its definition, such as `120 is outside 0..100`, or
 * `undefined`. For warnings and editors: nothing is refused for it, and a range that cannot be read for sure
 * (`0..255 bytes` can, `8-Bits` cannot) finds nothing wrong. Of strings and opaque values it limits the length in bytes.
 */
export function checkRange(definition: ResourceDefinition, value: Value): string | undefined {
  if (definition.range === '') return undefined;
  let range = ranges.get(definition);
  if (range === undefined) {
    range = parseValueRange(definition.type, definition.range) ?? null;
    ranges.set(definition, range);
  }
  if (range === null || value === null || range.allows(value)) return undefined;
  if (typeof value === 'string') {
    const length = Buffer.byteLength(value);
    return range.ofLength
      ? `a text of ${length} bytes is outside ${definition.range}`
      : `'${value.slice(0, 60)}' is outside ${definition.range}`;
  }
  if (Buffer.isBuffer(value)) return `${value.length} bytes are outside ${definition.range}`;
  return `${String(value)} is outside ${definition.range}`;
}

/**
 * How values that a device sent break its own definition, a sentence each; such values are delivered all the same.
 * Resources that the definition does not know are no deviation: a device may have more than we know of.
 * @param asked the paths of the request, when values outside of them are to be told, too
 */
export function deviations(
  values: readonly ResourceValue[],
  definitionOf: DefinitionOf,
  asked?: readonly Path[],
): string[] {
  const found: string[] = [];
  for (const { path, value } of values) {
    if (asked !== undefined && !asked.some((outer) => pathContains(outer, path))) {
      found.push(`${formatPath(path)} was not asked for`);
    }
    const { objectId, objectInstanceId, resourceId } = path;
    const definition = objectId === undefined ? undefined : definitionOf(objectId);
    if (definition === undefined) continue;
    if (!definition.multiple && objectInstanceId !== undefined && objectInstanceId !== 0) {
      found.push(`${formatPath(path)}: ${definition.name} has one instance only, 0`);
    }
    const resource = resourceId === undefined ? undefined : definition.resources.get(resourceId);
    const problem = resource && resourceDeviation(resource, path, value);
    if (problem !== undefined) found.push(`${formatPath(path)}: ${resource?.name} ${problem}`);
  }
  return found;
}

function resourceDeviation(definition: ResourceDefinition, path: Path, value: Value): string | undefined {
  const isInstance = path.resourceInstanceId !== undefined;
  if (isInstance && !definition.multiple) return 'has no instances';
  if (value === null) return undefined;
  if (!isInstance && definition.multiple) return 'has several instances, not a single value';
  if (definition.operations === 'E') return 'is executable and has no value';
  if (!HOLDS[definition.type](value)) return `is of type ${definition.type}, not ${typeName(value)}`;
  const outside = checkRange(definition, value);
  return outside === undefined ? undefined : `has a value out of range: ${outside}`;
}

function isWhole(value: Value): value is number | bigint {
  return typeof value === 'bigint' || Number.isInteger(value);
}

function typeName(value: Value): string {
  if (Buffer.isBuffer(value)) return 'opaque';
  if (isDate(value)) return 'time';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'float';
  return typeof value === 'bigint' ? 'integer' : typeof value;
}
