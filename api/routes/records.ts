/** `/api/:app/:entity...`: one dispatch for every entity of every app. */
import { unknownParameter } from '../../core/filter/parse-lists.ts';
import type { AppContext } from '../../operations/context.ts';
import { createRecord } from '../../operations/records/create.ts';
import { deleteRecord } from '../../operations/records/delete.ts';
import { getRecord } from '../../operations/records/get.ts';
import { recordHistory, revertChange } from '../../operations/records/history.ts';
import { restoreRecord } from '../../operations/records/restore.ts';
import { listTransitions } from '../../operations/records/transitions.ts';
import { updateRecord } from '../../operations/records/update.ts';
import { recordTimeline } from '../../operations/timeline/read.ts';
import { bodyAnswer, dataAnswer, dataText, textAnswer, type Answer } from '../http/answer.ts';
import { jsonOf, noBodyOf, objectOf, type Call } from '../http/call.ts';
import { unlessKnown } from '../http/if-none-match.ts';
import { replayHeaders, writeOptions } from '../http/write-options.ts';
import { withFreshSchema } from '../rerun.ts';
import { bulkRoute } from './batch.ts';
import { importRecordsRoute } from './imports.ts';
import { commentsRoute } from './comments.ts';
import { noSuchRoute } from './not-found.ts';
import { listRoute, readingRoute } from './reading.ts';
import { recordClocksRoute } from './slas.ts';

export async function recordsRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [entity = '', record, ...more] = rest;
  if (more.length === 1 && more[0] === '_restore' && record !== undefined && call.method === 'POST')
    return restoreRoute(ctx, call, entity, record);
  if (more.length === 1 && more[0] === '_transitions' && record?.startsWith('_') === false)
    return transitionsRoute(ctx, call, entity, record);
  if (more[0] === '_history' && record?.startsWith('_') === false) return historyRoute(ctx, call, entity, record, more.slice(1));
  if (more.length === 1 && more[0] === '_timeline' && record?.startsWith('_') === false) return timelineRoute(ctx, call, entity, record);
  if (more[0] === '_comments' && record?.startsWith('_') === false) return commentsRoute(ctx, call, { entity, record }, more.slice(1));
  if (more.length === 1 && more[0] === '_slas' && record?.startsWith('_') === false) return recordClocksRoute(ctx, call, entity, record);
  if (more.length > 0) throw noSuchRoute(call);
  if (record === undefined) return collectionRoute(ctx, call, entity);
  if (record === '_bulk') return bulkRoute(ctx, call, entity);
  if (record === '_import') return importRecordsRoute(ctx, call, entity);
  if (record.startsWith('_')) {
    return readingRoute(ctx, call, entity, record);
  }
  return recordRoute(ctx, call, entity, record);
}

async function collectionRoute(ctx: AppContext, call: Call, entity: string): Promise<Answer> {
  call.route = '/api/:app/:entity';
  if (call.method === 'GET') return listRoute(ctx, call, entity);
  if (call.method !== 'POST') throw noSuchRoute(call);
  const body = await objectOf(call);
  const options = writeOptions(call, body);
  const written = await withFreshSchema(ctx, (fresh) => createRecord(fresh, entity, body, options));
  return dataText(written.text, 201, { ETag: etagOf(written.version), ...replayHeaders(options) });
}

/** What the caller may do with the states of a record now, and why not the rest. */
async function transitionsRoute(ctx: AppContext, call: Call, entity: string, record: string): Promise<Answer> {
  if (call.method !== 'GET') throw noSuchRoute(call);
  call.route = '/api/:app/:entity/:id/_transitions';
  for (const key of call.query.keys()) throw unknownParameter(key, []);
  return dataAnswer(await withFreshSchema(ctx, (fresh) => listTransitions(fresh, entity, record)));
}

/** What happened to a record, and undoing one change of it. */
async function historyRoute(ctx: AppContext, call: Call, entity: string, record: string, rest: readonly string[]): Promise<Answer> {
  const [event, verb, ...more] = rest;
  if (event === undefined && call.method === 'GET') {
    call.route = '/api/:app/:entity/:id/_history';
    return textAnswer(await withFreshSchema(ctx, (fresh) => recordHistory(fresh, entity, record, call.query)));
  }
  if (event === undefined || verb !== 'revert' || more.length > 0 || call.method !== 'POST') throw noSuchRoute(call);
  call.route = '/api/:app/:entity/:id/_history/:event/revert';
  const options = writeOptions(call, await noBodyOf(call, '_history/revert'));
  const written = await withFreshSchema(ctx, (fresh) => revertChange(fresh, entity, record, event, options));
  return dataText(written.text, 200, { ETag: etagOf(written.version), ...replayHeaders(options) });
}

async function timelineRoute(ctx: AppContext, call: Call, entity: string, record: string): Promise<Answer> {
  if (call.method !== 'GET') throw noSuchRoute(call);
  call.route = '/api/:app/:entity/:id/_timeline';
  return bodyAnswer(await withFreshSchema(ctx, (fresh) => recordTimeline(fresh, entity, record, call.query)));
}

async function recordRoute(ctx: AppContext, call: Call, entity: string, record: string): Promise<Answer> {
  call.route = '/api/:app/:entity/:id';
  switch (call.method) {
    case 'GET': {
      const found = await withFreshSchema(ctx, (fresh) => getRecord(fresh, entity, record, call.query));
      // Weak with related records: the version in it is the record's own.
      const etag = `${found.isAlone ? '' : 'W/'}"${found.version}-${found.tag}"`;
      return unlessKnown(call, etag, textAnswer(found.text, 200, { ETag: etag }));
    }
    case 'PUT':
    case 'PATCH': {
      const body = await objectOf(call);
      const options = writeOptions(call, body);
      const written = await withFreshSchema(ctx, (fresh) => updateRecord(fresh, entity, record, body, options));
      return dataText(written.text, 200, { ETag: etagOf(written.version), ...replayHeaders(options) });
    }
    case 'DELETE': {
      const options = writeOptions(call, await jsonOf(call));
      const deleted = await withFreshSchema(ctx, (fresh) => deleteRecord(fresh, entity, record, options));
      return dataAnswer(deleted, 200, replayHeaders(options));
    }
    default:
      throw noSuchRoute(call);
  }
}

const etagOf = (version: string): string => `"${version}"`;

async function restoreRoute(ctx: AppContext, call: Call, entity: string, record: string): Promise<Answer> {
  call.route = '/api/:app/:entity/:id/_restore';
  const options = writeOptions(call, await noBodyOf(call, '_restore'));
  const restored = await withFreshSchema(ctx, (fresh) => restoreRecord(fresh, entity, record, options));
  return dataText(restored.text, 200, { ETag: etagOf(restored.version), ...replayHeaders(options) });
}
