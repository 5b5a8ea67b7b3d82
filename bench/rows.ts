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
