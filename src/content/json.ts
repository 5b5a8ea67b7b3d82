/** OMA LwM2M JSON, content format 11543 (LwM2M Core 1.0 s6.4.4, 1.1 s7.4.4). */
import { CodecError } from '../errors';
import { formatPath, type Path } from '../model/path';
import type { ResourceValue, Value } from '../model/resource-value';
import { decodeBase64 } from './base64';
import { checkRecordCount } from './bounds';
import type { DecodeOptions, TypeLookup } from './content-codec';
import { objectOf, parseJson } from './json-exact';
import { checkWithin, parseName } from './paths';
import { secondsOf, timestampOf } from './relative-time';
import { namesFor } from './senml';
import { fromSelfDescribed, isObjlnk, typedValue } from './value-conversion';

/** Where a name starts when the payload has no base name. */
interface Base {
  readonly name: string;
  readonly time?: number;
}

interface Element {
  name: string;
  time?: number;
  value?: Value;
}

/** @throws {CodecError} no such JSON, or a name outside of `path`. */
export function decodeJson(path: Path, payload: Buffer, types: TypeLookup, options: DecodeOptions): ResourceValue[] {
  const now = options.now ?? Date.now();
  const { base, elements } = parseContent(parseJson(payload), path);
  return elements.map((item) => {
    const element = parseElement(item);
    const at = resolveName(base.name, element.name);
    checkWithin(at, path);
    const wire = element.value ?? null;
    if (at.resourceId === undefined && wire !== null) throw new CodecError(`${formatPath(at)} is no resource`);
    const value = fromSelfDescribed(at, opaqueOf(at, wire, types), types);
    const timestamp = timestampOf(base.time, element.time, now);
    return timestamp === undefined ? { path: at, value } : { path: at, value, timestamp };
  });
}

function parseContent(content: unknown, path: Path): { base: Base; elements: unknown[] } {
  let name = formatPath(path);
  let time: number | undefined;
  let elements: unknown[] = [];
  const members = objectOf(content, 'JSON: the content');
  for (const member of Object.keys(members)) {
    const value = members[member];
    if (member === 'bn') name = textOf(member, value);
    else if (member === 'bt') time = Number(numberOf(member, value));
    else if (member === 'e') {
      if (!Array.isArray(value)) throw new CodecError('JSON: e is no array');
      checkRecordCount(value.length);
      elements = value;
    }
  }
  return { base: { name, time }, elements };
}

function parseElement(item: unknown): Element {
  const element: Element = { name: '' };
  const members = objectOf(item, 'JSON: an element');
  for (const member of Object.keys(members)) {
    const value = members[member];
    switch (member) {
      case 'n':
        element.name = textOf(member, value);
        break;
      case 't':
        element.time = Number(numberOf(member, value));
        break;
      case 'v':
        setValue(element, numberOf(member, value));
        break;
      case 'sv':
        setValue(element, textOf(member, value));
        break;
      case 'bv':
        if (typeof value !== 'boolean') throw new CodecError('JSON: bv is no boolean');
        setValue(element, value);
        break;
      case 'ov': {
        const link = textOf(member, value);
        if (!isObjlnk(link)) throw new CodecError('JSON: ov is no object link');
        setValue(element, link);
        break;
      }
    }
  }
  return element;
}

function setValue(element: Element, value: Value): void {
  if (element.value !== undefined) throw new CodecError('JSON: an element with several values');
  element.value = value;
}

function numberOf(member: string, value: unknown): number | bigint {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw new CodecError(`JSON: ${member} is no number`);
}

function textOf(member: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new CodecError(`JSON: ${member} is no text`);
}

/** Base name and name in one; clients leave out the slash between them, and some write it twice. */
function resolveName(base: string, name: string): Path {
  if (name === '') return parseName(base);
  const start = base.endsWith('/') ? base.slice(0, -1) : base;
  return parseName(`${start}/${name.startsWith('/') ? name.slice(1) : name}`);
}

/** Opaque values are base64 in `sv`. */
function opaqueOf(path: Path, wire: Value, types: TypeLookup): Value {
  if (typeof wire !== 'string' || types.typeOf(path) !== 'opaque') return wire;
  return decodeBase64(wire) ?? wire;
}

/** @throws {CodecError} a value that is not of its type, or that lies outside of `path`. */
export function encodeJson(path: Path, values: readonly ResourceValue[], types: TypeLookup): Buffer {
  const { base, names } = namesFor(path, values);
  const elements = values.map((item, index) => {
    const name = names[index] ?? '';
    const members = [`"n":"${base === '' ? name.slice(1) : name}"`];
    if (item.value !== null) members.push(writeValue(item.path, item.value, types));
    if (item.timestamp !== undefined) members.push(`"t":${secondsOf(item.timestamp)}`);
    return `{${members.join(',')}}`;
  });
  return Buffer.from(`{"bn":"${base === '' ? '/' : base}","e":[${elements.join(',')}]}`);
}

function writeValue(path: Path, value: Exclude<Value, null>, types: TypeLookup): string {
  const typed = typedValue(path, value, types);
  switch (typed.type) {
    case 'integer':
    case 'unsigned':
    case 'time':
    case 'float':
      return `"v":${typed.value}`;
    case 'boolean':
      return `"bv":${typed.value}`;
    case 'string':
    case 'corelnk':
      return `"sv":${JSON.stringify(typed.value)}`;
    case 'opaque':
      return `"sv":"${typed.value.toString('base64')}"`;
    case 'objlnk':
      return `"ov":"${typed.value}"`;
  }
}
