/** JSON with the bounds of untrusted input, and integers beyond 2^53 exact. */
import { isUtf8 } from 'node:buffer';
import { CodecError } from '../errors';
import { MAX_DEPTH } from './bounds';
import { parseInteger } from './value-conversion';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** A number of fewer digits is always exact as a JavaScript number. */
const EXACT_DIGITS = 15;

/**
 * Parses JSON. An integer that a number cannot hold exactly, and 64 bits can, becomes a BigInt.
 * @throws {CodecError} no JSON, no UTF-8, or nested deeper than 16.
 */
export function parseJson(payload: Buffer): unknown {
  if (!isUtf8(payload)) throw new CodecError('JSON: no UTF-8');
  const hasLongNumber = scan(payload);
  const text = payload.toString();
  try {
    return hasLongNumber ? JSON.parse(text, keepInteger) : JSON.parse(text);
  } catch (error) {
    throw new CodecError(`JSON: ${error instanceof Error ? error.message : String(error)}`.slice(0, 200), {
      cause: error,
    });
  }
}

/** V8 tells a reviver the text that a primitive was parsed from (Node 21 and later). */
function keepInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || context?.source === undefined) return value;
  return parseInteger(context.source) ?? value;
}

/** Checks the depth before anything is built, and tells whether any number is long enough to lose digits. */
function scan(payload: Buffer): boolean {
  let depth = 0;
  let digits = 0;
  let hasLongNumber = false;
  let quoted = false;
  for (let at = 0; at < payload.length; at++) {
    const byte = payload[at];
    if (quoted) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) quoted = false;
      continue;
    }
    if (byte !== undefined && byte >= 0x30 && byte <= 0x39) {
      if (++digits > EXACT_DIGITS) hasLongNumber = true;
      continue;
    }
    digits = 0;
    if (byte === QUOTE) quoted = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > MAX_DEPTH) throw new CodecError(`JSON: nested deeper than ${MAX_DEPTH}`);
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return hasLongNumber;
}

/** A JSON object. */
export function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new CodecError(`${what} is no object`);
  return value as Record<string, unknown>;
}
