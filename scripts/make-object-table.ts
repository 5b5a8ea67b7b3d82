/**
 * Makes the built-in object table from a folder of DDF files, such as a checkout of the OMA LwM2M registry:
 *
 *     npm run objects -- ../shared/objects
 *
 * Only facts are taken (ids, names, operations, types, ranges, units, multiplicity, versions), no descriptions.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDdf } from '../src/model/ddf';
import type { ObjectDefinition } from '../src/model/object-definition';
import { formatObjectTable, OBJECT_TABLE_FILE } from '../src/model/object-table';

function makeObjectTable(folder: string): void {
  const files = readdirSync(folder).filter((file) => file.toLowerCase().endsWith('.xml'));
  const definitions = new Map<string, ObjectDefinition>();
  for (const file of files) {
    for (const definition of parseDdf(readFileSync(join(folder, file), 'utf8'), file)) {
      const key = `${definition.id} in version ${definition.version}`;
      if (definitions.has(key)) throw new Error(`${file}: object ${key} is defined by another file, too`);
      definitions.set(key, definition);
    }
  }
  const sorted = [...definitions.values()].sort((a, b) => a.id - b.id || compareVersions(a.version, b.version));
  const table = formatObjectTable(sorted);
  writeFileSync(OBJECT_TABLE_FILE, table);
  console.log(`${sorted.length} definitions of ${files.length} files, ${table.length} bytes: ${OBJECT_TABLE_FILE}`);
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: npm run objects -- <folder of DDF files>');
  process.exitCode = 2;
} else {
  makeObjectTable(folder);
}
