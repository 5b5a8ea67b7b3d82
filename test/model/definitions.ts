import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectDefinition } from '../../src/model/object-definition';
import { parseDdf } from '../../src/model/ddf';

/** The text of a DDF file of our own making. */
export function ddfText(file: string): string {
  return readFileSync(join(__dirname, 'ddf', file), 'utf8');
}

function onlyOne(definitions: readonly ObjectDefinition[]): ObjectDefinition {
  const [definition] = definitions;
  if (definition === undefined || definitions.length > 1) throw new Error('not one definition');
  return definition;
}

/** Object 64001 has a resource of every type, two of them multiple, and two that bear the same name. */
export const greenhouse = onlyOne(parseDdf(ddfText('64001.xml'), '64001.xml'));

export function definitionOf(objectId: number): ObjectDefinition | undefined {
  return objectId === greenhouse.id ? greenhouse : undefined;
}
