import { InvalidArgumentError } from '../errors';
import { ACCESS_OPERATIONS, type AccessOperation } from './access-operation';
import { parsePathPattern, type PathPattern } from './path-pattern';

const MAX_NAME = 128;
const MAX_PATHS = 100;

export type Properties = Readonly<Record<string, unknown>>;

/** @throws {InvalidArgumentError} what is given is no object, or has a property that is not known. */
export function propertiesOf(value: unknown, name: string, known: readonly string[]): Properties {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(`${name} must be an object`);
  }
  // A misspelt property must not give more rights than its author thinks.
  const unknown = Object.keys(value).find((property) => !known.includes(property));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`${name} has no '${unknown.slice(0, 50)}', only ${known.join(', ')}`);
  }
  return value as Properties;
}

/** @throws {InvalidArgumentError} */
export function nameOf(value: unknown, what: string, maxLength = MAX_NAME): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > maxLength) {
    throw new InvalidArgumentError(`${what} must be a name of 1 to ${maxLength} characters`);
  }
  return value;
}

/** An array, or as people write it a text with spaces or commas between. @throws {InvalidArgumentError} */
export function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value === 'string') return value.split(/[\s,]+/).filter((item) => item !== '');
  throw new InvalidArgumentError(`${what} must be an array`);
}

/** `*` is all of them, also those that come with later versions. */
export type Operations = ReadonlySet<AccessOperation> | '*';

/** @throws {InvalidArgumentError} */
export function operationsOf(value: unknown, what: string): Operations {
  const names = listOf(value, what);
  if (names.length === 0) throw new InvalidArgumentError(`${what} is empty: name what may be done, or '*' for all`);
  if (names.includes('*')) return '*';
  return new Set(
    names.map((name) => {
      const known = ACCESS_OPERATIONS.find((operation) => operation === name);
      if (known === undefined) {
        throw new InvalidArgumentError(
          `${what} has no '${String(name).slice(0, 50)}', only ${ACCESS_OPERATIONS.join(', ')} and *`,
        );
      }
      return known;
    }),
  );
}

/** `undefined`: all paths. An empty list is no right to anything and surely a mistake. @throws {InvalidArgumentError} */
export function pathsOfInput(value: unknown, what: string): readonly PathPattern[] | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const texts = listOf(value, what);
  if (texts.length === 0) throw new InvalidArgumentError(`${what} is empty: leave it out for all paths`);
  if (texts.length > MAX_PATHS) throw new InvalidArgumentError(`${what} has more than ${MAX_PATHS} paths`);
  const patterns = texts.map((text) => (text === '*' ? [] : parsePathPattern(text)));
  return patterns.some((pattern) => pattern.length === 0) ? undefined : patterns;
}
