/** A file that comes as a request's body: alone, or as the part `file` of a form after the fields that go with it; gzip is unpacked. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';
import { AppError } from '../../core/errors.ts';
import { headerOf, type Call } from './call.ts';
import { boundaryOf, fieldText, Multipart, type Part } from './multipart.ts';

export interface UploadedFile {
  /** Lower case, without parameters. */
  readonly type: string;
  readonly charset: string | undefined;
  readonly fileName: string | undefined;
  /** Fields of a form. */
  readonly fields: ReadonlyMap<string, string>;
  readonly bytes: AsyncIterable<Buffer>;
}

/** Gives `work` the file. What is left of the body when it refuses is let through, so that the answer arrives. */
export async function withUpload<T>(call: Call, work: (file: UploadedFile) => Promise<T>): Promise<T> {
  const { request } = call;
  try {
    return await work(await openUpload(call));
  } finally {
    request.unpipe();
    request.resume();
  }
}

async function openUpload(call: Call): Promise<UploadedFile> {
  const type = headerOf(call, 'content-type') ?? '';
  const bytes = unpacked(call.request, headerOf(call, 'content-encoding'));
  const boundary = boundaryOf(type);
  if (boundary === undefined) return { ...mediaOf(type), fileName: undefined, fields: new Map(), bytes };
  const form = new Multipart(bytes, boundary);
  const fields = new Map<string, string>();
  for (let part = await form.next(); part !== undefined; part = await form.next()) {
    if (part.fileName === undefined && part.name !== 'file') {
      if (fields.size >= MAX_FIELDS) throw new AppError('TOO_LARGE', `A form may have at most ${String(MAX_FIELDS)} fields.`);
      fields.set(part.name, await fieldText(part));
    } else if (part.name === 'file') {
      return { ...mediaOf(part.type ?? ''), fileName: part.fileName, fields, bytes: lastPart(form, part) };
    } else throw new AppError('INVALID_PAYLOAD', `The form has a file "${part.name.slice(0, 100)}"; it must be called "file".`);
  }
  throw new AppError('INVALID_PAYLOAD', 'The form has no part "file".', {
    hint: 'Send the file as the part "file", behind all other fields.',
  });
}

const MAX_FIELDS = 50;

/** What comes behind the file would be known too late. */
async function* lastPart(form: Multipart, part: Part): AsyncGenerator<Buffer> {
  yield* part.body();
  const next = await form.next();
  if (next === undefined) return;
  throw new AppError('INVALID_PAYLOAD', `"${next.name.slice(0, 100)}" comes behind the file: the file must be the last part of the form.`);
}

function mediaOf(header: string): { readonly type: string; readonly charset: string | undefined } {
  const charset = /;\s*charset="?([\w-]+)"?/i.exec(header)?.[1]?.toLowerCase();
  return { type: header.split(';')[0]?.trim().toLowerCase() ?? '', charset };
}

function unpacked(request: IncomingMessage, encoding: string | undefined): AsyncIterable<Buffer> {
  switch (encoding?.trim().toLowerCase()) {
    case undefined:
    case '':
    case 'identity':
      return pieces(() => request);
    case 'gzip':
      return pieces(unzipped(request));
    default:
      throw new AppError('UNSUPPORTED_MEDIA', `The body is packed as "${encoding?.slice(0, 50) ?? ''}", and this route takes gzip.`);
  }
}

/** Begun when it is read: what is wrong with it meets its reader. */
const unzipped = (request: IncomingMessage) => (): Gunzip => {
  const gunzip = createGunzip();
  request.once('close', () => {
    if (!request.complete) gunzip.destroy(cutShort());
  });
  // Whoever reads it hears of it there; afterwards nobody has to.
  gunzip.on('error', () => undefined);
  return request.pipe(gunzip);
};

const cutShort = (): AppError => new AppError('INVALID_PAYLOAD', 'The request ended before its body did.');

/** Without the end of the stream when its reader ends early: the answer still goes over its connection. */
async function* pieces(open: () => Readable): AsyncGenerator<Buffer> {
  try {
    for await (const piece of open().iterator({ destroyOnReturn: false })) yield piece as Buffer;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ECONNRESET') throw cutShort();
    if (code.startsWith('Z_')) throw new AppError('INVALID_PAYLOAD', 'The body says it is gzip, and is not.', { cause: error });
    throw error;
  }
}
