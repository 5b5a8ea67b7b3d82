/**
 * The editor's part of the build. Each node's page is its template with the bundle of its editor.ts inlined, because
 * Node-RED sends one page a node and the Flow Library reads `registerType` from it. What all dialogs share
 * (nodes/shared/editor) is in the page of one node only, and the others call it there: see docs/decisions/0002.
 */
import fs from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

/** The node whose page carries the shared editor code, its style and the icons. */
export const EDITOR_HOME = 'lwm2m-server';

/** The one global name that our pages add to the editor. */
const SHARED_GLOBAL = 'lwm2mEditor';

const INCLUDE = /^[ \t]*<!-- include (\S+) -->[ \t]*\n/gm;

/** All pages, catalogs and help texts, as [file below dist, content]. */
export async function buildEditors(root) {
  const nodes = path.join(root, 'nodes');
  const types = fs
    .readdirSync(nodes)
    .filter((type) => fs.existsSync(path.join(nodes, type, 'editor.ts')))
    .sort();
  const outputs = [];
  if (types.length > 0) {
    const shared = await bundleShared(nodes);
    for (const type of types) outputs.push([path.join('nodes', type, `${type}.html`), await page(nodes, type, shared)]);
  }
  return [...outputs, ...types.flatMap((type) => locales(nodes, type))];
}

async function page(nodes, type, shared) {
  const template = readWithIncludes(path.join(nodes, type, `${type}.html`));
  const script = await bundleNode(path.join(nodes, type, 'editor.ts'), shared.names);
  const parts = [template, `<script type="text/javascript">\n${script}</script>\n`];
  if (type === EDITOR_HOME) {
    parts.unshift(`<style>\n${shared.style}</style>\n`, `<script type="text/javascript">\n${shared.script}</script>\n`);
  }
  return parts.join('');
}

const COMMON = {
  bundle: true,
  write: false,
  target: 'es2020',
  platform: 'browser',
  charset: 'utf8',
  logLevel: 'warning',
};

/** The shared code as one script that sets the global, its style, and the names it exports. */
async function bundleShared(nodes) {
  const home = path.join(nodes, 'shared', 'editor');
  const entryPoints = [path.join(home, 'index.ts')];
  const modules = await build({ ...COMMON, entryPoints, format: 'esm', metafile: true, outfile: 'shared.js' });
  const names = Object.values(modules.metafile.outputs)[0].exports;
  const script = await build({ ...COMMON, entryPoints, format: 'iife', globalName: SHARED_GLOBAL, minify: true });
  const style = await build({ ...COMMON, entryPoints: [path.join(home, 'editor.css')], minify: true });
  return { names, script: script.outputFiles[0].text, style: style.outputFiles[0].text };
}

/** One node's script. Not minified: others read it. Shared functions are looked up when called, in any order of pages. */
async function bundleNode(entry, sharedNames) {
  const shared = {
    name: 'shared-editor',
    setup(bundler) {
      bundler.onResolve({ filter: /\/shared\/editor$/ }, () => ({ path: 'shared', namespace: 'shared-editor' }));
      bundler.onLoad({ filter: /.*/, namespace: 'shared-editor' }, () => ({
        contents: sharedNames
          .map((name) => `export const ${name} = (...args) => window.${SHARED_GLOBAL}.${name}(...args);`)
          .join('\n'),
      }));
    },
  };
  const result = await build({ ...COMMON, entryPoints: [entry], format: 'iife', plugins: [shared] });
  return result.outputFiles[0].text;
}

function locales(nodes, type) {
  const home = path.join(nodes, 'locales');
  return fs.readdirSync(home).flatMap((language) => {
    const target = path.join('nodes', type, 'locales', language);
    const catalog = {
      ...readJson(path.join(home, language, 'common.json')),
      ...readJson(path.join(home, language, `${type}.json`)),
    };
    return [
      [path.join(target, `${type}.json`), JSON.stringify(catalog)],
      [path.join(target, `${type}.html`), readWithIncludes(path.join(home, language, `${type}.html`))],
    ];
  });
}

function readJson(file) {
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
}

/** A page in which each line `<!-- include file -->` is replaced by that file, found beside the page. */
function readWithIncludes(file) {
  return fs
    .readFileSync(file, 'utf8')
    .replace(INCLUDE, (_line, name) => readWithIncludes(path.join(path.dirname(file), name)));
}
