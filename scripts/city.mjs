/** The example city: the examples with a page, as one flow. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const pages = path.join(root, 'examples', 'dashboard');

/** The nodes of the pages' Dashboard: no dependency of this package, only of its examples. */
export const DASHBOARD = path.join(root, 'node_modules', '@flowfuse', 'node-red-dashboard');

/** What pages there are: `street-lights` and so on. */
export function pageNames() {
  return fs.readdirSync(pages).flatMap((file) => /^(.+)\.json$/.exec(file)?.[1] ?? []);
}

/** The flow of these pages; what they share (the server, who may do what, the dashboard) is in it once. */
export function cityOf(names = pageNames()) {
  const nodes = names.flatMap((name) => JSON.parse(fs.readFileSync(path.join(pages, `${name}.json`), 'utf8')));
  return [...new Map(nodes.map((node) => [node.id, node])).values()];
}
