import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDdf } from '../../src/model/ddf';
import { ObjectDefinitions } from '../../src/model/object-definitions';
import { formatObjectTable, OBJECT_TABLE_FILE, readObjectTable } from '../../src/model/object-table';
import { ddfText, greenhouse } from './definitions';

const REGISTRY = join(__dirname, '../../../shared/objects');

describe('the object table', () => {
  it('gives back every definition it was made of', () => {
    const odd = { ...greenhouse, version: '2.1', name: 'Gew\u00e4chshaus "\u03a9"\\', camelName: 'gewachshaus\u03a9' };
    const definitions = [odd, greenhouse, ...parseDdf(ddfText('64002.xml'), '64002.xml')];
    const folder = mkdtempSync(join(tmpdir(), 'lwm2m-table-'));
    try {
      const file = join(folder, 'table.json');
      writeFileSync(file, formatObjectTable(definitions));
      const entries = readObjectTable(file);
      assert.deepEqual(
        entries.map((entry) => [entry.id, entry.version, entry.name()]),
        definitions.map(({ id, version, name }) => [id, version, name]),
      );
      assert.deepEqual(
        entries.map((entry) => entry.definition()),
        definitions,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is ASCII and JSON, with a line an object', () => {
    const text = readFileSync(OBJECT_TABLE_FILE, 'utf8');
    assert.match(text, /^[\n -~]*$/);
    const rows = JSON.parse(text) as unknown[];
    assert.equal(text.split('\n').length, rows.length + 3);
  });

  it('is below 400 KB and has no descriptions', () => {
    const text = readFileSync(OBJECT_TABLE_FILE, 'utf8');
    assert.ok(text.length < 400_000);
    const longest = Math.max(...[...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, string = '']) => string.length));
    assert.ok(longest <= 80, `a text of ${longest} characters`);
  });

  it('holds every definition of the OMA registry as the DDF reader reads it', function () {
    if (!existsSync(REGISTRY)) {
      if (this.test !== undefined) this.test.title += ` (skipped: no ${REGISTRY})`;
      this.skip();
    }
    const files = readdirSync(REGISTRY).filter((file) => file.endsWith('.xml'));
    const read = files.flatMap((file) => parseDdf(readFileSync(join(REGISTRY, file), 'utf8'), file));
    assert.equal(files.length, 327);
    const builtIn = ObjectDefinitions.builtIn();
    for (const definition of read) assert.deepEqual(builtIn.get(definition.id, definition.version), definition);
    assert.equal(builtIn.list().length, read.length);
  });
});
