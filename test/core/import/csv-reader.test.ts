import { describe, expect, it } from 'vitest';
import { csvLine } from '../../../core/csv.ts';
import { CsvError, CsvReader, sniffDelimiter, type CsvRow } from '../../../core/import/csv-reader.ts';
import { seeded } from '../../support/seeded.ts';

function read(pieces: readonly string[], delimiter = ',', most = 1_000): CsvRow[] {
  const reader = new CsvReader(delimiter, most);
  return [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
}

describe('CSV', () => {
  it.each<[string, CsvRow[]]>([
    [
      'a,b\r\n1,2\r\n',
      [
        { line: 1, cells: ['a', 'b'] },
        { line: 2, cells: ['1', '2'] },
      ],
    ],
    [
      'a,,\n"",x',
      [
        { line: 1, cells: ['a', null, null] },
        { line: 2, cells: ['', 'x'] },
      ],
    ],
    [
      '"a\r\nb\n",1\n\n2,3',
      [
        { line: 1, cells: ['a\r\nb\n', '1'] },
        { line: 5, cells: ['2', '3'] },
      ],
    ],
    [
      '"say ""hi""",5"\r2',
      [
        { line: 1, cells: ['say "hi"', '5"'] },
        { line: 2, cells: ['2'] },
      ],
    ],
    ['', []],
    [',', [{ line: 1, cells: [null, null] }]],
  ])('%j', (text, rows) => {
    expect(read([text])).toEqual(rows);
    expect(read([...text])).toEqual(rows);
  });

  it('reads what is written, wherever it is cut', () => {
    const chance = seeded(11);
    const pick = <T>(of: readonly T[]): T => of[Math.floor(chance.next() * of.length)] as T;
    for (let round = 0; round < 300; round++) {
      const delimiter = pick([',', ';', '\t', '|']);
      const rows = Array.from({ length: 1 + Math.floor(chance.next() * 6) }, () =>
        Array.from({ length: 2 + Math.floor(chance.next() * 3) }, () =>
          pick([null, '', 'x', ' y ', '"', 'a"b', '\r', '\n', '\r\n', delimiter, `1${delimiter}2`, "'=x", 'ü😀']),
        ),
      );
      const text = rows.map((cells) => csvLine(cells, delimiter)).join('');
      const at = [...Array(3)].map(() => Math.floor(chance.next() * text.length)).sort((a, b) => a - b);
      const pieces = [text.slice(0, at[0]), text.slice(at[0], at[1]), text.slice(at[1], at[2]), text.slice(at[2])];
      expect(read(pieces, delimiter).map((row) => row.cells)).toEqual(rows);
    }
  });

  it.each([
    ['a\n"open\nb', 2, 'never closed'],
    ['a\n"b"c', 2, 'followed by text'],
    [`a\n${'x'.repeat(2_000)}`, 2, 'longer than'],
    [`a\n"${'x\n'.repeat(2_000)}`, 2, 'longer than'],
  ])('is refused with its line: %#', (text, line, words) => {
    try {
      read([text]);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(CsvError);
      expect([(error as CsvError).line, (error as CsvError).message]).toEqual([line, expect.stringContaining(words)]);
    }
  });

  it.each([
    ['a,b\n1,2\n', ','],
    ['a;b\n1,5;2,5\n', ';'],
    ['a\tb, c\n1\t2\n', '\t'],
    ['a|b|c\n1|2|3\n', '|'],
    ['"a;b",c\n"1;2",3\n', ','],
    ['one\ntwo, and more\n', ','],
  ])('%j is cut at %j', (text, delimiter) => expect(sniffDelimiter(text)).toBe(delimiter));
});
