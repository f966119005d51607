/** An uploaded file as the rows it has, while it arrives: text, delimiter, header, and chunks of rows that are stored as they get full. */
import { TextDecoder } from 'node:util';
import { AppError } from '../../core/errors.ts';
import { FORBIDDEN_KEYS } from '../../core/forbidden-keys.ts';
import { CsvError, CsvReader, sniffDelimiter, type CsvRow } from '../../core/import/csv-reader.ts';
import { isObject } from '../../core/is-object.ts';
import type { ENCODINGS } from '../../core/payloads/imports.ts';

export type ImportFormat = 'csv' | 'ndjson';
type Encoding = (typeof ENCODINGS)[number];

/** How a file was read, and is written back. */
export interface Source {
  readonly delimiter?: string;
  readonly encoding: Encoding;
  readonly header?: boolean;
  /** It began with a byte order mark. */
  readonly bom: boolean;
}

export interface Chunk {
  readonly firstRow: number;
  readonly rows: number;
  /** JSON: `[[line, cell, ...], ...]` of CSV, `[[line, object], ...]` of NDJSON. */
  readonly body: string;
}

export interface FileReaderOptions {
  readonly format: ImportFormat;
  readonly encoding?: Encoding | undefined;
  readonly delimiter?: string | undefined;
  readonly header?: boolean | undefined;
  readonly maxRows: number;
}

/** A chunk is what one transaction writes. */
export const CHUNK_ROWS = 500;
const CHUNK_LENGTH = 256 * 1024;
const MAX_ROW_LENGTH = 1_000_000;
export const MAX_COLUMNS = 1_000;
const MAX_NAME = 200;
/** So much is looked at to find the delimiter. */
const SAMPLE_LENGTH = 32 * 1024;
const SAMPLES = 5;

export class FileReader {
  readonly #options: FileReaderOptions;
  #decoder: TextDecoder | undefined;
  #encoding: Encoding = 'utf-8';
  #hasBom = false;
  /** Bytes before the encoding is known, text before the delimiter is. */
  #head = Buffer.alloc(0);
  #text: string | undefined = '';
  #csv: CsvReader | undefined;
  #delimiter: string | undefined;
  #line = 1;
  #rest = '';
  #pending: string[] = [];
  #pendingLength = 0;
  #columns: string[] | undefined;
  readonly #keys = new Set<string>();
  /** Rows so far. */
  rows = 0;
  /** The first rows, cut, to show what is in which column. */
  readonly samples: unknown[][] = [];

  constructor(options: FileReaderOptions) {
    this.#options = options;
  }

  /** The names of the columns; undefined while the header is on its way, and of NDJSON until the end. */
  get columns(): readonly string[] | undefined {
    return this.#columns;
  }

  get source(): Source {
    const { format, header } = this.#options;
    const own = format === 'csv' ? { delimiter: this.#delimiter ?? ',', header: header !== false } : {};
    return { ...own, encoding: this.#encoding, bom: this.#hasBom };
  }

  push(bytes: Buffer): Chunk[] {
    if (this.#decoder !== undefined) return this.#decoded(bytes, false);
    this.#head = Buffer.concat([this.#head, bytes]);
    if (this.#head.length < 4) return [];
    return this.#begin(false);
  }

  end(): Chunk[] {
    const chunks = this.#decoder === undefined ? this.#begin(true) : this.#decoded(Buffer.alloc(0), true);
    if (this.rows === 0) throw new AppError('INVALID_PAYLOAD', 'The file has no rows.', { hint: 'A header alone is no row.' });
    if (this.#options.format === 'ndjson') this.#columns = [...this.#keys];
    return [...chunks, ...this.#cut(1)];
  }

  // --- text ----------------------------------------------------------------------------------------------------------

  #begin(isLast: boolean): Chunk[] {
    const marked = markOf(this.#head);
    this.#hasBom = marked !== undefined;
    this.#encoding = marked ?? this.#options.encoding ?? 'utf-8';
    this.#decoder = new TextDecoder(this.#encoding, { fatal: true });
    const head = this.#head;
    this.#head = Buffer.alloc(0);
    return this.#decoded(head, isLast);
  }

  #decoded(bytes: Buffer, isLast: boolean): Chunk[] {
    let text: string;
    try {
      text = this.#decoder?.decode(bytes, { stream: !isLast }) ?? '';
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new AppError('INVALID_PAYLOAD', `The file is not ${this.#encoding} after row ${String(this.rows)}.`, {
        hint: 'Save it as UTF-8, or say its encoding: encoding=windows-1252 is what older spreadsheets write.',
        cause: error,
      });
    }
    return this.#options.format === 'csv' ? this.#csvText(text, isLast) : this.#jsonText(text, isLast);
  }

  // --- CSV -----------------------------------------------------------------------------------------------------------

  #csvText(text: string, isLast: boolean): Chunk[] {
    if (this.#text !== undefined) {
      this.#text += text;
      if (this.#text.length < SAMPLE_LENGTH && !isLast) return [];
      text = this.#openCsv(this.#text);
      this.#text = undefined;
    }
    const csv = this.#csv;
    if (csv === undefined) return [];
    try {
      return this.#take([...csv.push(text), ...(isLast ? csv.end() : [])]);
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      throw new AppError('INVALID_PAYLOAD', `Line ${String(error.line)} is not CSV: ${error.message}.`, {
        details: [{ field: 'file', line: error.line, rule: 'csv', message: error.message }],
        cause: error,
      });
    }
  }

  /** Spreadsheets may say the delimiter in a line of its own. */
  #openCsv(text: string): string {
    const said = /^sep=([,;\t|])\r?\n/i.exec(text);
    const { delimiter } = this.#options;
    const rest = said === null ? text : text.slice(said[0].length);
    this.#delimiter = delimiter === 'tab' ? '\t' : (delimiter ?? said?.[1] ?? sniffDelimiter(rest));
    this.#csv = new CsvReader(this.#delimiter, MAX_ROW_LENGTH, said === null ? 1 : 2);
    return rest;
  }

  #take(rows: readonly CsvRow[]): Chunk[] {
    const chunks: Chunk[] = [];
    for (const row of rows) {
      if (this.#columns === undefined) {
        const hasHeader = this.#options.header !== false;
        this.#columns = hasHeader ? columnNames(row.cells) : row.cells.map((_, index) => `column_${String(index + 1)}`);
        checkColumns(this.#columns);
        if (hasHeader) continue;
      }
      if (row.cells.every((cell) => cell === null)) continue;
      this.#sample(row.cells);
      chunks.push(...this.#store(JSON.stringify([row.line, ...row.cells])));
    }
    return chunks;
  }

  // --- NDJSON --------------------------------------------------------------------------------------------------------

  #jsonText(text: string, isLast: boolean): Chunk[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = isLast ? '' : (lines.pop() ?? '');
    if (this.#rest.length > MAX_ROW_LENGTH) throw this.#badLine(`is longer than ${String(MAX_ROW_LENGTH)} characters`);
    return lines.flatMap((line) => {
      const chunks = line.trim() === '' ? [] : this.#jsonLine(line);
      this.#line++;
      return chunks;
    });
  }

  #jsonLine(line: string): Chunk[] {
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw this.#badLine('is not JSON');
    }
    if (!isObject(record)) throw this.#badLine('is not a JSON object');
    for (const key of Object.keys(record)) this.#keys.add(key);
    checkColumns([...this.#keys]);
    this.#sample([record]);
    return this.#store(JSON.stringify([this.#line, record]));
  }

  #badLine(what: string): AppError {
    const message = `line ${String(this.#line)} ${what}`;
    return new AppError('INVALID_PAYLOAD', `The file is not NDJSON: ${message}.`, {
      details: [{ field: 'file', line: this.#line, rule: 'ndjson', message }],
    });
  }

  // --- chunks --------------------------------------------------------------------------------------------------------

  #sample(row: readonly unknown[]): void {
    if (this.samples.length < SAMPLES) this.samples.push(row.map((cell) => (typeof cell === 'string' ? cell.slice(0, MAX_NAME) : cell)));
  }

  #store(row: string): Chunk[] {
    if (this.rows >= this.#options.maxRows) {
      throw new AppError('TOO_LARGE', `A file may have at most ${String(this.#options.maxRows)} rows.`, {
        hint: 'Import it in several files, or raise IMPORT_MAX_ROWS.',
      });
    }
    this.rows++;
    this.#pending.push(row);
    this.#pendingLength += row.length;
    return this.#pending.length >= CHUNK_ROWS || this.#pendingLength >= CHUNK_LENGTH ? this.#cut(1) : [];
  }

  #cut(least: number): Chunk[] {
    const rows = this.#pending;
    if (rows.length < least) return [];
    this.#pending = [];
    this.#pendingLength = 0;
    return [{ firstRow: this.rows - rows.length, rows: rows.length, body: `[${rows.join()}]` }];
  }
}

/** The encoding that a byte order mark says. */
function markOf(bytes: Buffer): Encoding | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined;
}

/** A name that comes again gets a number, one that is missing its place. */
function columnNames(cells: readonly (string | null)[]): string[] {
  const seen = new Map<string, number>();
  return cells.map((cell, index) => {
    const name = (cell ?? '').trim() || `column_${String(index + 1)}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}#${String(count)}`;
  });
}

function checkColumns(columns: readonly string[]): void {
  const bad = columns.find((name) => name.length > MAX_NAME || FORBIDDEN_KEYS.includes(name) || name === '');
  if (bad !== undefined) {
    throw new AppError(
      'INVALID_PAYLOAD',
      `"${bad.slice(0, 100)}" cannot be the name of a column: at most ${String(MAX_NAME)} characters.`,
      {
        hint: 'Is the first line a header? header=false says that it is not.',
      },
    );
  }
  if (columns.length > MAX_COLUMNS) throw new AppError('TOO_LARGE', `A file may have at most ${String(MAX_COLUMNS)} columns.`);
}
