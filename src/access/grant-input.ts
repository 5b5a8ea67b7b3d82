import { InvalidArgumentError } from '../errors';
import { listOf, nameOf, operationsOf, pathsOfInput, propertiesOf } from './access-input';
import type { GrantTarget, StoredGrant } from './store';

const PROPERTIES = ['user', 'target', 'operations', 'paths', 'from', 'until', 'pauses'];
const MAX_PAUSES = 100;
const MAX_TARGET = 4096;
/** The year 10,000: what is later is surely microseconds, or another mistake. */
const MAX_TIME = 253_402_300_800_000;

/** What somebody asks to be granted. */
export type WantedGrant = Pick<StoredGrant, 'user' | 'target' | 'operations' | 'paths' | 'from' | 'until' | 'pauses'>;

/**
 * Reads what `lwm2m-grant` takes: `{ user, target, operations, paths, from, until, pauses }`.
 * @param now ms since 1970
 * @throws {InvalidArgumentError}
 */
export function readGrant(input: unknown, now: number): WantedGrant {
  const given = propertiesOf(input, 'a grant', PROPERTIES);
  const user = nameOf(given['user'], 'the user of a grant');
  if (user === '*') throw new InvalidArgumentError('a grant is for one user; what everybody may do is a role');
  const operations = operationsOf(given['operations'], 'operations');
  const paths = pathsOfInput(given['paths'], 'paths') === undefined ? undefined : texts(given['paths'], 'paths');
  const from = timeOf(given['from'], 'from') ?? now;
  const until = timeOf(given['until'], 'until');
  if (until !== undefined && until <= from) throw new InvalidArgumentError('until must be after from');
  if (until !== undefined && until <= now) throw new InvalidArgumentError('until is past: the grant would be over');
  return {
    user,
    target: readGrantTarget(given['target']),
    operations: operations === '*' ? ['*'] : [...operations],
    ...(paths === undefined ? {} : { paths }),
    from,
    ...(until === undefined ? {} : { until }),
    pauses: pausesOf(given['pauses'], user),
  };
}

/** An endpoint, `{ endpoint }`, `{ group }` or `{ selector }`. @throws {InvalidArgumentError} */
export function readGrantTarget(value: unknown): GrantTarget {
  if (isText(value)) return { endpoint: value };
  if (typeof value === 'object' && value !== null) {
    const [[kind, text] = [], ...others] = Object.entries(value);
    if (others.length === 0 && isText(text)) {
      if (kind === 'endpoint') return { endpoint: text };
      if (kind === 'group') return { group: text };
      if (kind === 'selector') return { selector: text };
    }
  }
  throw new InvalidArgumentError('target must be an endpoint, { group } or { selector }');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_TARGET;
}

export function isSameTarget(one: GrantTarget, other: GrantTarget): boolean {
  return JSON.stringify(readGrantTarget(one)) === JSON.stringify(readGrantTarget(other));
}

function pausesOf(value: unknown, user: string): readonly string[] {
  if (value === undefined || value === null || value === '') return [];
  const names = new Set(
    (Array.isArray(value) ? value : [value]).map((name: unknown) => nameOf(name, 'a user of pauses')),
  );
  if (names.size > MAX_PAUSES) throw new InvalidArgumentError(`pauses has more than ${MAX_PAUSES} users`);
  if (names.has(user)) throw new InvalidArgumentError(`a grant for ${user} cannot pause the rights of ${user}`);
  return [...names];
}

/** Date and time, with the zone or in the server's own; a day alone is its beginning. */
const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?$/;

/**
 * A time as ISO 8601, as ms since 1970 or as a Date; `undefined` when there is none.
 * @throws {InvalidArgumentError}
 */
export function timeOf(value: unknown, what: string): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const at = value instanceof Date ? value.getTime() : typeof value === 'string' ? timeOfText(value) : value;
  if (typeof at !== 'number' || !Number.isFinite(at) || at < 0 || at > MAX_TIME) {
    throw new InvalidArgumentError(
      `${what} must be a time such as '2026-07-03T18:00:00+02:00', or milliseconds since 1970`,
    );
  }
  return Math.round(at);
}

function timeOfText(text: string): number {
  if (!ISO.test(text)) return NaN;
  // A day alone would be that of UTC.
  const parsed = Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'));
  // The 31st of a month that has 30 days is no other day.
  return Number(text.slice(8, 10)) > daysIn(Number(text.slice(0, 4)), Number(text.slice(5, 7))) ? NaN : parsed;
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function texts(value: unknown, what: string): readonly string[] {
  return listOf(value, what).map(String);
}
