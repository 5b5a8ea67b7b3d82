import type { AuditEntry, AuditQuery, AuditStore } from '../../access';
import { StoreError } from '../../errors';
import type { Disk } from './disk';
import type { Row, SqlValue } from './messages';
import { textKey, textOfKey } from './text-key';

/** How each term of a query narrows it. */
const CONDITIONS: Readonly<Record<Exclude<keyof AuditQuery, 'limit'>, string>> = {
  from: 'at >= ?',
  to: 'at < ?',
  user: 'user = ?',
  endpoint: 'endpoint = ?',
  operation: 'operation = ?',
  outcome: 'outcome = ?',
  before: 'number < ?',
};

const COLUMNS = 'number, at, user, operation, endpoint, paths, outcome, code, error, run';

/** About 220 MB. */
const MAX_ENTRIES = 1_000_000;
/** After so many entries the oldest go, if there are too many, ... */
const TRIM_EVERY = 250;
/** ... so many of them at a time: more than have come, and few enough to keep nobody waiting. */
const TRIM_AT_ONCE = 500;

/**
 * The audit on the disk, and nowhere else: at least the newest entries, a million unless told otherwise. Their age does not
 * matter: a clock that is set wrong must not wipe the trail.
 */
export class SqliteAudit implements AuditStore {
  readonly #disk: Disk;
  readonly #maxEntries: number;
  /** The first entry of a process looks for what the one before it left. */
  #untilTrim = 0;

  constructor(disk: Disk, maxEntries = MAX_ENTRIES) {
    this.#disk = disk;
    this.#maxEntries = maxEntries;
  }

  append({ at, user, operation, endpoint, paths, outcome, code, error, run }: AuditEntry): Promise<void> {
    const parameters = [
      at,
      columnOf(user),
      columnOf(operation),
      columnOf(endpoint),
      JSON.stringify(paths),
      outcome,
      columnOf(code),
      columnOf(error),
      columnOf(run),
    ];
    const appended = this.#disk.write({ statement: 'appendAudit', parameters }, () => undefined);
    this.#untilTrim -= 1;
    if (this.#untilTrim < 0) this.#trim();
    return appended;
  }

  /** In the same commit as the entry. */
  #trim(): void {
    this.#untilTrim = TRIM_EVERY;
    const parameters = [this.#maxEntries, TRIM_AT_ONCE];
    this.#disk
      .write({ statement: 'trimAudit', parameters }, () => undefined)
      .catch((error: unknown) => {
        if (!(error instanceof StoreError)) throw error;
        // Whoever added the entry hears of it; the old ones go another time.
      });
  }

  async query(query: AuditQuery): Promise<(AuditEntry & { readonly number: number })[]> {
    const conditions: string[] = [];
    const parameters: SqlValue[] = [];
    for (const [term, condition] of Object.entries(CONDITIONS)) {
      const value = query[term as keyof typeof CONDITIONS];
      if (value === undefined) continue;
      conditions.push(condition);
      parameters.push(typeof value === 'string' ? textKey(value) : value);
    }
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const rows = await this.#disk.read(`SELECT ${COLUMNS} FROM audit ${where} ORDER BY number DESC LIMIT ?`, [
      ...parameters,
      query.limit,
    ]);
    return rows.map(entryOf);
  }
}

function columnOf(text: string): string;
function columnOf(text: string | undefined): string | null;
function columnOf(text: string | undefined): string | null {
  return text === undefined ? null : textKey(text);
}

function entryOf([number, at, user, operation, endpoint, paths, outcome, code, error, run]: Row): AuditEntry & {
  readonly number: number;
} {
  const optional = { user, endpoint, code, error, run };
  const present = Object.entries(optional).filter(([, value]) => typeof value === 'string');
  return {
    number: Number(number),
    at: Number(at),
    operation: textOfKey(String(operation)),
    paths: JSON.parse(String(paths)) as string[],
    outcome: outcome as AuditEntry['outcome'],
    ...Object.fromEntries(present.map(([name, value]) => [name, textOfKey(String(value))])),
  };
}
