import { contentFormatId, decodeContent, encodeContent, type ContentFormatName, type TypeLookup } from '../src/content';
import { parsePath, pathOf, type ResourceType, type ResourceValue, type Value } from '../src/model';
import { CodecError } from '../src/errors';
import { HOSTILE_INPUTS } from './hostile-inputs';
import type { Row } from './rows';

const FORMATS: readonly ContentFormatName[] = ['tlv', 'senml-cbor', 'lwm2m-cbor', 'senml-json', 'json'];
const TYPES: readonly ResourceType[] = [
  'string',
  'integer',
  'float',
  'boolean',
  'opaque',
  'time',
  'unsigned',
  'objlnk',
];
const RESOURCES = 40;
const REPEATS = 20_000;
const MAX_HOSTILE_MS = 20;

const instance = pathOf(3300, 0);
const types: TypeLookup = { typeOf: ({ resourceId = 0 }) => TYPES[resourceId % TYPES.length], isMultiple: () => false };

/** Forty resources, five of each type. */
function instanceValues(): ResourceValue[] {
  const valueOf = (id: number): Value => {
    switch (TYPES[id % TYPES.length]) {
      case 'integer':
        return -1000 * id;
      case 'float':
        return 21.37 + id;
      case 'boolean':
        return true;
      case 'opaque':
        return Buffer.alloc(12, id);
      case 'time':
        return new Date(1_700_000_000_000 + 1000 * id);
      case 'unsigned':
        return 4_000_000_000 + id;
      case 'objlnk':
        return `3:${id}`;
      default:
        return `Open Mobile Alliance ${id}`;
    }
  };
  return Array.from({ length: RESOURCES }, (_unused, id) => ({ path: pathOf(3300, 0, id), value: valueOf(id) }));
}

/** CPU microseconds of one call, after a warm-up. */
function microseconds(call: () => unknown): number {
  for (let n = 0; n < REPEATS / 4; n++) call();
  const before = process.cpuUsage();
  for (let n = 0; n < REPEATS; n++) call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / REPEATS;
}

/** The same forty values as `JSON.stringify` writes them, opaque ones in base64: the yardstick. */
function plainJson(values: readonly ResourceValue[]): { object: object; text: string } {
  const plain = (value: Value) => (Buffer.isBuffer(value) ? value.toString('base64') : value);
  const object: Record<string, unknown> = Object.fromEntries<unknown>(
    values.map(({ path, value }): [string, unknown] => [String(path.resourceId), plain(value)]),
  );
  return { object, text: JSON.stringify(object) };
}

/** Encoding and decoding of an instance of 40 resources: MB/s, and how fast that is against JSON of the same content. */
export function measureCodecs(): Row[] {
  const values = instanceValues();
  const { object, text } = plainJson(values);
  const stringify = microseconds(() => JSON.stringify(object));
  const parse = microseconds(() => JSON.parse(text) as unknown);
  return FORMATS.map((name) => {
    const format = contentFormatId(name);
    const bytes = encodeContent(format, instance, values, types);
    const encode = microseconds(() => encodeContent(format, instance, values, types));
    const decode = microseconds(() => decodeContent(format, instance, bytes, types));
    const speed = (time: number, yardstick: number) =>
      `${(bytes.length / time).toFixed(0)} MB/s (${(yardstick / time).toFixed(2)} x JSON)`;
    return {
      what: `${name}, 40 resources in ${bytes.length} B: encode, decode`,
      measured: `${speed(encode, stringify)}, ${speed(decode, parse)}`,
    };
  });
}

/** The slowest of all hostile inputs in all decoders, at paths of each level. */
export function measureHostileInputs(): Row[] {
  const formats = [...FORMATS, 'text', 'cbor', 'link-format', 'senml-etch-json', 'senml-etch-cbor'] as const;
  const paths = ['/', '/3', '/3/0', '/3/0/9', '/3/0/9/1'].map(parsePath);
  let slowest = { ms: 0, what: '' };
  for (const [input, bytes] of HOSTILE_INPUTS) {
    for (const name of formats) {
      for (const path of paths) {
        const ms = fastestOfThree(() => decodeContent(contentFormatId(name), path, bytes, types, { now: 1 }));
        if (ms > slowest.ms) slowest = { ms, what: `${input} as ${name}` };
      }
    }
  }
  return [
    {
      what: `the slowest of ${HOSTILE_INPUTS.size} hostile inputs of 64 KiB (${slowest.what})`,
      measured: `${slowest.ms.toFixed(1)} ms`,
      goal: `< ${MAX_HOSTILE_MS} ms`,
      reached: slowest.ms < MAX_HOSTILE_MS,
    },
  ];
}

function fastestOfThree(decode: () => unknown): number {
  let fastest = Infinity;
  for (let n = 0; n < 3; n++) {
    const began = performance.now();
    try {
      decode();
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
    }
    fastest = Math.min(fastest, performance.now() - began);
  }
  return fastest;
}
