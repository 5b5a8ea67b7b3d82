import { InvalidArgumentError } from '../errors';
import type { ObjectDefinition } from './object-definition';

/** A file of object definitions that cannot be used, and where and why. */
export class DdfError extends InvalidArgumentError {
  constructor(
    readonly fileName: string,
    readonly line: number,
    readonly column: number,
    readonly reason: string,
  ) {
    super(`${fileName}:${line}:${column}: ${reason}`);
  }
}

export function parseDdf(_xml: string, _fileName: string): ObjectDefinition[] {
  throw new Error('being written');
}
