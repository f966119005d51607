/**
 * CSV by RFC 4180, read in pieces of any size. An empty cell is null and `""` an empty text, as `core/csv.ts` writes them. Lines are
 * those of the file: a cell of several lines counts them all, and a row stands where it begins.
 */

export interface CsvRow {
  /** From 1. */
  readonly line: number;
  readonly cells: readonly (string | null)[];
}

/** The file is no CSV at this line. */
export class CsvError extends Error {
  override readonly name = 'CsvError';
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

export class CsvReader {
  readonly #delimiter: string;
  readonly #maxRowLength: number;
  readonly #plainEnd: RegExp;
  #rest = '';
  #line: number;

  /** A row of more characters than `maxRowLength` is refused. */
  constructor(delimiter: string, maxRowLength: number, firstLine = 1) {
    this.#delimiter = delimiter;
    this.#maxRowLength = maxRowLength;
    this.#plainEnd = new RegExp(`[${delimiter}\\r\\n]`, 'g');
    this.#line = firstLine;
  }

  /** The rows that are whole now. */
  push(text: string): CsvRow[] {
    return this.#read(this.#rest + text, false);
  }

  /** The last row, where the file does not end with a line end. */
  end(): CsvRow[] {
    return this.#read(this.#rest, true);
  }

  #read(text: string, isLast: boolean): CsvRow[] {
    const rows: CsvRow[] = [];
    let at = 0;
    while (at < text.length) {
      const row = this.#row(text, at, isLast);
      if (row === undefined) break;
      if (row.end - at > this.#maxRowLength) throw this.#tooLong();
      // A line without anything is no row.
      if (row.cells.length > 1 || row.cells[0] !== null) rows.push({ line: this.#line, cells: row.cells });
      this.#line += row.lines;
      at = row.end;
    }
    this.#rest = text.slice(at);
    if (this.#rest.length > this.#maxRowLength) throw this.#tooLong();
    return rows;
  }

  #tooLong(): CsvError {
    return new CsvError(this.#line, `the row is longer than ${String(this.#maxRowLength)} characters; is a quotation mark missing?`);
  }

  /** The row at `start`; undefined while it is not known where it ends. */
  #row(text: string, start: number, isLast: boolean): { cells: (string | null)[]; end: number; lines: number } | undefined {
    const cells: (string | null)[] = [];
    let at = start;
    let lines = 0;
    for (;;) {
      const isQuoted = text[at] === '"';
      const cell = isQuoted ? this.#quoted(text, at, isLast) : this.#plain(text, at, isLast);
      if (cell === undefined) return undefined;
      cells.push(cell.text);
      if (isQuoted) lines += lineEnds(cell.text ?? '');
      at = cell.end;
      const next = text[at];
      if (next === undefined) return isLast ? { cells, end: at, lines } : undefined;
      if (next === this.#delimiter) {
        at++;
        if (at === text.length && !isLast) return undefined;
        continue;
      }
      if (next === '\n') return { cells, end: at + 1, lines: lines + 1 };
      if (next !== '\r') throw new CsvError(this.#line, 'a quoted cell is followed by text: quotation marks in a cell are doubled');
      // What follows decides whether this is one line end or half of one.
      if (at + 1 === text.length && !isLast) return undefined;
      return { cells, end: at + (text[at + 1] === '\n' ? 2 : 1), lines: lines + 1 };
    }
  }

  #plain(text: string, at: number, isLast: boolean): { text: string | null; end: number } | undefined {
    this.#plainEnd.lastIndex = at;
    const found = this.#plainEnd.exec(text)?.index;
    if (found === undefined && !isLast) return undefined;
    const end = found ?? text.length;
    return { text: end === at ? null : text.slice(at, end), end };
  }

  #quoted(text: string, at: number, isLast: boolean): { text: string; end: number } | undefined {
    let read = '';
    for (let from = at + 1; ;) {
      const mark = text.indexOf('"', from);
      if (mark === -1) {
        if (!isLast) return undefined;
        throw new CsvError(this.#line, 'a cell begins with a quotation mark that is never closed');
      }
      if (mark + 1 === text.length && !isLast) return undefined;
      if (text[mark + 1] !== '"') return { text: read + text.slice(from, mark), end: mark + 1 };
      read += text.slice(from, mark + 1);
      from = mark + 2;
    }
  }
}

const lineEnds = (text: string): number => text.match(/\r\n|\r|\n/g)?.length ?? 0;

export const DELIMITERS = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/** Rows that are looked at. */
const SAMPLE_ROWS = 20;

/** The delimiter of a file by its beginning: the one that cuts most rows alike, and of these the one that makes most columns. */
export function sniffDelimiter(sample: string): Delimiter {
  let best: { readonly delimiter: Delimiter; readonly score: number } = { delimiter: ',', score: 0 };
  for (const delimiter of DELIMITERS) {
    const widths = widthsOf(sample, delimiter);
    const [width = 1] = widths;
    if (width < 2) continue;
    const alike = widths.filter((one) => one === width).length / widths.length;
    const score = alike * 1_000 + Math.min(width, 999);
    if (score > best.score) best = { delimiter, score };
  }
  return best.delimiter;
}

function widthsOf(sample: string, delimiter: Delimiter): number[] {
  try {
    const rows = new CsvReader(delimiter, sample.length + 1).push(sample.endsWith('\n') ? sample : `${sample}\n`);
    return rows.slice(0, SAMPLE_ROWS).map((row) => row.cells.length);
  } catch (error) {
    if (error instanceof CsvError) return [];
    throw error;
  }
}
