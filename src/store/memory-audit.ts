import type { AuditEntry, AuditQuery, AuditStore } from '../access';

const MAX_ENTRIES = 10_000;

interface NumberedEntry extends AuditEntry {
  readonly number: number;
}

/** The newest entries of the audit in the memory of this process. */
export class MemoryAudit implements AuditStore {
  /** A ring: each has the place of the one that was as many before it as are kept. */
  readonly #entries: NumberedEntry[] = [];
  readonly #maxEntries: number;
  #last = 0;

  /** @param maxEntries kept at most; then the oldest goes first. */
  constructor(maxEntries = MAX_ENTRIES) {
    this.#maxEntries = maxEntries;
  }

  append(entry: AuditEntry): void {
    this.#last += 1;
    this.#entries[this.#last % this.#maxEntries] = { ...entry, paths: [...entry.paths], number: this.#last };
  }

  query(query: AuditQuery): readonly NumberedEntry[] {
    const found: NumberedEntry[] = [];
    const newest = Math.min(this.#last, (query.before ?? Infinity) - 1);
    for (let number = newest; found.length < query.limit; number -= 1) {
      const entry = this.#entries[number % this.#maxEntries];
      if (entry?.number !== number) break;
      if (matches(entry, query)) found.push({ ...entry, paths: [...entry.paths] });
    }
    return found;
  }
}

function matches(entry: AuditEntry, { from, to, user, endpoint, operation, outcome }: AuditQuery): boolean {
  return (
    (from === undefined || entry.at >= from) &&
    (to === undefined || entry.at < to) &&
    (user === undefined || entry.user === user) &&
    (endpoint === undefined || entry.endpoint === endpoint) &&
    (operation === undefined || entry.operation === operation) &&
    (outcome === undefined || entry.outcome === outcome)
  );
}
