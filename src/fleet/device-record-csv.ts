import { InvalidArgumentError } from '../errors';
import { formatCsv, guardFormula, parseCsv, unguardFormula, type CsvRow } from '../util/csv';
import { PARTIES, type ProvisionedDevice } from './device-record';

/** The columns of what a device must prove. The key is read and never written. */
const SECURITY = ['mode', 'identity', 'key', 'publicKey', 'name'] as const;
const TEXTS = PARTIES;
const NUMBERS = ['awakeTime'] as const;
const LABEL = 'label:';
const METADATA = 'metadata:';
const COLUMNS: readonly string[] = ['endpoint', ...SECURITY, 'groups', 'priority', ...TEXTS, ...NUMBERS];

/** A line of a CSV text as `provision` takes it. */
export interface CsvRecord {
  readonly line: number;
  readonly input: Readonly<Record<string, unknown>>;
}

/**
 * The device records of a CSV text whose first line names the columns, in any order: endpoint; mode, identity, key,
 * publicKey, name of the security; groups, priority, owner and what else a record has; `label:site`, `metadata:serial`.
 * A column that there is not leaves what the records say. An empty cell takes it back, all but the security, which so
 * survives a text that was written without keys.
 * @throws {InvalidArgumentError} with line and column; never with what a cell holds, which may be a key.
 */
export function recordsOfCsv(text: string): CsvRecord[] {
  const [head, ...rows] = parseCsv(text);
  const columns = columnsOf(head);
  const lines = new Map<string, number>();
  return rows
    .filter(({ cells }) => cells.some((cell) => cell !== ''))
    .map((row) => {
      const record = { line: row.line, input: inputOf(cellsOf(row, columns), row.line) };
      const endpoint = String(record.input['endpoint']);
      const before = lines.get(endpoint);
      if (before !== undefined) throw problem(row.line, 'endpoint', `the same device as in line ${before}`);
      lines.set(endpoint, row.line);
      return record;
    });
}

/**
 * Device records as CSV, without their keys: what `recordsOfCsv` reads makes the same records again.
 * A cell that a spreadsheet would take for a formula begins with `'`.
 */
export function csvOfRecords(records: readonly ProvisionedDevice[]): string {
  const labels = namesOf(records.map((record) => record.labels));
  const metadata = namesOf(records.map((record) => record.metadata ?? {}));
  const isUsed = (name: string): boolean => records.some((record) => propertyOf(record, name) !== undefined);
  const others = [...TEXTS, ...NUMBERS].filter((name) => name === 'owner' || isUsed(name));
  const columns: [name: string, textOf: (record: ProvisionedDevice) => string][] = [
    ['endpoint', ({ endpoint }) => endpoint],
    ...SECURITY.filter((name) => name !== 'key').map((name): (typeof columns)[number] => [
      name,
      ({ security }) => plainText(propertyOf(security ?? {}, name)),
    ]),
    ...labels.map((name): (typeof columns)[number] => [
      LABEL + name,
      (record) => plainText(propertyOf(record.labels, name)),
    ]),
    ['groups', ({ groups }) => groups.map(escapeGroup).join(';')],
    ['priority', ({ priority }) => priority],
    ...others.map((name): (typeof columns)[number] => [name, (record) => plainText(propertyOf(record, name))]),
    ...metadata.map((name): (typeof columns)[number] => [
      METADATA + name,
      (record) => jsonText(propertyOf(record.metadata ?? {}, name)),
    ]),
  ];
  const head = columns.map(([name]) => guardFormula(name));
  return formatCsv([head, ...records.map((record) => columns.map(([, textOf]) => guardFormula(textOf(record))))]);
}

/** The names of the columns, as this file spells them. */
function columnsOf(head: CsvRow | undefined): string[] {
  const columns = (head?.cells ?? []).map((cell) => {
    const name = unguardFormula(cell);
    const prefix = [LABEL, METADATA].find((known) => name.toLowerCase().startsWith(known));
    if (prefix !== undefined && name !== LABEL) return prefix + name.slice(prefix.length);
    return COLUMNS.find((known) => known.toLowerCase() === name.toLowerCase()) ?? '';
  });
  const line = head?.line ?? 1;
  if (!columns.includes('endpoint')) {
    throw new InvalidArgumentError(`line ${line} must name the columns of device records, endpoint among them`);
  }
  const unknown = columns.indexOf('');
  if (unknown >= 0) {
    const known = `${COLUMNS.join(', ')}, ${LABEL}<name> or ${METADATA}<name>`;
    throw new InvalidArgumentError(`line ${line}: the name of column ${unknown + 1} must be one of ${known}`);
  }
  const twice = columns.findIndex((name, index) => columns.indexOf(name) !== index);
  if (twice >= 0) throw new InvalidArgumentError(`line ${line}: column ${twice + 1} is there twice`);
  return columns;
}

function cellsOf({ line, cells }: CsvRow, columns: readonly string[]): Map<string, string> {
  const beyond = cells.findIndex((cell, index) => index >= columns.length && cell !== '');
  if (beyond >= 0) {
    throw new InvalidArgumentError(`line ${line}: column ${beyond + 1} has no name in the first line`);
  }
  return new Map(columns.map((name, index) => [name, unguardFormula(cells[index] ?? '')]));
}

function inputOf(cells: ReadonlyMap<string, string>, line: number): Record<string, unknown> {
  const input: Record<string, unknown> = { endpoint: cells.get('endpoint') };
  if (input['endpoint'] === '') throw problem(line, 'endpoint', 'it is empty');
  const security = securityOf(cells, line);
  if (security !== undefined) input['security'] = security;
  const set = (name: string, read: (cell: string) => unknown): void => {
    const cell = cells.get(name);
    if (cell !== undefined) input[name] = cell === '' ? null : read(cell);
  };
  set('groups', splitGroups);
  set('priority', (cell) => cell.toLowerCase());
  for (const name of TEXTS) set(name, (cell) => cell);
  // What is no number is refused like everything else that is wrong.
  for (const name of NUMBERS) set(name, (cell) => (/^\d+(\.\d+)?$/.test(cell) ? Number(cell) : cell));
  for (const [property, prefix, read] of [
    ['labels', LABEL, (cell: string) => cell],
    ['metadata', METADATA, valueOfJson],
  ] as const) {
    const entries = [...cells].filter(([name]) => name.startsWith(prefix));
    if (entries.length === 0) continue;
    const given = entries.filter(([, cell]) => cell !== '');
    input[property] = Object.fromEntries(given.map(([name, cell]) => [name.slice(prefix.length), read(cell)]));
  }
  return input;
}

function securityOf(cells: ReadonlyMap<string, string>, line: number): Record<string, string> | undefined {
  const given = SECURITY.map((name) => [name, cells.get(name) ?? ''] as const).filter(([, cell]) => cell !== '');
  const [first] = given;
  if (first === undefined) return undefined;
  if (first[0] !== 'mode') throw problem(line, 'mode', `it is empty, although there is ${first[0]}`);
  return { ...Object.fromEntries(given), mode: first[1].toLowerCase() };
}

function problem(line: number, column: string, what: string): InvalidArgumentError {
  return new InvalidArgumentError(`line ${line}, column ${column}: ${what}`);
}

/** Names are separated by `;` or spaces; a backslash takes from the next character what it would mean. */
function splitGroups(cell: string): string[] {
  const names = cell.match(/(?:\\[^]|[^\\;\s])+/g) ?? [];
  return names.map((name) => name.replace(/\\([^])/g, '$1'));
}

function escapeGroup(name: string): string {
  return name.replace(/[\\;\s]/g, '\\$&');
}

function namesOf(objects: readonly object[]): string[] {
  return [...new Set(objects.flatMap((object) => Object.keys(object)))].sort();
}

function propertyOf(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? (object as Readonly<Record<string, unknown>>)[name] : undefined;
}

function plainText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Text is itself, unless that would be read as something else. */
function jsonText(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' && value !== '' && valueOfJson(value) === value ? value : JSON.stringify(value);
}

/**
 * Numbers, true, false, null, texts in quotes, arrays and objects as JSON writes them; all else is text, and so are
 * numbers that would not come out again as they are: `007`, `1e5`, or the 20 digits of a serial number.
 */
function valueOfJson(cell: string): unknown {
  try {
    const value: unknown = JSON.parse(cell);
    return typeof value === 'number' && String(value) !== cell ? cell : value;
  } catch (error) {
    if (error instanceof SyntaxError) return cell;
    throw error;
  }
}
