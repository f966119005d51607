import { describe, expect, it } from 'vitest';
import { csvLine, withoutFormula } from '../../core/csv.ts';

describe('a line of CSV', () => {
  it('quotes what would be read as something else, and tells null from the empty text', () => {
    expect(csvLine(['plain', null, '', 'a,b', 'say "hi"', 'two\nlines', ' padded ', 'Ünïcode'])).toBe(
      'plain,,"","a,b","say ""hi""","two\nlines"," padded ",Ünïcode\r\n',
    );
  });
});

describe('a text for spreadsheets', () => {
  it.each(['=1+1', '@SUM(A1)', '\t=1', '\r=1', '+cmd|calc', "-2+3+cmd|' /C calc'!A0", '＝1+1'])('%j is no formula any more', (text) => {
    expect(withoutFormula(text)).toBe(`'${text}`);
  });

  it.each(['plain', '-5', '+49 (30) 123-45', '', 'a=b', null])('%j stays as it is', (text) => {
    expect(withoutFormula(text)).toBe(text);
  });
});
