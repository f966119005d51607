/**
 * Cursors: the place of a record in a list, sealed. What a cursor is good for is bound to it as associated data, so one that
 * was changed, or made for another app, caller, entity, sort or filter, does not open.
 */
import { isAppError, type AppError } from '../../core/errors.ts';
import type { Place, SortKey } from '../../core/filter/order.ts';
import { invalidValue, tooLarge, type Filter, type ListQuery } from '../../core/filter/query.ts';
import type { AppContext } from '../context.ts';

const MAX_CURSOR = 64 * 1024;

/** What a cursor of this list is bound to. Which fields and relations are shown may differ from call to call. */
export function cursorPurpose({ app, actor }: AppContext, entity: string, query: ListQuery, keys: readonly SortKey[]): string {
  const caller = [actor.kind, actor.id, actor.isAdmin, [...actor.roles].sort()];
  // Types too: a place is the texts of values of these types.
  const order = [query.sort, keys.map((key) => [key.type, key.descending])];
  return `cursor/${JSON.stringify([app.id, caller, entity, order, canonical(query.filter), query.search, query.withDeleted, ...(query.onlyDeleted ? ['only'] : [])])}`;
}

/** The order in which a query string happens to name its conditions means nothing. */
function canonical(filter: Filter | undefined): unknown {
  return filter?.kind === 'and' ? filter.items.map((item) => JSON.stringify(item)).sort() : filter;
}

/** `last` is the place as Postgres wrote it. */
export function sealCursor(ctx: AppContext, last: string, purpose: string): string {
  const cursor = ctx.services.keyring.seal(Buffer.from(last, 'utf8'), purpose).toString('base64url');
  if (cursor.length <= MAX_CURSOR) return cursor;
  throw tooLarge(
    'sort',
    `The values this list is sorted by make a cursor of more than ${MAX_CURSOR} characters.`,
    'Sort by shorter values.',
  );
}

/** The place a cursor stands for; undefined when it does not open for this purpose. */
export function openCursor(ctx: AppContext, cursor: string, purpose: string, keys: readonly SortKey[]): Place | undefined {
  if (cursor.length > MAX_CURSOR || !/^[\w-]+$/.test(cursor)) return undefined;
  const place = placeOf(ctx, cursor, purpose);
  return place?.length === keys.length ? place : undefined;
}

/** 400 for a cursor that fits nothing the request could mean; it does not say what is wrong with it. */
export const foreignCursor = (): AppError =>
  invalidValue(
    'cursor',
    'The cursor does not fit this request: it was changed, or comes from another caller, list, sort or filter.',
    'Send page.next_cursor of the answer before as it is, with the same sort and filter; or begin again without a cursor.',
  );

function placeOf(ctx: AppContext, cursor: string, purpose: string): Place | undefined {
  try {
    return JSON.parse(ctx.services.keyring.open(Buffer.from(cursor, 'base64url'), purpose).toString('utf8')) as Place;
  } catch (error) {
    if (isAppError(error)) return undefined;
    throw error;
  }
}
