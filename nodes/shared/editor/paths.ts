/** Paths as people type them: `/3311/0/5850`, `/Light Control/0/On\/Off`, several of them separated by spaces or commas. */

const HIGHEST_ID = 65534;

/** The single paths of a text. A name may contain spaces, so a path ends only where the next one begins. */
export function splitPaths(text: string): string[] {
  const trimmed = text.trim();
  return trimmed === '' ? [] : trimmed.split(/(?:\s*,\s*|\s+)(?=\/)/);
}

/** The segments of a path; `\/` is a slash within a name. */
export function pathSegments(path: string): string[] {
  if (path === '/') return [];
  const segments = path.slice(1).match(/(?:\\.|[^/\\])+|(?<=\/|^)(?=\/|$)/g) ?? [''];
  return segments.map((segment) => segment.replace(/\\(.)/g, '$1'));
}

/** What is wrong with one path, as a key of the catalog; `undefined` when nothing is. */
export function pathProblem(path: string): 'slash' | 'long' | 'empty' | 'id' | undefined {
  if (!path.startsWith('/')) return 'slash';
  const segments = pathSegments(path);
  if (segments.length > 4) return 'long';
  if (segments.some((segment) => segment.trim() === '')) return 'empty';
  if (segments.some((segment) => /^[0-9]+$/.test(segment) && Number(segment) > HIGHEST_ID)) return 'id';
  return undefined;
}
