import { InvalidArgumentError } from '../errors';

/**
 * A path into the LwM2M data model, from root to resource instance (LwM2M Core 1.2 s7.1).
 * An id is present only when all ids left of it are.
 */
export interface Path {
  readonly objectId?: number;
  readonly objectInstanceId?: number;
  readonly resourceId?: number;
  readonly resourceInstanceId?: number;
}

export type PathLevel = 'root' | 'object' | 'object-instance' | 'resource' | 'resource-instance';

export const ROOT: Path = Object.freeze({});

/** 65535 is reserved and never an id of an object instance (LwM2M Core 1.2 s7.1). */
export const MAX_ID = 65534;

const ID = /^(0|[1-9][0-9]{0,4})$/;

/**
 * Reads a numeric path such as `/3/0/1`; `/` is the root.
 * @throws {InvalidArgumentError} not a path: no leading slash, more than four ids, an id that is no number of 0..65534.
 */
export function parsePath(text: string): Path {
  if (text === '/') return ROOT;
  if (!text.startsWith('/')) throw new InvalidArgumentError(`not a path: '${text}' does not start with '/'`);
  const segments = text.slice(1).split('/');
  if (segments.length > 4) throw new InvalidArgumentError(`not a path: '${text}' has more than four ids`);
  return pathOf(
    ...segments.map((segment) => {
      const id = ID.test(segment) ? Number(segment) : NaN;
      if (!(id <= MAX_ID))
        throw new InvalidArgumentError(`not a path: '${segment}' in '${text}' is no id of 0 to ${MAX_ID}`);
      return id;
    }),
  );
}

/** Builds a path from its ids, left to right. */
export function pathOf(...ids: readonly number[]): Path {
  const [objectId, objectInstanceId, resourceId, resourceInstanceId] = ids;
  return { objectId, objectInstanceId, resourceId, resourceInstanceId };
}

/** The ids that are present, left to right. */
export function pathIds(path: Path): number[] {
  const ids: number[] = [];
  for (const id of [path.objectId, path.objectInstanceId, path.resourceId, path.resourceInstanceId]) {
    if (id === undefined) break;
    ids.push(id);
  }
  return ids;
}

/** As text: `/3311/0/5850`; of the root `/`. */
export function formatPath({ objectId, objectInstanceId, resourceId, resourceInstanceId }: Path): string {
  if (objectId === undefined) return '/';
  if (objectInstanceId === undefined) return `/${objectId}`;
  if (resourceId === undefined) return `/${objectId}/${objectInstanceId}`;
  if (resourceInstanceId === undefined) return `/${objectId}/${objectInstanceId}/${resourceId}`;
  return `/${objectId}/${objectInstanceId}/${resourceId}/${resourceInstanceId}`;
}

export function pathLevel(path: Path): PathLevel {
  if (path.objectId === undefined) return 'root';
  if (path.objectInstanceId === undefined) return 'object';
  if (path.resourceId === undefined) return 'object-instance';
  return path.resourceInstanceId === undefined ? 'resource' : 'resource-instance';
}

/** Whether two paths lead to the same place. */
export function pathEquals(a: Path, b: Path): boolean {
  return (
    a.objectId === b.objectId &&
    a.objectInstanceId === b.objectInstanceId &&
    a.resourceId === b.resourceId &&
    a.resourceInstanceId === b.resourceInstanceId
  );
}

/** Whether `inner` is `outer` or lies below it. */
export function pathContains(outer: Path, inner: Path): boolean {
  if (outer.objectId === undefined) return true;
  if (outer.objectId !== inner.objectId) return false;
  if (outer.objectInstanceId === undefined) return true;
  if (outer.objectInstanceId !== inner.objectInstanceId) return false;
  if (outer.resourceId === undefined) return true;
  if (outer.resourceId !== inner.resourceId) return false;
  return outer.resourceInstanceId === undefined || outer.resourceInstanceId === inner.resourceInstanceId;
}
