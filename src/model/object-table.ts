import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { camelCase, camelCaseKeys } from './camel-case';
import type { ObjectDefinition, ResourceOperations } from './object-definition';
import type { ResourceType } from './resource-value';

/**
 * The built-in table: one JSON array with a row an object on a line of its own, so that an object is parsed when it is
 * first asked for, and so that a change of one object is one line of a diff. Written by scripts/make-object-table.ts.
 */
export const OBJECT_TABLE_FILE = join(__dirname, 'object-table.json');

type ObjectRow = [
  id: number,
  version: string,
  name: string,
  lwm2mVersion: string,
  urn: string,
  flags: number,
  resources: ResourceRow[],
];
type ResourceRow = [
  id: number,
  name: string,
  operations: ResourceOperations,
  type: ResourceType,
  flags: number,
  range?: string,
  units?: string,
];

const MULTIPLE = 1;
const MANDATORY = 2;
const ROW_HEAD = /^\[([0-9]+),"([0-9.]+)",("(?:[^"\\]|\\.)*")/;

/** An object of the table that has not been parsed yet. */
export interface ObjectTableEntry {
  readonly id: number;
  readonly version: string;
  name(): string;
  definition(): ObjectDefinition;
}

/** Reads which objects the table has; each is parsed only when asked for. */
export function readObjectTable(file = OBJECT_TABLE_FILE): ObjectTableEntry[] {
  const lines = readFileSync(file, 'latin1').split('\n');
  return lines.filter((line) => line.startsWith('[') && line.length > 1).map(tableEntry);
}

function tableEntry(line: string): ObjectTableEntry {
  const head = ROW_HEAD.exec(line);
  const [, id = '', version = '', name = '""'] = head ?? [];
  if (head === null) throw new Error(`not a row of the object table: ${line.slice(0, 60)}`);
  let definition: ObjectDefinition | undefined;
  return {
    id: Number(id),
    version,
    name: () => definition?.name ?? (JSON.parse(name) as string),
    definition: () => (definition ??= parseRow(line)),
  };
}

function parseRow(line: string): ObjectDefinition {
  const row = JSON.parse(line.endsWith(',') ? line.slice(0, -1) : line) as ObjectRow;
  const [id, version, name, lwm2mVersion, urn, flags, resources] = row;
  const camelNames = camelCaseKeys(new Map(resources.map((resource) => [resource[0], resource[1]])), 'resource');
  return {
    id,
    version,
    lwm2mVersion,
    name,
    camelName: camelCase(name) || `object${id}`,
    urn,
    multiple: (flags & MULTIPLE) !== 0,
    mandatory: (flags & MANDATORY) !== 0,
    resources: new Map(
      resources.map(([resourceId, resourceName, operations, type, resourceFlags, range = '', units = '']) => [
        resourceId,
        {
          id: resourceId,
          name: resourceName,
          camelName: camelNames.get(resourceId) ?? '',
          operations,
          multiple: (resourceFlags & MULTIPLE) !== 0,
          mandatory: (resourceFlags & MANDATORY) !== 0,
          type,
          range,
          units,
        },
      ]),
    ),
  };
}

/** The text of the table. It is ASCII, so that it is kept in memory at one byte a character. */
export function formatObjectTable(definitions: readonly ObjectDefinition[]): string {
  const rows = definitions.map((definition) => JSON.stringify(objectRow(definition)));
  return `[\n${rows.join(',\n')}\n]\n`.replace(
    /[^\0-~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function objectRow(definition: ObjectDefinition): ObjectRow {
  const { id, version, name, lwm2mVersion, urn } = definition;
  const resources = [...definition.resources.values()].map((resource): ResourceRow => {
    const { id: resourceId, name: resourceName, operations, type, range, units } = resource;
    const row: ResourceRow = [resourceId, resourceName, operations, type, flagsOf(resource)];
    if (units !== '') row.push(range, units);
    else if (range !== '') row.push(range);
    return row;
  });
  return [id, version, name, lwm2mVersion, urn, flagsOf(definition), resources];
}

function flagsOf({ multiple, mandatory }: { multiple: boolean; mandatory: boolean }): number {
  return (multiple ? MULTIPLE : 0) | (mandatory ? MANDATORY : 0);
}
