/**
 * Builds dist/: the runtime by `tsc`, the editor's dialogs by esbuild, icons, catalogs and tables by copying.
 * Does nothing when nothing has changed since the last good build; `--force` builds all the same.
 *
 *   dist/nodes/<type>/<type>.js             one module a source file, from nodes/<type>/<type>.ts
 *   dist/nodes/<type>/<type>.html           nodes/<type>/<type>.html and the bundle of nodes/<type>/editor.ts
 *   dist/nodes/<type>/locales/<language>/   the node's catalog and help, with what all nodes share merged in
 *   dist/nodes/lwm2m-server/icons/          icons of all nodes
 *
 * Runs on the Node.js that a bare machine has (20), because `npm ci` may run it before the project's own is in PATH.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildEditors, EDITOR_HOME } from './build-editor.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const dist = path.join(root, 'dist');
// Beside what is built, not in it: dist/ is published.
const cache = path.join(root, 'node_modules', '.cache', 'build');
const stampFile = path.join(cache, 'stamp.json');
const buildInfo = path.join(cache, 'tsbuildinfo');
const require = createRequire(import.meta.url);

const INPUTS = ['src', 'nodes', 'bin', 'icons', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];

/** All files below a file or directory, relative to the root, sorted. */
function filesBelow(relative) {
  const absolute = path.join(root, relative);
  if (!fs.existsSync(absolute)) return [];
  if (!fs.statSync(absolute).isDirectory()) return [relative];
  return fs
    .readdirSync(absolute)
    .sort()
    .flatMap((name) => filesBelow(path.join(relative, name)));
}

function stampOf(inputs) {
  return inputs
    .map((file) => {
      const { size, mtimeMs } = fs.statSync(path.join(root, file));
      return `${file} ${size} ${mtimeMs}`;
    })
    .join('\n');
}

function write(file, content, written) {
  const target = path.join(dist, file);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, content);
  written.add(file);
}

function compile(inputs, written) {
  const outputs = inputs
    .filter((file) => /^(src|nodes|bin)\/.*(?<!\.d)\.ts$/.test(file) && !isEditorSource(file))
    .flatMap((file) => ['.js', '.js.map', '.d.ts'].map((extension) => file.replace(/\.ts$/, extension)));
  // tsc believes its own notes and would not bring back an output that somebody has removed.
  if (outputs.some((file) => !fs.existsSync(path.join(dist, file)))) fs.rmSync(buildInfo, { force: true });
  const tsc = require.resolve('typescript/bin/tsc');
  const options = ['-p', 'tsconfig.build.json', '--incremental', '--tsBuildInfoFile', buildInfo];
  const { status } = spawnSync(process.execPath, [tsc, ...options], { cwd: root, stdio: 'inherit' });
  for (const file of outputs) written.add(file);
  return status === 0;
}

function isEditorSource(file) {
  return file.startsWith(path.join('nodes', 'shared', 'editor')) || path.basename(file) === 'editor.ts';
}

function copyData(inputs, written) {
  for (const file of inputs.filter((name) => name.startsWith('src/') && name.endsWith('.json'))) {
    write(file, fs.readFileSync(path.join(root, file)), written);
  }
  for (const file of inputs.filter((name) => name.startsWith('icons/') && name.endsWith('.svg'))) {
    write(path.join('nodes', EDITOR_HOME, file), fs.readFileSync(path.join(root, file)), written);
  }
}

/** Programs of package.json's `bin` must be executable; tsc writes them as plain files. */
function markExecutable(written) {
  const { bin = {} } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const file of Object.values(bin)) {
    if (written.has(path.relative('dist', file))) fs.chmodSync(path.join(root, file), 0o755);
  }
}

/** What an earlier build left of sources that are gone would still be found by `require`. */
function removeLeftovers(written) {
  for (const file of filesBelow('dist').map((name) => path.relative('dist', name))) {
    if (!written.has(file)) fs.rmSync(path.join(dist, file));
  }
}

/** Whether nothing has changed since the last good build, neither what went in nor what came out. */
function isFresh(stamp) {
  if (!fs.existsSync(stampFile)) return false;
  const last = JSON.parse(fs.readFileSync(stampFile, 'utf8'));
  return last.stamp === stamp && last.written.every((file) => fs.existsSync(path.join(dist, file)));
}

const inputs = INPUTS.flatMap(filesBelow);
const stamp = stampOf(inputs);
if (isFresh(stamp) && !process.argv.includes('--force')) process.exit(0);

fs.mkdirSync(cache, { recursive: true });
fs.rmSync(stampFile, { force: true });
const written = new Set();
const compiled = compile(inputs, written);
for (const [file, content] of await buildEditors(root)) write(file, content, written);
copyData(inputs, written);
markExecutable(written);
removeLeftovers(written);
if (compiled) fs.writeFileSync(stampFile, JSON.stringify({ stamp, written: [...written] }));
else process.exitCode = 1;
