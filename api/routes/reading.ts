/** What reads many records at once: lists, `_query`, `_aggregate` and the exports. */
import type { ExportFormat } from '../../core/filter/export.ts';
import type { AppContext } from '../../operations/context.ts';
import { aggregateByBody, aggregateRecords } from '../../operations/records/aggregate.ts';
import { describeExport, exportRecords } from '../../operations/records/export.ts';
import { listRecords, queryRecords } from '../../operations/records/list.ts';
import { textAnswer, type Answer } from '../http/answer.ts';
import { headerOf, objectOf, type Call } from '../http/call.ts';
import { withFreshSchema } from '../rerun.ts';
import { noSuchRoute } from './not-found.ts';

/** A list as JSON, or as a file when that is what `Accept` asks for. */
export async function listRoute(ctx: AppContext, call: Call, entity: string): Promise<Answer> {
  const format = exportFormatOf(headerOf(call, 'accept'));
  if (format !== undefined) return exportRoute(ctx, call, entity, format);
  return textAnswer((await withFreshSchema(ctx, (fresh) => listRecords(fresh, entity, call.query))).text);
}

/** The parts behind an entity's name that read. */
export async function readingRoute(ctx: AppContext, call: Call, entity: string, part: string): Promise<Answer> {
  const isGet = call.method === 'GET';
  if (!isGet && call.method !== 'POST') throw noSuchRoute(call);
  switch (part) {
    case '_query': {
      if (isGet) throw noSuchRoute(call);
      call.route = '/api/:app/:entity/_query';
      const body = await objectOf(call);
      return textAnswer((await withFreshSchema(ctx, (fresh) => queryRecords(fresh, entity, body))).text);
    }
    case '_aggregate': {
      call.route = '/api/:app/:entity/_aggregate';
      const body = isGet ? undefined : await objectOf(call);
      const aggregate = (fresh: AppContext): Promise<{ text: string }> =>
        isGet ? aggregateRecords(fresh, entity, call.query) : aggregateByBody(fresh, entity, body);
      return textAnswer((await withFreshSchema(ctx, aggregate)).text);
    }
    case '_export.csv':
    case '_export.ndjson':
      if (!isGet) throw noSuchRoute(call);
      return exportRoute(ctx, call, entity, part === '_export.csv' ? 'csv' : 'ndjson');
    default:
      throw noSuchRoute(call);
  }
}

const EXPORT_TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

async function exportRoute(ctx: AppContext, call: Call, entity: string, format: ExportFormat): Promise<Answer> {
  call.route = `/api/:app/:entity/_export.${format}`;
  const type = EXPORT_TYPES[format];
  if (call.request.method === 'HEAD') {
    const { fileName } = await withFreshSchema(ctx, (fresh) => Promise.resolve(describeExport(fresh, entity, call.query, format)));
    return { status: 200, text: '', type, headers: attachment(fileName), stream: NOTHING };
  }
  const abort = new AbortController();
  call.response.once('close', () => abort.abort());
  const made = await withFreshSchema(ctx, (fresh) => exportRecords(fresh, entity, call.query, format, abort.signal));
  const answer = { status: 200, text: made.first, type, headers: attachment(made.fileName) };
  return made.rest === undefined ? answer : { ...answer, stream: made.rest };
}

const attachment = (fileName: string): Readonly<Record<string, string>> => ({
  'Content-Disposition': `attachment; filename="${fileName}"`,
});

/** A body of unknown length, for answers to HEAD. */
const NOTHING: AsyncIterable<string> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};

const EXPORT_MEDIA: ReadonlyMap<string, ExportFormat> = new Map<string, ExportFormat>([
  ['text/csv', 'csv'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
]);

/** The file type that `Accept` prefers over JSON, if any; of equals the one that is named first. */
function exportFormatOf(accept: string | undefined): ExportFormat | undefined {
  if (accept === undefined || !/csv|ndjson/i.test(accept)) return undefined;
  let best: { readonly format: ExportFormat | undefined; readonly quality: number } = { format: undefined, quality: 0 };
  for (const item of accept.toLowerCase().split(',')) {
    const [media = '', ...parameters] = item.split(';').map((part) => part.trim());
    const format = EXPORT_MEDIA.get(media);
    // Wildcards mean "if need be": they never win over a named type.
    if (format === undefined && media !== 'application/json') continue;
    const quality = Number(/^q=([\d.]+)$/.exec(parameters.find((part) => part.startsWith('q=')) ?? '')?.[1] ?? 1);
    if (quality > best.quality) best = { format, quality };
  }
  return best.format;
}
