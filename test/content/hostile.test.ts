import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { CodecError } from '../../src/errors';
import {
  contentFormatId,
  decodeContent,
  decodePaths,
  encodeContent,
  parseDiscovery,
  parseLinks,
  type ContentFormatName,
} from '../../src/content';
import { parsePath, type Path, type ResourceValue } from '../../src/model';
import { LEVELS, TYPED, hex, requestPath } from './support/values';

const CORPUS = join(__dirname, '../corpus');

const FORMATS: ContentFormatName[] = [
  'text',
  'link-format',
  'opaque',
  'cbor',
  'senml-json',
  'senml-cbor',
  'senml-etch-json',
  'senml-etch-cbor',
  'tlv',
  'json',
  'lwm2m-cbor',
];
const PATHS = ['/', '/3', '/3/0', '/3/0/6', '/3/0/6/1'].map(parsePath);

interface CorpusFile {
  name: string;
  format: ContentFormatName;
  path: Path;
  outcome: string;
  payload: Buffer;
}

/** A file says in comments what is wrong with it, the path of its request, and whether it decodes or is refused. */
function readCorpus(): CorpusFile[] {
  return FORMATS.filter((format) => !format.includes('etch')).flatMap((format) =>
    readdirSync(join(CORPUS, format)).map((file) => {
      const text = readFileSync(join(CORPUS, format, file), 'utf8');
      const [, path, outcome] = text.split('\n').map((line) => line.replace(/^# (path: )?/, ''));
      const payload = hex(text.replace(/^#.*$/gm, ''));
      return { name: `${format}/${file}`, format, path: parsePath(path ?? ''), outcome: outcome ?? '', payload };
    }),
  );
}

/** Fails on anything but values or a CodecError. */
function survives(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
  }
}

function survivesEverywhere(payload: Buffer): void {
  for (const format of FORMATS.map(contentFormatId)) {
    for (const path of PATHS) survives(() => decodeContent(format, path, payload, TYPED));
    survives(() => decodePaths(format, payload));
  }
  survives(() => parseLinks(payload));
  survives(() => parseDiscovery(payload, '/'));
}

describe('the corpus of hostile and odd payloads', () => {
  const corpus = readCorpus();

  for (const { name, format, path, outcome, payload } of corpus) {
    it(`${name} ${outcome}`, () => {
      const decode = (): ResourceValue[] => decodeContent(contentFormatId(format), path, payload, TYPED);
      if (outcome === 'decodes') decode();
      else assert.throws(decode, CodecError);
      assert.ok(outcome === 'decodes' || outcome === 'refused');
    });
  }

  it('harms no other decoder either', () => {
    for (const { payload } of corpus) survivesEverywhere(payload);
  });
});

describe('hostile bytes', () => {
  it('decode or are refused with a CodecError, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => survivesEverywhere(Buffer.from(bytes))),
      { numRuns: 500 },
    );
  });

  /** Changes that a payload meets on its way: a byte turned, put in, taken out, the end cut off. */
  const changes = fc.array(
    fc.record({ kind: fc.constantFrom('turn', 'insert', 'remove', 'cut'), at: fc.nat(1000), byte: fc.nat(255) }),
    { minLength: 1, maxLength: 4 },
  );

  // Opaque bytes cannot be damaged, and links have a property of their own.
  for (const format of FORMATS.filter((name) => name !== 'opaque' && name !== 'link-format')) {
    it(`${format}: a payload that was damaged`, () => {
      const [level, { values }] = Object.entries(LEVELS)[isSingle(format) ? 0 : 3] ?? assert.fail();
      fc.assert(
        fc.property(values, changes, (drawn, damage) => {
          const path = requestPath(level, drawn);
          const id = contentFormatId(format);
          const payload = damage.reduce(damaged, encodeContent(id, path, drawn, TYPED));
          survives(() => decodeContent(id, path, payload, TYPED));
        }),
        { numRuns: 300 },
      );
    });
  }

  function isSingle(format: ContentFormatName): boolean {
    return format === 'text' || format === 'cbor';
  }

  function damaged(payload: Buffer, change: { kind: string; at: number; byte: number }): Buffer {
    const at = payload.length === 0 ? 0 : change.at % payload.length;
    const [before, after] = [payload.subarray(0, at), payload.subarray(at)];
    switch (change.kind) {
      case 'turn':
        return Buffer.concat([before, Buffer.of(change.byte), after.subarray(1)]);
      case 'insert':
        return Buffer.concat([before, Buffer.of(change.byte), after]);
      case 'remove':
        return Buffer.concat([before, after.subarray(1)]);
      default:
        return Buffer.from(before);
    }
  }
});
