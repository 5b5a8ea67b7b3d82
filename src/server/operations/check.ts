import { InvalidArgumentError } from '../../errors';
import { formatPath, parsePath, pathLevel, type Path, type PathLevel } from '../../model';
import { checkAttributes, isEmpty } from '../attributes';
import { executeArguments } from '../execute-arguments';
import type { Operation } from '../operation';
import { checkConditions } from './conditions';
import { isHiddenObject } from '../registered-objects';

const MAX_PATHS = 100;

/**
 * Checks what is wrong with an operation for every device, before anything is sent.
 * @throws {InvalidArgumentError}
 */
export function checkOperation(operation: Operation): void {
  switch (operation.operation) {
    case 'read':
      return checkPaths(operation.paths);
    case 'write':
      checkPath(operation.path, 'a write', 'object-instance', 'resource', 'resource-instance');
      if (operation.value === undefined) throw new InvalidArgumentError('there is no value to write');
      return;
    case 'write-composite':
      return checkValues(operation.values);
    case 'execute':
      checkPath(operation.path, 'an execute', 'resource');
      executeArguments(operation.args);
      return checkConditions(operation.conditions);
    case 'discover':
      checkPath(operation.path, 'a discover', 'object', 'object-instance', 'resource');
      return checkDepth(operation.depth);
    case 'create':
      return checkPath(operation.path, 'a create', 'object', 'object-instance');
    case 'delete':
      return checkPath(operation.path, 'a delete', 'object-instance', 'resource-instance');
    case 'write-attributes':
      checkPath(operation.path, 'attributes', 'object', 'object-instance', 'resource', 'resource-instance');
      if (isEmpty(operation.attributes)) throw new InvalidArgumentError('there is no attribute to write');
      return checkAttributes(operation.attributes, operation.path.resourceId !== undefined);
  }
}

/** Checks the paths of a read or an observation. @throws {InvalidArgumentError} */
export function checkPaths(paths: readonly Path[]): void {
  if (paths.length === 0) throw new InvalidArgumentError('there is no path');
  if (paths.length > MAX_PATHS) throw new InvalidArgumentError(`more than ${MAX_PATHS} paths`);
  for (const path of paths) checkVisible(path);
}

function checkValues(values: Readonly<Record<string, unknown>>): void {
  const paths = Object.keys(values);
  if (paths.length === 0) throw new InvalidArgumentError('there is no value to write');
  if (paths.length > MAX_PATHS) throw new InvalidArgumentError(`more than ${MAX_PATHS} paths`);
  // Paths by name are resolved, and refused, for each device, whose definitions may differ.
  for (const path of paths) if (/^\/[0-9/]*$/.test(path)) checkVisible(parsePath(path));
}

function checkPath(path: Path, what: string, ...levels: PathLevel[]): void {
  checkVisible(path);
  const level = pathLevel(path);
  if (!levels.includes(level)) {
    throw new InvalidArgumentError(`${what} needs the path of ${listOf(levels)}, not ${formatPath(path)}`);
  }
}

/** Keys are for the bootstrap server only (LwM2M Core 1.2 s6.1, appendix E.1). @throws {InvalidArgumentError} */
export function checkVisible({ objectId }: Path): void {
  if (objectId !== undefined && isHiddenObject(objectId)) {
    throw new InvalidArgumentError(`object ${objectId} holds keys and is for the bootstrap server only`);
  }
}

function checkDepth(depth: number | undefined): void {
  if (depth === undefined) return;
  if (!Number.isInteger(depth) || depth < 0 || depth > 3) throw new InvalidArgumentError('depth must be 0, 1, 2 or 3');
}

function listOf(levels: readonly PathLevel[]): string {
  const names = levels.map(
    (level) => `${level === 'object' || level === 'object-instance' ? 'an' : 'a'} ${level.replace('-', ' ')}`,
  );
  return names.length === 1 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
