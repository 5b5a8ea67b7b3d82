import { InvalidArgumentError } from '../errors';
import { MAX_ID } from '../model';

/** Ids from left to right, `*` for any; what is below is meant too, so none at all are all paths. */
export type PathPattern = readonly (number | '*')[];

const ID = /^(0|[1-9][0-9]{0,4})$/;

/**
 * Reads a path such as `/3311/0/5850`, in which `*` may stand in the place of an id.
 * @throws {InvalidArgumentError}
 */
export function parsePathPattern(text: unknown): PathPattern {
  if (typeof text !== 'string' || !text.startsWith('/')) {
    throw new InvalidArgumentError(`a path must be a text such as '/3311/*/5850', not ${shown(text)}`);
  }
  const segments = text === '/' ? [] : text.slice(1).split('/');
  if (segments.length > 4) throw new InvalidArgumentError(`the path '${text}' has more than four ids`);
  const pattern = segments.map((segment) => {
    if (segment === '*') return segment;
    const id = ID.test(segment) ? Number(segment) : NaN;
    if (!(id <= MAX_ID)) {
      throw new InvalidArgumentError(`'${segment}' in the path '${text}' must be '*' or an id of 0 to ${MAX_ID}`);
    }
    return id;
  });
  // All instances are all that is below the object.
  while (pattern.at(-1) === '*') pattern.pop();
  return pattern;
}

/** Whether all that the inner one means, and so all that is below it, lies within the outer one. */
export function covers(outer: PathPattern, inner: PathPattern): boolean {
  return outer.every((segment, index) => index < inner.length && (segment === '*' || segment === inner[index]));
}

export function formatPattern(pattern: PathPattern): string {
  return `/${pattern.join('/')}`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 60)}'` : typeof value;
}
