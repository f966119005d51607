/** CSV by RFC 4180. An empty cell is null; an empty text is `""`. */

const NEEDS_QUOTES = /["\r\n,]|^\s|\s$/;

export function csvCell(text: string | null): string {
  if (text === null) return '';
  return text === '' || NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One record with its line end. */
export const csvLine = (cells: readonly (string | null)[]): string => `${cells.map(csvCell).join(',')}\r\n`;

/** Spreadsheets run what begins like this. Signs before nothing but digits are numbers and telephone numbers, which do no harm. */
const FORMULA = /^[=@\t\r\n＝＋－＠]|^[+-](?![\d\s().,/-]*$)/;

/** A text that no spreadsheet takes for a formula: an apostrophe comes before what could be one. */
export const withoutFormula = (text: string | null): string | null => (text !== null && FORMULA.test(text) ? `'${text}` : text);
