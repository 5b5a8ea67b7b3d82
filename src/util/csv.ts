import { InvalidArgumentError } from '../errors';

/** One record of a CSV text. */
export interface CsvRow {
  /** Where it begins, from 1 on. */
  readonly line: number;
  readonly cells: readonly string[];
}

const DELIMITERS = [',', ';', '\t'];

/**
 * Reads CSV (RFC 4180): cells in quotes may hold anything, a quote in them is written twice. Lines end with CRLF, LF or CR,
 * a byte order mark is skipped, and so are empty lines. What separates the cells is the first of comma, semicolon (as
 * Excel writes where the comma is in numbers) and tab in the first line that is not in quotes, or what a line `sep=;`
 * before it says. Spaces around a cell that is not in quotes are no part of it.
 * @throws {InvalidArgumentError} with the line and the column (in characters, from 1 on), and nothing of the content.
 */
export function parseCsv(text: string): CsvRow[] {
  return new CsvReader(text).rows();
}

/** Writes CSV as RFC 4180 has it: commas, CRLF, quotes where they are needed. */
export function formatCsv(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `${cells.map(formatCell).join(',')}\r\n`).join('');
}

/** A line that holds but one empty cell would be an empty line. */
function formatCell(cell: string, _index: number, { length }: readonly string[]): string {
  const isPlain = !/[",;\t\r\n]|^\s|\s$|^\uFEFF/.test(cell) && (cell !== '' || length > 1);
  return isPlain ? cell : `"${cell.replaceAll('"', '""')}"`;
}

/** What a spreadsheet would take for a formula; behind quotes, so that guarding can be undone. */
const FORMULA = /^'*[=+\-@\t\r\n]/;

/** A cell that no spreadsheet takes for a formula: such a one gets a `'` before it. */
export function guardFormula(cell: string): string {
  return FORMULA.test(cell) ? `'${cell}` : cell;
}

/** Undoes `guardFormula`. */
export function unguardFormula(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}

class CsvReader {
  readonly #text: string;
  readonly #delimiter: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string) {
    this.#text = text;
    if (text.startsWith('\uFEFF')) this.#lineStart = this.#at = 1;
    const said = /^sep=([,;\t])(?=[\r\n])/.exec(text.slice(this.#at, this.#at + 6));
    if (said !== null) {
      this.#at += said[0].length;
      this.#endLine();
    }
    this.#delimiter = said?.[1] ?? delimiterOf(text, this.#at);
  }

  rows(): CsvRow[] {
    const rows: CsvRow[] = [];
    while (this.#at < this.#text.length) {
      if (this.#endLine()) continue;
      const row = this.#row();
      if (row.cells.length > 1 || row.cells[0] !== '' || row.isQuoted) rows.push({ line: row.line, cells: row.cells });
    }
    return rows;
  }

  #row(): CsvRow & { isQuoted: boolean } {
    const line = this.#line;
    const cells: string[] = [];
    let isQuoted = false;
    for (;;) {
      this.#skipSpaces();
      if (this.#text[this.#at] === '"') {
        isQuoted = true;
        cells.push(this.#quoted());
      } else {
        cells.push(this.#plain());
      }
      if (this.#text[this.#at] !== this.#delimiter) break;
      this.#at += 1;
    }
    this.#endLine();
    return { line, cells, isQuoted };
  }

  /** Up to what ends the cell. */
  #plain(): string {
    const start = this.#at;
    while (!this.#isCellEnd()) {
      if (this.#text[this.#at] === '"') throw this.#error('a quote in a cell that is not in quotes');
      this.#at += 1;
    }
    return this.#text.slice(start, this.#at).trimEnd();
  }

  #quoted(): string {
    const opened = this.#error('a quote that is never closed');
    let cell = '';
    for (;;) {
      const start = this.#at + 1;
      const end = this.#text.indexOf('"', start);
      if (end < 0) throw opened;
      this.#countLines(start, end);
      cell += this.#text.slice(start, end);
      this.#at = end + 1;
      if (this.#text[this.#at] !== '"') break;
      cell += '"';
    }
    this.#skipSpaces();
    if (!this.#isCellEnd()) throw this.#error('something after the quote that closes a cell');
    return cell;
  }

  #isCellEnd(): boolean {
    const next = this.#text[this.#at];
    return next === undefined || next === this.#delimiter || next === '\n' || next === '\r';
  }

  #skipSpaces(): void {
    while (this.#text[this.#at] !== this.#delimiter && isSpace(this.#text[this.#at])) this.#at += 1;
  }

  /** @returns whether there was the end of a line. */
  #endLine(): boolean {
    const next = this.#text[this.#at];
    if (next !== '\r' && next !== '\n') return false;
    this.#at += next === '\r' && this.#text[this.#at + 1] === '\n' ? 2 : 1;
    this.#line += 1;
    this.#lineStart = this.#at;
    return true;
  }

  #countLines(start: number, end: number): void {
    for (let at = start; at < end; at += 1) {
      const char = this.#text[at];
      if (char !== '\n' && (char !== '\r' || this.#text[at + 1] === '\n')) continue;
      this.#line += 1;
      this.#lineStart = at + 1;
    }
  }

  #error(problem: string): InvalidArgumentError {
    return new InvalidArgumentError(`line ${this.#line}, column ${this.#at - this.#lineStart + 1}: ${problem}`);
  }
}

function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\u00A0';
}

/** Of the first line; a text of one column needs none. */
function delimiterOf(text: string, start: number): string {
  let isQuoted = false;
  for (let at = start; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (char === '\n' || char === '\r')) break;
    else if (!isQuoted && DELIMITERS.includes(char)) return char;
  }
  return ',';
}
