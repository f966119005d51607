/** Files of records: `POST /:entity/_import`, and `_imports` with what became of them. */
import { AppError } from '../../core/errors.ts';
import { unknownParameter } from '../../core/filter/parse-lists.ts';
import { importPayload, type ImportPayload } from '../../core/payloads/imports.ts';
import type { AppContext } from '../../operations/context.ts';
import { cancelImport, recheckImport, runImport, undoImport } from '../../operations/imports/command.ts';
import type { ImportFormat } from '../../operations/imports/file-reader.ts';
import { getImport, importErrors, keptRecords, listImports, resultFile } from '../../operations/imports/read.ts';
import { admitImport, receiveImport } from '../../operations/imports/receive.ts';
import { checkParameters } from '../../operations/paging.ts';
import { readPayload } from '../../operations/payload.ts';
import { bodyAnswer, dataAnswer, textAnswer, type Answer } from '../http/answer.ts';
import { jsonOf, noBodyOf, type Call } from '../http/call.ts';
import { withUpload, type UploadedFile } from '../http/upload.ts';
import { withFreshSchema } from '../rerun.ts';
import { noSuchRoute } from './not-found.ts';

/** 202 as soon as the file is stored; nothing waits for its check. */
export async function importRecordsRoute(ctx: AppContext, call: Call, entity: string): Promise<Answer> {
  if (call.method !== 'POST') throw noSuchRoute(call);
  call.route = '/api/:app/:entity/_import';
  return withUpload(call, async (file) => {
    const media = formatOf(file);
    const options = optionsOf(call.query, file, media);
    const receiving = await withFreshSchema(ctx, (fresh) => admitImport(fresh, entity, options));
    const made = await receiveImport(receiving, { format: media.format, options, file: file.bytes });
    const location = `/api/${encodeURIComponent(ctx.app.name)}/_imports/${String(made['id'])}`;
    return dataAnswer(made, 202, { Location: location });
  });
}

export async function importsRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [importId, verb, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  if (importId === undefined) {
    if (call.method !== 'GET') throw noSuchRoute(call);
    call.route = '/api/:app/_imports';
    return bodyAnswer(await listImports(ctx, call.query));
  }
  return call.method === 'GET' ? readRoute(ctx, call, importId, verb) : commandRoute(ctx, call, importId, verb);
}

async function readRoute(ctx: AppContext, call: Call, importId: string, part: string | undefined): Promise<Answer> {
  call.route = `/api/:app/_imports/:id${part === undefined ? '' : '/:part'}`;
  switch (part) {
    case undefined:
      checkParameters(call.query, []);
      return dataAnswer(await getImport(ctx, importId));
    case 'errors':
      return textAnswer(await importErrors(ctx, importId, call.query));
    case 'kept':
      return textAnswer(await keptRecords(ctx, importId, call.query));
    case 'errors.csv':
    case 'errors.ndjson': {
      checkParameters(call.query, []);
      const { fileName, type, pieces } = await resultFile(ctx, importId, part.slice('errors.'.length));
      return { status: 200, text: '', type, headers: { 'Content-Disposition': `attachment; filename="${fileName}"` }, stream: pieces };
    }
    default:
      throw noSuchRoute(call);
  }
}

async function commandRoute(ctx: AppContext, call: Call, importId: string, verb: string | undefined): Promise<Answer> {
  if (call.method !== 'POST') throw noSuchRoute(call);
  call.route = '/api/:app/_imports/:id/:verb';
  checkParameters(call.query, []);
  switch (verb) {
    case 'check': {
      const body = await jsonOf(call);
      return dataAnswer(await withFreshSchema(ctx, (fresh) => recheckImport(fresh, importId, body)), 202);
    }
    case 'run': {
      const body = await jsonOf(call);
      return dataAnswer(await withFreshSchema(ctx, (fresh) => runImport(fresh, importId, body)), 202);
    }
    case 'cancel':
      await noBodyOf(call, '_imports/cancel');
      return dataAnswer(await cancelImport(ctx, importId));
    case 'undo':
      await noBodyOf(call, '_imports/undo');
      return dataAnswer(await undoImport(ctx, importId), 202);
    default:
      throw noSuchRoute(call);
  }
}

// --- what comes with a file --------------------------------------------------------------------------------------------

interface Media {
  readonly format: ImportFormat;
  readonly delimiter?: '\t';
  readonly encoding?: 'windows-1252';
}

const EXTENSIONS: ReadonlyMap<string, Media> = new Map<string, Media>([
  ['csv', { format: 'csv' }],
  ['txt', { format: 'csv' }],
  ['tsv', { format: 'csv', delimiter: '\t' }],
  ['tab', { format: 'csv', delimiter: '\t' }],
  ['ndjson', { format: 'ndjson' }],
  ['jsonl', { format: 'ndjson' }],
]);
const TYPES: ReadonlyMap<string, Media> = new Map<string, Media>([
  ['text/csv', { format: 'csv' }],
  ['application/csv', { format: 'csv' }],
  ['text/tab-separated-values', { format: 'csv', delimiter: '\t' }],
  ['application/x-ndjson', { format: 'ndjson' }],
  ['application/ndjson', { format: 'ndjson' }],
  ['application/jsonl', { format: 'ndjson' }],
]);
const LATIN = new Set(['iso-8859-1', 'latin1', 'windows-1252', 'cp1252', 'us-ascii']);

/** By the type; browsers send files of spreadsheets under types of their own, so then by the name. */
function formatOf({ type, charset, fileName }: UploadedFile): Media {
  const media = TYPES.get(type) ?? (fileName === undefined ? undefined : EXTENSIONS.get(fileName.split('.').at(-1)?.toLowerCase() ?? ''));
  if (media === undefined) {
    throw new AppError(
      'UNSUPPORTED_MEDIA',
      `The file is "${(type || (fileName ?? 'of no type')).slice(0, 100)}", and this route takes CSV and NDJSON.`,
      {
        hint: 'Send Content-Type: text/csv or application/x-ndjson, or a form with the part "file".',
      },
    );
  }
  return charset !== undefined && LATIN.has(charset) ? { ...media, encoding: 'windows-1252' } : media;
}

const KNOWN = [...Object.keys(importPayload.shape), 'options'];

/** Options one by one, or all as JSON in `options`; those of the form win over those of the query. */
function optionsOf(query: URLSearchParams, file: UploadedFile, media: Media): ImportPayload {
  for (const name of query.keys()) if (!KNOWN.includes(name)) throw unknownParameter(name, KNOWN);
  const given: Record<string, unknown> = {};
  for (const [name, text] of [...query, ...file.fields]) {
    if (name === 'options') Object.assign(given, jsonObject(name, text));
    else given[name] = optionValue(name, text);
  }
  const own = { delimiter: media.delimiter, encoding: media.encoding, file_name: file.fileName?.slice(0, 255) || undefined };
  const defaults = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  return readPayload(importPayload, { ...defaults, ...given }, '_import');
}

function optionValue(name: string, text: string): unknown {
  switch (name) {
    case 'mapping':
      return jsonObject(name, text);
    case 'on':
      return text.includes(',') ? text.split(',').map((part) => part.trim()) : text;
    case 'trim':
    case 'header':
    case 'run':
      return text === 'true' ? true : text === 'false' ? false : text;
    default:
      return text;
  }
}

function jsonObject(name: string, text: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  const message = `"${name}" must be a JSON object.`;
  throw new AppError('INVALID_VALUE', message, { details: [{ field: name, rule: 'type', message }] });
}
