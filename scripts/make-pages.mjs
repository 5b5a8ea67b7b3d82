/**
 * `npm run pages`: makes the examples with a Dashboard page, examples/dashboard/<name>.json, of what lies in
 * scripts/example-pages: <name>.flow.json is the tab, shared.json what all of them share (the server, who may do what, the
 * dashboard), and a template's `format` of "file:<name>" is the content of that file. `--check` only says what differs.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const sources = path.join(root, 'scripts', 'example-pages');
const target = path.join(root, 'examples', 'dashboard');

const read = (name) => fs.readFileSync(path.join(sources, name), 'utf8');

function embedded(node) {
  const [, file] = /^file:(.+)$/.exec(node.format ?? '') ?? [];
  return file === undefined ? node : { ...node, format: read(file).trimEnd() };
}

export function makePages() {
  const shared = JSON.parse(read('shared.json'));
  const names = fs.readdirSync(sources).flatMap((file) => /^(.+)\.flow\.json$/.exec(file)?.[1] ?? []);
  return new Map(
    names.map((name) => {
      const [tab, ...nodes] = JSON.parse(read(`${name}.flow.json`)).map(embedded);
      return [`${name}.json`, `${JSON.stringify([tab, ...shared, ...nodes], null, 2)}\n`];
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const differing = [];
  fs.mkdirSync(target, { recursive: true });
  for (const [name, text] of makePages()) {
    const file = path.join(target, name);
    if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text) continue;
    differing.push(name);
    if (!process.argv.includes('--check')) fs.writeFileSync(file, text);
  }
  if (differing.length > 0 && process.argv.includes('--check')) {
    console.error(`not as scripts/example-pages says, run 'npm run pages': ${differing.join(', ')}`);
    process.exit(1);
  }
}
