/** Saved lists as callers read them. */
import { run } from '../../adapters/postgres/run.ts';
import type { ListContent } from '../../core/change/older-shape/saved-list.ts';
import { and, id, sql, value } from '../../core/sql/sql.ts';
import type { ReadScope } from '../../core/filter/scope.ts';
import type { AppContext } from '../context.ts';
import { checkParameters, readPage, readText } from '../paging.ts';
import { readableEntity, readScope } from '../records/read-scope.ts';
import { contentToday, seenBy, type Stale } from './content.ts';
import { entityKey, entityOfKey, findList, mayChange, selectLists, visible, type ListRow } from './rows.ts';

export interface SavedList extends ListContent {
  readonly id: string;
  /** Its name of today; of an entity that is gone, the last one. */
  readonly entity: string;
  readonly name: string;
  /** Null: the caller's own. */
  readonly shared_with: readonly string[] | null;
  /** What the caller opens this entity with. */
  readonly is_default: boolean;
  readonly may_change: boolean;
  readonly stale: readonly Stale[];
  readonly version: number;
  readonly created_by: { readonly kind: string; readonly id: string | null };
  readonly created_at: string;
  readonly updated_at: string;
}

/** Own ones first, each part by name. */
export async function listLists(ctx: AppContext, query: URLSearchParams): Promise<{ data: SavedList[]; meta: object }> {
  checkParameters(query, ['entity', 'page', 'per_page']);
  const { page, perPage, offset } = readPage(query, 100, 50);
  const scope = readScope(ctx);
  const name = readText(query, 'entity');
  const entity = name === undefined ? undefined : readableEntity(ctx, scope, name);
  const where = and([visible(ctx), ...(entity === undefined ? [] : [sql`l.entity_key = ${value(entityKey(entity))}`])]);
  const [rows, [count]] = await Promise.all([
    run<ListRow>(
      ctx.services.pool,
      sql`${selectLists(ctx)} where ${where} order by l.owner is null, lower(l.name), l.id
          limit ${value(perPage, 'integer')} offset ${value(offset, 'bigint')}`,
    ),
    run<{ total: string }>(ctx.services.pool, sql`select count(*) as total from ${id(ctx.app.storage, '_lists')} l where ${where}`),
  ]);
  const data = await Promise.all(rows.map((row) => toAnswer(ctx, scope, row)));
  return { data, meta: { page, per_page: perPage, total: Number(count?.total ?? 0) } };
}

export const getList = async (ctx: AppContext, listId: string): Promise<SavedList> =>
  toAnswer(ctx, readScope(ctx), await findList(ctx.services.pool, ctx, listId));

/** Reading never fails because of what a list names: that is told in `stale`. */
export async function toAnswer(ctx: AppContext, scope: ReadScope, row: ListRow): Promise<SavedList> {
  const entity = entityOfKey(ctx, row.entity_key);
  const may = mayChange(ctx, row);
  const today = await contentToday(ctx, row);
  const isReadable = entity !== undefined && scope.access(entity).isGranted;
  const seen = isReadable ? seenBy(ctx, scope, entity, today, may) : { content: may ? today.content : NOTHING, stale: [NO_ENTITY] };
  const { id: listId, name, shared_with, is_default, version, created_by, created_at, updated_at } = row;
  return {
    id: listId,
    entity: entity?.name ?? row.entity,
    name,
    ...seen.content,
    shared_with,
    is_default,
    may_change: may,
    stale: seen.stale,
    version: Number(version),
    created_by,
    created_at: created_at.toISOString(),
    updated_at: updated_at.toISOString(),
  };
}

const NOTHING: ListContent = { filter: null, q: null, sort: [], columns: null, per_page: null };
const NO_ENTITY: Stale = { part: 'entity', message: 'The entity is gone, or you may not read it.' };
