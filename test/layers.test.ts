import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** The import table of ARCHITECTURE.md. Every layer may also import `util` and `errors`; `*` is everything in src. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  errors: [],
  util: ['errors'],
  transport: [],
  // dtls and coap see the interface of transport, never its UDP socket.
  dtls: ['transport/transport'],
  coap: ['transport/transport'],
  model: [],
  content: ['model'],
  server: ['coap', 'content', 'model', 'transport/transport'],
  bootstrap: ['coap', 'content', 'model', 'transport/transport'],
  fleet: ['server', 'model'],
  access: ['server', 'model'],
  store: ['server', 'fleet', 'access', 'model', 'transport/transport'],
  simulator: ['model', 'content'],
  engine: ['*'],
  index: ['*'],
};

/** Packages that only one layer may know. */
const PACKAGE_OWNERS: Record<string, readonly string[]> = {
  coap: ['simulator'],
  'node-dtls-client': ['simulator'],
  'cbor-x': ['simulator'],
  saxes: ['model'],
  'node-red': [],
};

const root = path.resolve(__dirname, '..');

function sourceFiles(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => path.join(folder, name));
}

function importsOf(file: string): string[] {
  return ts
    .preProcessFile(readFileSync(path.join(root, file), 'utf8'), true, true)
    .importedFiles.map((f) => f.fileName);
}

/** `src/coap/message.ts` -> `coap/message`. */
function insideSrc(file: string, specifier: string): string | undefined {
  const target = path.relative('src', path.join(path.dirname(file), specifier));
  return target.startsWith('..') ? undefined : target;
}

function violations(file: string): string[] {
  const [layer = ''] = path.relative('src', file).replace(/\.ts$/, '').split(path.sep);
  const allowed = MAY_IMPORT[layer];
  if (allowed === undefined) return [`${file}: '${layer}' is not in the import table`];
  return importsOf(file).flatMap((specifier) => {
    if (!specifier.startsWith('.')) {
      const owners = PACKAGE_OWNERS[specifier];
      return owners !== undefined && !owners.includes(layer) ? [`${file} imports the package ${specifier}`] : [];
    }
    const target = insideSrc(file, specifier);
    if (target === undefined) return [`${file} imports ${specifier}, outside of src`];
    const legal = [layer, 'util', 'errors', ...allowed].some(
      (name) => name === '*' || target === name || target.startsWith(`${name}/`),
    );
    return legal ? [] : [`${file} imports ${target}`];
  });
}

describe('The layers', () => {
  it('import only what the table allows', () => {
    const files = sourceFiles('src');
    assert.ok(files.length > 20, 'the source folder was not found');
    assert.deepEqual(files.flatMap(violations), []);
  });

  it('let the nodes come in by src/index.ts only, and only for the runtime', () => {
    const wrong = sourceFiles('nodes').flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => path.join(path.dirname(file), specifier))
        .filter((target) => !target.startsWith('nodes') && target !== path.join('src', 'index'))
        .map((target) => `${file} imports ${target}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('keep the library free of Node-RED', () => {
    const wrong = sourceFiles('src').filter((file) => /node-red/i.test(readFileSync(path.join(root, file), 'utf8')));
    assert.deepEqual(wrong, []);
  });
});
