import { formatPath, type Path } from '../model/path';
import type { ResourceValue } from '../model/resource-value';

/**
 * Of several values for the same path and time the last one holds, at the place of the first. Values of one path with
 * different times are a history and all stay.
 */
export function withoutDuplicates(values: ResourceValue[]): ResourceValue[] {
  if (isAscending(values)) return values;
  const byKey = new Map<string, ResourceValue>();
  for (const value of values) byKey.set(`${formatPath(value.path)} ${value.timestamp ?? ''}`, value);
  return byKey.size === values.length ? values : [...byKey.values()];
}

/** The usual case, in which nothing can be there twice. */
function isAscending(values: readonly ResourceValue[]): boolean {
  return values.every((value, index) => {
    const before = values[index - 1];
    return before === undefined || comparePaths(before.path, value.path) < 0;
  });
}

function comparePaths(a: Path, b: Path): number {
  return (
    compareIds(a.objectId, b.objectId) ||
    compareIds(a.objectInstanceId, b.objectInstanceId) ||
    compareIds(a.resourceId, b.resourceId) ||
    compareIds(a.resourceInstanceId, b.resourceInstanceId)
  );
}

function compareIds(a = -1, b = -1): number {
  return a - b;
}
