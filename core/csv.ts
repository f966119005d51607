/** CSV by RFC 4180. An empty cell is null; an empty text is `""`. */

const NEEDS_QUOTES = /["\r\n,]|^\s|\s$/;

export function csvCell(text: string | null, delimiter = ','): string {
  if (text === null) return '';
  return text === '' || NEEDS_QUOTES.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One record with its line end. */
export const csvLine = (cells: readonly (string | null)[], delimiter = ','): string =>
  `${cells.map((cell) => csvCell(cell, delimiter)).join(delimiter)}\r\n`;

/** Spreadsheets run what begins like this. Signs before nothing but digits are numbers and telephone numbers, which do no harm. */
const FORMULA = /^[=@\t\r\n＝＋－＠]|^[+-](?![\d\s().,/-]*$)/;

/** A text that no spreadsheet takes for a formula: an apostrophe comes before what could be one. */
export const withoutFormula = (text: string | null): string | null => (text !== null && FORMULA.test(text) ? `'${text}` : text);

/** The text as it was before `withoutFormula`. */
export const withFormula = (text: string): string => (text.startsWith("'") && FORMULA.test(text.slice(1)) ? text.slice(1) : text);
