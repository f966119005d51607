/** `/api/:app/_admin/:section...`: definitions one by one. Every write is a publish and answers what it understood. */
import { AppError } from '../../core/errors.ts';
import type { AppContext } from '../../operations/context.ts';
import {
  createDefinition,
  deleteDefinition,
  getDefinition,
  listDefinitions,
  sectionOf,
  updateDefinition,
  type DefinitionAnswer,
} from '../../operations/schemas/definitions.ts';
import { checkParameters, readPage } from '../../operations/paging.ts';
import type { PublishOptions } from '../../operations/schemas/publish.ts';
import { bodyAnswer, dataAnswer, type Answer } from '../http/answer.ts';
import { headerOf, noBodyOf, objectOf, type Call } from '../http/call.ts';
import { unlessKnown } from '../http/if-none-match.ts';
import { noSuchRoute } from './not-found.ts';

export async function definitionsRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [part = '', key, ...more] = rest;
  const section = sectionOf(part);
  if (section === undefined || more.length > 0) {
    call.route = 'unknown';
    throw noSuchRoute(call);
  }
  if (key === undefined) {
    if (call.method === 'GET') {
      checkParameters(call.query, ['page', 'per_page']);
      const all = await listDefinitions(ctx, section);
      // All of them, unless a page is asked for: there are as many as a document holds.
      const { page, perPage, offset } = readPage(call.query, Math.max(1_000, all.length), all.length);
      const meta = { page, per_page: perPage, total: all.length, schema_version: ctx.app.version };
      return bodyAnswer({ data: all.slice(offset, offset + perPage), meta });
    }
    if (call.method !== 'POST') throw noSuchRoute(call);
    return written(await createDefinition(ctx, section, await objectOf(call), publishOptionsOf(call)), 201);
  }
  switch (call.method) {
    case 'GET': {
      const etag = `"${ctx.app.version}"`;
      return unlessKnown(call, etag, dataAnswer(getDefinition(ctx, section, key), 200, { ETag: etag }));
    }
    case 'PUT':
    case 'PATCH':
      return written(await updateDefinition(ctx, section, key, await objectOf(call), publishOptionsOf(call)), 200);
    case 'DELETE':
      await noBodyOf(call, `DELETE _admin/${part}`);
      return written(await deleteDefinition(ctx, section, key, publishOptionsOf(call)), 200);
    default:
      throw noSuchRoute(call);
  }
}

function written({ isPending, migration, ...answer }: DefinitionAnswer, status: number): Answer {
  const body = migration === null ? answer : { ...answer, migration };
  return bodyAnswer(body, isPending ? 202 : status, { ETag: `"${answer.schema_version}"` });
}

/** What every publish takes beside its body: the version that was edited, and whether what vanishes is meant to. */
export const publishOptionsOf = (call: Call): PublishOptions => ({ ...ifMatchOf(call), ...confirmOf(call) });

/** `?confirm=drop`. */
export function confirmOf(call: Call): Pick<PublishOptions, 'confirm'> {
  const given = call.query.get('confirm');
  if (given === null) return {};
  if (given !== 'drop') throw new AppError('INVALID_VALUE', '"confirm" must be drop.');
  return { confirm: ['drop'] };
}

function ifMatchOf(call: Call): PublishOptions {
  const given = headerOf(call, 'if-match');
  if (given === undefined || given.trim() === '*') return {};
  const version = /^\s*(?:W\/)?"?(\d{1,9})"?\s*$/.exec(given)?.[1];
  if (version === undefined)
    throw new AppError('PRECONDITION_FAILED', 'If-Match must be the number of the schema version you edited, like "3".');
  return { ifMatch: Number(version) };
}
