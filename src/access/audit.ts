import { InvalidArgumentError, StoreError } from '../errors';
import type { Clock } from '../util/clock';
import { describeError, type Log } from '../util/log';
import { nameOf, propertiesOf } from './access-input';
import { timeOf } from './grant-input';
import type { AuditEntry, AuditQuery, AuditStore } from './store';

/** An entry of the audit trail, as `lwm2m-audit` sends it. */
export type AuditView = AuditEntry & { readonly number: number };

export interface AuditContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: AuditStore;
}

const OUTCOMES: readonly AuditEntry['outcome'][] = ['succeeded', 'failed', 'denied', 'expired', 'cancelled'];
const PROPERTIES = ['from', 'to', 'user', 'endpoint', 'operation', 'outcome', 'before', 'limit'];
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;
const MAX_PATHS = 20;
/** Whoever is denied chose the words of his order, and must not fill the trail with them. */
const MAX_TEXT = 255;
/** So many entries may be on their way to the store; then it has stopped taking them. */
const MAX_UNDER_WAY = 100_000;
/** A store in trouble is complained of once in this time, ms. */
const COMPLAINT_INTERVAL = 60_000;

/** Who did what. Nobody waits for an entry to be written; one that cannot be written is said in the log. */
export class Audit {
  readonly #context: AuditContext;
  #underWay = 0;
  #lost = 0;
  #complainedAt = -Infinity;

  constructor(context: AuditContext) {
    this.#context = context;
  }

  /** Adds what happened now. Never a value, a key or an argument. */
  record(entry: Omit<AuditEntry, 'at'>): void {
    const { clock, store } = this.#context;
    if (this.#underWay >= MAX_UNDER_WAY) {
      this.#fail('the store does not take them');
      return;
    }
    try {
      const written = store.append(bounded(entry, clock.now()));
      if (!(written instanceof Promise)) return;
      this.#underWay += 1;
      written
        .catch((error: unknown) => this.#fail(reasonOf(error)))
        .finally(() => {
          this.#underWay -= 1;
        });
    } catch (error) {
      this.#fail(reasonOf(error));
    }
  }

  /**
   * Entries, newest first: `{ from, to, user, endpoint, operation, outcome, before, limit }`, all optional; times as
   * ISO 8601 or ms since 1970, 100 entries unless told otherwise, at most 10,000.
   * Rejects with `InvalidArgumentError` or `StoreError`.
   */
  async query(input: unknown = {}): Promise<readonly AuditView[]> {
    return await this.#context.store.query(readQuery(input));
  }

  #fail(reason: string): void {
    const { clock, log } = this.#context;
    this.#lost += 1;
    if (clock.monotonic() - this.#complainedAt < COMPLAINT_INTERVAL) return;
    this.#complainedAt = clock.monotonic();
    log.error(`the audit trail lacks ${this.#lost} ${this.#lost === 1 ? 'entry' : 'entries'}: ${reason}`);
    this.#lost = 0;
  }
}

/** Of each operation on each device there is one: it is copied once. */
function bounded(entry: Omit<AuditEntry, 'at'>, at: number): AuditEntry {
  const { user, endpoint, paths } = entry;
  const shown = paths.slice(0, MAX_PATHS).map(clipped);
  if (paths.length > MAX_PATHS) shown.push('...');
  const own: { -readonly [Name in keyof AuditEntry]: AuditEntry[Name] } = { ...entry, at, paths: shown };
  if (user !== undefined) own.user = clipped(user);
  if (endpoint !== undefined) own.endpoint = clipped(endpoint);
  return own;
}

function clipped(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
}

/** A store's own words; of a fault of ours where it came from. */
function reasonOf(error: unknown): string {
  return error instanceof StoreError ? error.message : describeError(error);
}

function readQuery(input: unknown): AuditQuery {
  const given = propertiesOf(input, 'an audit query', PROPERTIES);
  const text = (name: string): Record<string, string> => {
    const value = given[name];
    return value === undefined || value === null || value === '' ? {} : { [name]: nameOf(value, name, MAX_TEXT) };
  };
  const time = (name: 'from' | 'to'): Record<string, number> => {
    const at = timeOf(given[name], name);
    return at === undefined ? {} : { [name]: at };
  };
  return {
    ...time('from'),
    ...time('to'),
    ...text('user'),
    ...text('endpoint'),
    ...text('operation'),
    ...outcomeOf(given['outcome']),
    ...(given['before'] === undefined ? {} : { before: integer(given['before'], 'before', Number.MAX_SAFE_INTEGER) }),
    limit: isMissing(given['limit']) ? DEFAULT_LIMIT : integer(given['limit'], 'limit', MAX_LIMIT),
  };
}

function outcomeOf(value: unknown): Pick<AuditQuery, 'outcome'> {
  if (isMissing(value)) return {};
  const outcome = OUTCOMES.find((known) => known === value);
  if (outcome === undefined) throw new InvalidArgumentError(`outcome must be one of ${OUTCOMES.join(', ')}`);
  return { outcome };
}

function integer(value: unknown, name: string, max: number): number {
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 1 || number > max) {
    throw new InvalidArgumentError(`${name} must be a whole number of 1 to ${max}`);
  }
  return number;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}
