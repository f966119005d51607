/** `multipart/form-data`, part by part while it arrives: a part's body is read, or skipped, before the next part. */
import { AppError } from '../../core/errors.ts';

export interface Part {
  readonly name: string;
  /** Undefined for a plain field. */
  readonly fileName: string | undefined;
  readonly type: string | undefined;
  body(): AsyncGenerator<Buffer>;
}

const LINE = Buffer.from('\r\n');
const HEADERS_END = Buffer.from('\r\n\r\n');
const MAX_HEADERS = 16 * 1024;
const MAX_FIELD = 64 * 1024;

/** The boundary that a Content-Type names; undefined when it is no form. */
export function boundaryOf(type: string): string | undefined {
  if (!/^multipart\/form-data\s*;/i.test(type)) return undefined;
  const match = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(type);
  return match?.[1] ?? match?.[2];
}

export class Multipart {
  readonly #source: AsyncIterator<Buffer>;
  readonly #delimiter: Buffer;
  /** The first boundary has no line before it. */
  #held: Buffer = LINE;
  #isInBody = true;

  constructor(source: AsyncIterable<Buffer>, boundary: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  async next(): Promise<Part | undefined> {
    if (this.#isInBody) for await (const _piece of this.#body());
    await this.#atLeast(2);
    if (this.#held.subarray(0, 2).toString('latin1') === '--') return undefined;
    const headers = await this.#headers();
    this.#isInBody = true;
    const disposition = headers.get('content-disposition') ?? '';
    const name = parameter(disposition, 'name');
    if (!/^form-data\b/i.test(disposition) || name === undefined) throw malformed('a part does not say its name');
    return { name, fileName: fileNameOf(disposition), type: headers.get('content-type'), body: () => this.#body() };
  }

  async *#body(): AsyncGenerator<Buffer> {
    while (this.#isInBody) {
      const at = this.#held.indexOf(this.#delimiter);
      const end = at === -1 ? Math.max(0, this.#held.length - this.#delimiter.length + 1) : at;
      const piece = this.#held.subarray(0, end);
      this.#held = this.#held.subarray(at === -1 ? end : at + this.#delimiter.length);
      this.#isInBody = at === -1;
      if (piece.length > 0) yield piece;
      if (at === -1) await this.#more();
    }
  }

  async #headers(): Promise<ReadonlyMap<string, string>> {
    let end: number;
    while ((end = this.#held.indexOf(HEADERS_END)) === -1) {
      if (this.#held.length > MAX_HEADERS) throw malformed('the headers of a part are too long');
      await this.#more();
    }
    const lines = this.#held.subarray(0, end).toString('utf8').split('\r\n');
    this.#held = this.#held.subarray(end + HEADERS_END.length);
    return new Map(
      lines.flatMap((line) => {
        const colon = line.indexOf(':');
        return colon === -1 ? [] : [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const];
      }),
    );
  }

  async #atLeast(bytes: number): Promise<void> {
    while (this.#held.length < bytes) await this.#more();
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#source.next();
    if (done === true) throw malformed('it ends before its last boundary');
    this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value]);
  }
}

/** The text of a plain field. */
export async function fieldText(part: Part): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of part.body()) {
    size += piece.length;
    if (size > MAX_FIELD)
      throw new AppError('TOO_LARGE', `The field "${part.name.slice(0, 100)}" is longer than ${String(MAX_FIELD)} bytes.`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

const malformed = (what: string): AppError => new AppError('INVALID_PAYLOAD', `The body is no multipart form: ${what}.`);

const parameter = (header: string, name: string): string | undefined => {
  const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;]+))`, 'i').exec(header);
  return match === null ? undefined : (match[1]?.replace(/\\(["\\])/g, '$1') ?? match[2]);
};

/** A name in UTF-8 wins over the other; folders before it are nobody's business. */
function fileNameOf(disposition: string): string | undefined {
  const encoded = /;\s*filename\*=utf-8''([^\s;]+)/i.exec(disposition)?.[1];
  const given = decoded(encoded) ?? parameter(disposition, 'filename');
  return given?.split(/[/\\]/).at(-1);
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
