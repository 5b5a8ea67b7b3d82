import { type Path } from '../model';
import type { Operation } from '../server';

/** What a right may be for: what is done to devices, and what is done to the fleet. */
export const ACCESS_OPERATIONS = [
  'read',
  'write',
  'execute',
  'observe',
  'discover',
  'create',
  'delete',
  'write-attributes',
  'suspend',
  'provision',
  'grant',
] as const;

/** What a right can be about. */
export type AccessOperation = (typeof ACCESS_OPERATIONS)[number];

/** Operations that are about a device as a whole: the paths of a right do not limit them. */
const WITHOUT_PATHS: ReadonlySet<AccessOperation> = new Set(['suspend', 'provision', 'grant']);

export function hasPaths(operation: AccessOperation): boolean {
  return !WITHOUT_PATHS.has(operation);
}

/** The right that an operation on a device needs: a composite one is a read or a write. */
export function rightFor({ operation }: Operation): AccessOperation {
  return operation === 'write-composite' ? 'write' : operation;
}

/**
 * The paths that an operation touches.
 * @param resolve reads a path of a composite write, which may be by names, as the device will understand it.
 */
export function pathsOf(operation: Operation, resolve: (text: string) => Path): readonly Path[] {
  switch (operation.operation) {
    case 'read':
      return operation.paths;
    case 'write-composite':
      return Object.keys(operation.values).map(resolve);
    case 'write':
    case 'execute':
    case 'discover':
    case 'create':
    case 'delete':
    case 'write-attributes':
      return [operation.path];
  }
}

/** What an operation reads besides: the conditions that whoever orders it may have chosen. */
export function pathsAsked(operation: Operation): readonly Path[] {
  if (operation.operation !== 'execute') return [];
  return (operation.conditions ?? []).filter(({ isOfUser }) => isOfUser).map(({ path }) => path);
}
