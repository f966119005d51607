/** Saved lists as they are stored, and who may see and change which. */
import { type Db, run } from '../../adapters/postgres/run.ts';
import type { ListContent } from '../../core/change/older-shape/saved-list.ts';
import { AppError } from '../../core/errors.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { EVERYBODY } from '../../core/payloads/lists.ts';
import { id, or, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';

export interface ListRow {
  readonly id: string;
  readonly entity_key: string;
  readonly entity: string;
  readonly schema_version: number;
  readonly name: string;
  readonly content: ListContent;
  readonly owner: string | null;
  readonly shared_with: string[] | null;
  readonly created_by: { readonly kind: string; readonly id: string | null };
  readonly version: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly is_default: boolean;
}

/** What an entity is known by under all of its names. */
export const entityKey = ({ definition, table }: EntityModel): string => definition.id ?? `table:${table}`;

export const entityOfKey = (ctx: AppContext, key: string): EntityModel | undefined =>
  [...ctx.app.model.entities.values()].find((entity) => entityKey(entity) === key);

/** The account whose own lists these are; a key without an account has none. */
export function ownerOf({ actor }: AppContext): string | undefined {
  return actor.id === null || actor.id === actor.keyId ? undefined : actor.id;
}

/** The rows `l` that the caller may see: its own, and those shared with it. */
export function visible(ctx: AppContext): Sql {
  const { actor } = ctx;
  const own = sql`l.owner = ${value(ownerOf(ctx) ?? null, 'text')}`;
  if (actor.isAdmin) return or([own, sql`l.owner is null`]);
  return or([own, sql`l.shared_with && ${value([EVERYBODY, ...actor.roles], 'text[]')}`]);
}

export const selectLists = (ctx: AppContext): Sql => sql`
  select l.id, l.entity_key, l.entity, l.schema_version, l.name, l.content, l.owner, l.shared_with, l.created_by, l.version,
    l.created_at, l.updated_at, d.list_id is not null as is_default
  from ${id(ctx.app.storage, '_lists')} l
  left join ${id(ctx.app.storage, '_list_defaults')} d on d.list_id = l.id and d.owner = ${value(ownerOf(ctx) ?? null, 'text')}`;

/** One that the caller may see, or NOT_FOUND. */
export async function findList(db: Db, ctx: AppContext, listId: string, lock: Sql = sql``): Promise<ListRow> {
  const [row] = isUuid(listId)
    ? await run<ListRow>(db, sql`${selectLists(ctx)} where l.id = ${value(listId, 'uuid')} and ${visible(ctx)}${lock}`)
    : [];
  if (row === undefined) throw new AppError('NOT_FOUND', `There is no saved list "${listId.slice(0, 100)}".`);
  return row;
}

/** Admins, and the roles that the document names, make and change lists for others. */
export const mayShare = ({ actor, app }: AppContext): boolean =>
  actor.isAdmin || app.model.settings.lists?.shared_by.some((role) => actor.roles.includes(role.toLowerCase())) === true;

export const mayChange = (ctx: AppContext, row: Pick<ListRow, 'owner'>): boolean =>
  row.owner === null ? mayShare(ctx) : row.owner === ownerOf(ctx);
