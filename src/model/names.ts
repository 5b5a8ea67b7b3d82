import { InvalidArgumentError } from '../errors';
import { camelCase } from './camel-case';
import type { ObjectDefinition, ResourceDefinition } from './object-definition';
import { MAX_ID } from './path';

const ID = /^(0|[1-9][0-9]{0,4})$/;

/** What a text names, or `undefined` when it is no id of 0..65534. */
export function parseId(text: string): number | undefined {
  if (!ID.test(text)) return undefined;
  const id = Number(text);
  return id <= MAX_ID ? id : undefined;
}

/**
 * Names by which things are found: first exactly, then in any case. A key like `onOff` goes before a name like `On/Off`,
 * so that it always finds what it was made for.
 */
export class NameIndex<T> {
  readonly #exact = new Map<string, T[]>();
  readonly #anyCase = new Map<string, T[]>();
  readonly #names: string[] = [];

  constructor(things: Iterable<{ readonly thing: T; readonly key: string; readonly name: string }>) {
    const all = [...things];
    for (const { thing, key } of all) this.#put(this.#exact, key, thing);
    const keys = new Set(this.#exact.keys());
    for (const { thing, key, name } of all) {
      if (!keys.has(name)) this.#put(this.#exact, name, thing);
      this.#put(this.#anyCase, key.toLowerCase(), thing);
      this.#put(this.#anyCase, name.toLowerCase(), thing);
      this.#names.push(name);
    }
  }

  /** Everything that bears the name; more than one is for the caller to judge. */
  find(text: string): readonly T[] {
    return this.#exact.get(text) ?? this.#anyCase.get(text.toLowerCase()) ?? [];
  }

  /** ` (did you mean 'On/Off'?)`, or nothing when no name is near. */
  hint(text: string): string {
    const near = nearestName(text, this.#names);
    return near === undefined ? '' : ` (did you mean '${near}'?)`;
  }

  #put(map: Map<string, T[]>, name: string, thing: T): void {
    const found = map.get(name);
    if (found === undefined) map.set(name, [thing]);
    else if (!found.includes(thing)) found.push(thing);
  }
}

const resourceIndexes = new WeakMap<ObjectDefinition, NameIndex<ResourceDefinition>>();

function resourceIndex(definition: ObjectDefinition): NameIndex<ResourceDefinition> {
  let index = resourceIndexes.get(definition);
  if (index === undefined) {
    const resources = [...definition.resources.values()];
    index = new NameIndex(resources.map((thing) => ({ thing, key: thing.camelName, name: thing.name })));
    resourceIndexes.set(definition, index);
  }
  return index;
}

/**
 * The id of a resource from its id, key (`onOff`) or name (`On/Off`, in any case). An id needs no definition.
 * @param definitions of the object, in the versions to look in, one after the other
 * @throws {InvalidArgumentError} no resource, or several, of the object bear the name.
 */
export function resourceIdOf(text: string, objectId: number, definitions: readonly ObjectDefinition[]): number {
  const id = parseId(text);
  if (id !== undefined) return id;
  const [newest] = definitions;
  if (newest === undefined) {
    throw new InvalidArgumentError(
      `no definition of object ${objectId} says which resource '${shorten(text)}' is: use its id, or add the object's DDF file`,
    );
  }
  const [found, another] = definitions.map((version) => resourceIndex(version).find(text)).find(isFilled) ?? [];
  const object = `${newest.name} (/${objectId})`;
  if (found === undefined) {
    throw new InvalidArgumentError(`${object} has no resource '${shorten(text)}'${resourceIndex(newest).hint(text)}`);
  }
  if (another !== undefined) {
    throw new InvalidArgumentError(
      `several resources of ${object} are named '${shorten(text)}': say ${found.camelName} or ${another.camelName}`,
    );
  }
  return found.id;
}

function isFilled(found: readonly unknown[]): boolean {
  return found.length > 0;
}

/** The name most like a text, by the edits between their keys; `undefined` when none is near. */
export function nearestName(text: string, names: Iterable<string>): string | undefined {
  const wanted = comparable(text);
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(wanted, comparable(name), least);
    if (distance < least) [nearest, least] = [name, distance];
  }
  return nearest;
}

/** A text of a flow within an error text. */
export function shorten(text: string, maxLength = 60): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}...`;
}

function comparable(name: string): string {
  return camelCase(name.slice(0, 100)).toLowerCase();
}

/** The Levenshtein distance, or `limit` when it is not below that. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitution, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return Math.min(limit, previous[b.length] ?? limit);
}
