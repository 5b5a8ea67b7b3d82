import { formatCsv, guardFormula } from '../util/csv';
import type { AuditView } from './audit';

const COLUMNS = ['number', 'at', 'user', 'operation', 'endpoint', 'paths', 'outcome', 'code', 'error', 'run'] as const;

/** Entries as CSV (RFC 4180) with a line of names first; times as ISO 8601. No spreadsheet takes a cell for a formula. */
export function auditCsv(entries: readonly AuditView[]): string {
  const rows = entries.map((entry) =>
    COLUMNS.map((column) => {
      if (column === 'at') return new Date(entry.at).toISOString();
      const value = column === 'paths' ? entry.paths.join(' ') : entry[column];
      return value === undefined ? '' : guardFormula(String(value));
    }),
  );
  return formatCsv([COLUMNS, ...rows]);
}
