import { InvalidArgumentError } from '../errors';
import { camelCase } from './camel-case';
import { NameIndex, parseId, resourceIdOf, shorten } from './names';
import type { ObjectDefinitions } from './object-definitions';
import { formatPath, parsePath, pathOf, ROOT, type Path } from './path';

const NUMERIC_PATH = /^\/[0-9/]*$/;
const MAX_LENGTH = 1000;

/**
 * Reads a path by ids or by names, in any mix: `/3311/0/5850`, `/Light Control/0/On\/Off`, `lightControl/0/onOff`.
 * A `/`, `,` or `\` within a name has a `\` before it. Names are understood in any case; the leading `/` may be missing.
 * A name that two objects bear, or a resource name that two resources of the object bear, is refused.
 * @throws {InvalidArgumentError} not a path, or a name nobody knows: with the nearest one.
 */
export function resolvePath(text: string, definitions: ObjectDefinitions): Path {
  if (NUMERIC_PATH.test(text)) return parsePath(text);
  const trimmed = text.trim();
  if (trimmed === '') throw new InvalidArgumentError('not a path: it is empty');
  if (trimmed === '/') return ROOT;
  if (trimmed.length > MAX_LENGTH) throw new InvalidArgumentError(`not a path: longer than ${MAX_LENGTH} characters`);
  const segments = splitUnescaped(trimmed.startsWith('/') ? trimmed.slice(1) : trimmed, '/').map(unescape);
  const [object = '', objectInstance, resource, resourceInstance] = segments;
  const objectId = resolveObject(object, text, definitions);
  if (segments.length > 4) {
    throw new InvalidArgumentError(
      `not a path: '${shorten(text)}' has more than four parts (a '/' within a name is written '\\/')`,
    );
  }
  const ids = [objectId];
  if (objectInstance !== undefined) ids.push(resolveInstance(objectInstance, text));
  if (resource !== undefined) ids.push(resourceIdOf(resource, objectId, definitions.versions(objectId)));
  if (resourceInstance !== undefined) ids.push(resolveInstance(resourceInstance, text));
  return pathOf(...ids);
}

/**
 * Reads one or several paths. In a text, commas separate paths, and so do spaces before a `/`: `/3/0/0 /3/0/1`,
 * `/Light Control/0/Dimmer, /Device/0`; every other space may be part of a name. Only when such a piece is no path as it
 * stands are its words tried as paths of their own: `device/0 lightControl/0`. Each item of an array is one path.
 * A path that is named twice is taken once.
 * @throws {InvalidArgumentError} no path at all, or one of them is none.
 */
export function parsePaths(paths: string | readonly string[], definitions: ObjectDefinitions): Path[] {
  const found =
    typeof paths === 'string'
      ? splitUnescaped(paths, ',').flatMap((part) => parsePart(part, definitions))
      : paths.map((path) => resolvePath(requireText(path), definitions));
  if (found.length === 0) throw new InvalidArgumentError('no path is given');
  return [...new Map(found.map((path) => [formatPath(path), path])).values()];
}

function parsePart(part: string, definitions: ObjectDefinitions): Path[] {
  const pieces = part.split(/\s+(?=\/)/).filter((piece) => piece.trim() !== '');
  return pieces.flatMap((piece) => {
    try {
      return [resolvePath(piece, definitions)];
    } catch (error) {
      const words = piece.trim().split(/\s+/);
      if (!(error instanceof InvalidArgumentError) || words.length === 1) throw error;
      return wordsAsPaths(words, definitions) ?? rethrow(error);
    }
  });
}

/** The paths that the words are, or `undefined` when one of them is none. */
function wordsAsPaths(words: readonly string[], definitions: ObjectDefinitions): Path[] | undefined {
  const paths: Path[] = [];
  for (const word of words) {
    try {
      paths.push(resolvePath(word, definitions));
    } catch (error) {
      if (error instanceof InvalidArgumentError) return undefined;
      throw error;
    }
  }
  return paths;
}

function rethrow(error: Error): never {
  throw error;
}

function requireText(path: unknown): string {
  if (typeof path === 'string') return path;
  throw new InvalidArgumentError(`not a path: ${path === null ? 'null' : `a ${typeof path}`} in the array of paths`);
}

interface IndexOfObjects {
  readonly revision: number;
  readonly index: NameIndex<number>;
}

const objectIndexes = new WeakMap<ObjectDefinitions, IndexOfObjects>();

function objectIndex(definitions: ObjectDefinitions): NameIndex<number> {
  const { revision } = definitions;
  let entry = objectIndexes.get(definitions);
  if (entry?.revision !== revision) {
    const things = definitions
      .list()
      .map(({ id, name }) => ({ thing: id, key: camelCase(name) || `object${id}`, name }));
    entry = { revision, index: new NameIndex(things) };
    objectIndexes.set(definitions, entry);
  }
  return entry.index;
}

function resolveObject(segment: string, text: string, definitions: ObjectDefinitions): number {
  const id = parseId(segment);
  if (id !== undefined) return id;
  const index = objectIndex(definitions);
  const found = index.find(segment);
  const [objectId] = found;
  if (objectId === undefined) {
    throw new InvalidArgumentError(
      `no object '${shorten(segment)}' is known, in the path '${shorten(text)}'${index.hint(segment)}`,
    );
  }
  if (found.length > 1) {
    const ids = found.map((candidate) => `/${candidate}`).join(' or ');
    throw new InvalidArgumentError(`several objects are named '${shorten(segment)}': say ${ids}`);
  }
  return objectId;
}

function resolveInstance(segment: string, text: string): number {
  const id = parseId(segment);
  if (id === undefined) {
    throw new InvalidArgumentError(
      `not a path: '${shorten(segment)}' in '${shorten(text)}' is no instance id of 0 to 65534` +
        ` (a '/' within a name is written '\\/')`,
    );
  }
  return id;
}

/** Splits at a separator that no `\` stands before; the escapes stay. */
function splitUnescaped(text: string, separator: '/' | ','): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === separator) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function unescape(segment: string): string {
  return segment.replace(/\\(.)/gs, '$1').trim();
}
