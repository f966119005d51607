/** `/api/:app/:entity...`: one dispatch for every entity of every app. */
import { AppError } from '../../core/errors.ts';
import type { AppContext } from '../../operations/context.ts';
import { createRecord } from '../../operations/records/create.ts';
import { deleteRecord } from '../../operations/records/delete.ts';
import { getRecord } from '../../operations/records/get.ts';
import { updateRecord } from '../../operations/records/update.ts';
import { dataAnswer, dataText, textAnswer, type Answer } from '../http/answer.ts';
import { headerOf, jsonOf, objectOf, type Call } from '../http/call.ts';
import { withFreshSchema } from '../rerun.ts';
import { noSuchRoute } from './not-found.ts';
import { listRoute, readingRoute } from './reading.ts';

export async function recordsRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [entity = '', record, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  if (record === undefined) return collectionRoute(ctx, call, entity);
  if (record.startsWith('_')) {
    return readingRoute(ctx, call, entity, record);
  }
  return recordRoute(ctx, call, entity, record);
}

async function collectionRoute(ctx: AppContext, call: Call, entity: string): Promise<Answer> {
  call.route = '/api/:app/:entity';
  if (call.method === 'GET') return listRoute(ctx, call, entity);
  if (call.method !== 'POST') throw wrongMethod(call);
  const body = await objectOf(call);
  const written = await withFreshSchema(ctx, (fresh) => createRecord(fresh, entity, body));
  return dataText(written.text, 201, { ETag: etagOf(written.version) });
}

async function recordRoute(ctx: AppContext, call: Call, entity: string, record: string): Promise<Answer> {
  call.route = '/api/:app/:entity/:id';
  switch (call.method) {
    case 'GET': {
      const found = await withFreshSchema(ctx, (fresh) => getRecord(fresh, entity, record, call.query));
      // Weak: related records are shown, and the version in it is the record's own.
      const etag = found.digest === undefined ? etagOf(found.version) : `W/"${found.version}-${found.digest}"`;
      return matches(headerOf(call, 'if-none-match'), etag)
        ? { status: 304, text: '', headers: { ETag: etag } }
        : textAnswer(found.text, 200, { ETag: etag });
    }
    case 'PUT':
    case 'PATCH': {
      const body = await objectOf(call);
      const written = await withFreshSchema(ctx, (fresh) => updateRecord(fresh, entity, record, body, ifMatchOf(call)));
      return dataText(written.text, 200, { ETag: etagOf(written.version) });
    }
    case 'DELETE': {
      await jsonOf(call);
      return dataAnswer(await withFreshSchema(ctx, (fresh) => deleteRecord(fresh, entity, record, ifMatchOf(call))));
    }
    default:
      throw wrongMethod(call);
  }
}

const etagOf = (version: string): string => `"${version}"`;

const unquoted = (tag: string): string =>
  tag
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1');

const matches = (given: string | undefined, etag: string): boolean =>
  given !== undefined && (given.trim() === '*' || given.split(',').some((tag) => unquoted(tag) === unquoted(etag)));

/** The record version an `If-Match` asks for; `*` asks only that the record is there, which every write does. */
function ifMatchOf(call: Call): { ifMatch?: string } {
  const given = headerOf(call, 'if-match');
  if (given === undefined || given.trim() === '*') return {};
  // The tag of a record that was read with its relations begins with its version.
  const version = unquoted(given).replace(/-[\w-]{22}$/, '');
  if (!/^\d{1,18}$/.test(version)) throw new AppError('PRECONDITION_FAILED', 'If-Match must be the ETag of the record, like "3".');
  return { ifMatch: version };
}

const wrongMethod = noSuchRoute;
