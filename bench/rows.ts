/** One line of the table: what was measured, and what it was to reach. */
export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly goal?: string;
  readonly reached?: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/** The part of sorted values below which a share of them lies, 0.99 for example. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}

export function table(rows: readonly Row[]): string {
  const cells = rows.map(({ what, measured, goal = '', reached }) => [
    what,
    measured,
    goal,
    reached === undefined ? '' : reached ? 'yes' : 'NO',
  ]);
  const head = ['what', 'measured', 'to reach', 'reached'];
  const widths = head.map((text, column) => Math.max(text.length, ...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) => `| ${row.map((text, i) => text.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...cells.map(line)].join('\n');
}
