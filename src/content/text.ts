/** Plain text, content format 0 (LwM2M Core 1.2 s7.4.1, appendix C): a single value as UTF-8. */
import { isUtf8 } from 'node:buffer';
import type { Path } from '../model/path';
import type { ResourceType, ResourceValue, Value } from '../model/resource-value';
import { decodeBase64 } from './base64';
import type { TypeLookup } from './content-codec';
import { checkSingleValuePath, singleValue } from './paths';
import { dateOfSeconds, isInteger, isObjlnk, parseInteger, typedValue } from './value-conversion';

const FLOAT = /^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$/;

/** `1` and `0` are the specification's; the words are what some clients send. */
const BOOLEANS = new Map([
  ['1', true],
  ['0', false],
  ['true', true],
  ['false', false],
]);

/** No number is longer; what is longer is text. */
const MAX_NUMBER_LENGTH = 400;

/** What is not of its type is the text it is, and what is no text its bytes. */
export function decodeText(path: Path, payload: Buffer, types: TypeLookup): ResourceValue[] {
  checkSingleValuePath('text', path);
  if (!isUtf8(payload)) return [{ path, value: Buffer.from(payload) }];
  const text = payload.toString();
  return [{ path, value: valueOfText(types.typeOf(path) ?? 'string', text) ?? text }];
}

function valueOfText(type: ResourceType, text: string): Exclude<Value, null> | undefined {
  switch (type) {
    case 'string':
    case 'corelnk':
    case 'none':
      return text;
    case 'integer':
    case 'unsigned': {
      const integer = parseInteger(text.trim());
      return integer !== undefined && isInteger(integer, type === 'unsigned') ? integer : undefined;
    }
    case 'float':
      return parseFloatText(text.trim());
    case 'boolean':
      return BOOLEANS.get(text.trim());
    case 'opaque':
      return decodeBase64(text.trim());
    case 'time': {
      const seconds = parseFloatText(text.trim());
      return seconds === undefined ? undefined : dateOfSeconds(seconds);
    }
    case 'objlnk':
      return isObjlnk(text.trim()) ? text.trim() : undefined;
  }
}

function parseFloatText(text: string): number | undefined {
  if (text.length > MAX_NUMBER_LENGTH || !FLOAT.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

export function encodeText(path: Path, values: readonly ResourceValue[], types: TypeLookup): Buffer {
  const only = singleValue('text', path, values);
  // Writing nothing is how a firmware package URI is reset (LwM2M Core 1.2 E.6).
  if (only.value === null) return Buffer.alloc(0);
  const typed = typedValue(only.path, only.value, types);
  switch (typed.type) {
    case 'boolean':
      return Buffer.from(typed.value ? '1' : '0');
    case 'opaque':
      return Buffer.from(typed.value.toString('base64'));
    default:
      return Buffer.from(String(typed.value));
  }
}
