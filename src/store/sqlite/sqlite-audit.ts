import type { AuditEntry, AuditQuery, AuditStore } from '../../access';
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

/** The audit on the disk, and nowhere else. */
export class SqliteAudit implements AuditStore {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
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
    return this.#disk.write({ statement: 'appendAudit', parameters }, () => undefined);
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
