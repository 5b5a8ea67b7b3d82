import type { NodeMessage } from 'node-red';
import { InvalidArgumentError } from '../../src/index';

/** What counts as left empty in a node's settings and in a message. */
export function isEmpty(value: unknown): value is undefined | null | '' {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

/** A property of the message itself, never of what it inherits. */
export function messageProperty(msg: NodeMessage, name: string): unknown {
  return Object.hasOwn(msg, name) ? msg[name] : undefined;
}

/** @throws {InvalidArgumentError} not one of those allowed. */
export function oneOf<T extends string>(allowed: readonly T[], value: unknown, name: string): T | undefined {
  if (isEmpty(value)) return undefined;
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`${name} must be one of ${allowed.join(', ')}, not ${describe(value)}`);
}

/** A number, or text that is one. @throws {InvalidArgumentError} anything else. */
export function numberOption(value: unknown, name: string): number | undefined {
  if (isEmpty(value)) return undefined;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw new InvalidArgumentError(`${name} must be a number, not ${describe(value)}`);
}

/** A value for an error text: short, whatever it is. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `'${value.length > 40 ? `${value.slice(0, 40)}...` : value}'`;
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object';
    case 'number':
    case 'boolean':
    case 'bigint':
    case 'undefined':
      return String(value);
    default:
      return `a ${typeof value}`;
  }
}
