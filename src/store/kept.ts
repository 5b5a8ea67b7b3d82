import { deserialize, serialize } from 'node:v8';
import { InvalidArgumentError } from '../errors';

/**
 * What a store keeps of a thing of a `KeyedStore`: plain data, Buffers, Dates, Maps and BigInts as they are now. Begins with
 * the version of this form.
 * @throws {InvalidArgumentError} it holds what cannot be kept: a function, a symbol, a promise.
 */
export function kept(thing: unknown): Buffer {
  try {
    return serialize(thing);
  } catch (cause) {
    throw new InvalidArgumentError(`this cannot be stored: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** What was kept, anew at each call. */
export function restored(bytes: Buffer): unknown {
  return deserialize(bytes);
}
