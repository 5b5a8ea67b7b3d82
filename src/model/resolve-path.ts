import type { ObjectDefinitions } from './object-definitions';
import type { Path } from './path';

export function resolvePath(_text: string, _definitions: ObjectDefinitions): Path {
  throw new Error('being written');
}
export function parsePaths(_paths: string | readonly string[], _definitions: ObjectDefinitions): Path[] {
  throw new Error('being written');
}
