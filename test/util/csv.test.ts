import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidArgumentError } from '../../src/errors';
import { formatCsv, guardFormula, parseCsv, unguardFormula } from '../../src/util/csv';

function cellsOf(text: string): (readonly string[])[] {
  return parseCsv(text).map(({ cells }) => cells);
}

describe('CSV', () => {
  for (const [what, text, rows] of [
    ['nothing', '', []],
    ['empty lines', '\n\r\n\r', []],
    ['rows that end with CRLF, LF, CR and not at all', 'a,b\r\nc,d\ne,f\rg,h', ['ab', 'cd', 'ef', 'gh']],
    ['empty lines between', 'a,b\n\n\nc,d\n\n', ['ab', 'cd']],
    ['a byte order mark', '\uFEFFa,b\n', ['ab']],
    ['semicolons', 'a;b\nc;d,e\n', ['ab', ['c', 'd,e']]],
    ['tabs', 'a\tb\n\td\n', ['ab', ['', 'd']]],
    ['a line that says the separator', 'sep=;\r\na;b,c\r\n', [['a', 'b,c']]],
    ['the same behind a byte order mark', '\uFEFFsep=;\na,b;c\n', [['a,b', 'c']]],
    [
      'empty cells',
      ',\na,\n,b\n',
      [
        ['', ''],
        ['a', ''],
        ['', 'b'],
      ],
    ],
    ['quotes', '"a","b ""c"", d"\n', [['a', 'b "c", d']]],
    ['lines in quotes', '"a\r\nb",c\n', [['a\r\nb', 'c']]],
    ['a separator in a quoted head', '"x,y";z\n', [['x,y', 'z']]],
    ['spaces around cells', ' a , " b " ,c d\n', [['a', ' b ', 'c d']]],
    ['one empty quoted cell', '""\n', [['']]],
    ['one column', 'a\nb\n', [['a'], ['b']]],
  ] as [string, string, (string | string[])[]][]) {
    it(`reads ${what}`, () => {
      assert.deepEqual(
        cellsOf(text),
        rows.map((row) => [...row]),
      );
    });
  }

  it('says where a row begins', () => {
    assert.deepEqual(
      parseCsv('\uFEFFsep=,\na,"1\n2\r\n3"\r\n\r\nb,c').map(({ line }) => line),
      [2, 6],
    );
  });

  for (const [what, text, says] of [
    ['a quote that is never closed', 'a,b\nc,"d\ne\n', 'line 2, column 3'],
    ['a quote in a plain cell', 'a,b\nc,d"e"\n', 'line 2, column 4'],
    ['text after a quoted cell', 'a,b\n"x\ny" z,c', 'line 3, column 4'],
    ['a quote after a byte order mark', '\uFEFFa"', 'line 1, column 2'],
  ] as const) {
    it(`refuses ${what}, and says where`, () => {
      assert.throws(
        () => parseCsv(text),
        (error: unknown) => error instanceof InvalidArgumentError && error.message.startsWith(`${says}: `),
      );
    });
  }

  const cell = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(fc.constantFrom('"', ',', ';', '\t', '\r', '\n', ' ', 'a', '=', "'", '\uFEFF', '\u00A0'))
      .map((c) => c.join('')),
  );

  it('that was written is read as it was', () => {
    const rows = fc.array(fc.array(cell, { minLength: 1, maxLength: 5 }), { maxLength: 6 });
    fc.assert(
      fc.property(rows, fc.constantFrom('', '\uFEFF'), (table, mark) => {
        // The head says what separates: a comma, that is the first of the three outside quotes.
        const written = [['x', 'y'], ...table];
        assert.deepEqual(cellsOf(mark + formatCsv(written)), written);
      }),
      { numRuns: 2000 },
    );
  });

  it('of any text is rows, or an error that says where', () => {
    fc.assert(
      fc.property(cell, (text) => {
        try {
          for (const { cells } of parseCsv(text)) assert.ok(cells.length > 0);
        } catch (error) {
          assert.ok(error instanceof InvalidArgumentError);
          assert.match(error.message, /^line \d+, column \d+: /);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('of a million quotes takes no long time', () => {
    assert.equal(cellsOf(`"${'""'.repeat(1_000_000)}"`)[0]?.[0]?.length, 1_000_000);
  });

  it('has no cell that a spreadsheet takes for a formula, and loses nothing by it', () => {
    for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', "'=1", "''=1"]) {
      assert.equal(guardFormula(text), `'${text}`);
    }
    for (const text of ['a', "'a", '', "'", '1=1', "it's -1"]) assert.equal(guardFormula(text), text);
    fc.assert(
      fc.property(cell, (text) => {
        const guarded = guardFormula(text);
        assert.doesNotMatch(guarded, /^[=+\-@\t\r\n]/);
        assert.equal(unguardFormula(guarded), text);
      }),
    );
  });
});
