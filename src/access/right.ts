import { hasPaths, type AccessOperation } from './access-operation';
import type { Operations } from './access-input';
import { covers, type PathPattern } from './path-pattern';

/** Operations on paths of devices. Rights only add up; none takes away what another gives. */
export interface Right {
  readonly operations: Operations;
  /** Absent: all. */
  readonly paths?: readonly PathPattern[];
  /** Which devices; absent: all. */
  readonly matches?: (endpoint: string) => boolean;
}

/** Whether a right is for an operation on a path (`undefined`: on the device as a whole) of a device. */
export function permits(
  { operations, paths, matches }: Right,
  operation: AccessOperation,
  path: PathPattern | undefined,
  endpoint: string,
): boolean {
  if (operations !== '*' && !operations.has(operation)) return false;
  if (path !== undefined && paths !== undefined && hasPaths(operation)) {
    if (!paths.some((pattern) => covers(pattern, path))) return false;
  }
  // What is about all devices is matched by no selector.
  return matches === undefined || (endpoint !== '' && matches(endpoint));
}
