/** Making, changing and deleting saved lists. */
import type pg from 'pg';
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run, sqlState, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import type { ListContent } from '../../core/change/older-shape/saved-list.ts';
import { AppError } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { changedList, newList, type ChangedList } from '../../core/payloads/lists.ts';
import { id, join, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { readDescribed } from '../payload.ts';
import { readableEntity, readScope } from '../records/read-scope.ts';
import { versionsOf } from '../records/record-key.ts';
import { contentToday, refuseMistakes } from './content.ts';
import { getList, type SavedList } from './read.ts';
import { entityKey, entityOfKey, findList, mayChange, mayShare, ownerOf, type ListRow } from './rows.ts';

const WHAT = 'a saved list';
const MOST_OWN = 200;
const MOST_SHARED = 1000;

export async function createList(ctx: AppContext, body: unknown): Promise<SavedList> {
  const input = readDescribed(newList, body, WHAT);
  const scope = readScope(ctx);
  const entity = readableEntity(ctx, scope, input.entity);
  const content = contentOf(input, { filter: null, q: null, sort: [], columns: null, per_page: null });
  const sharedWith = input.shared_with ?? null;
  const ownership = ownershipOf(ctx, sharedWith);
  refuseMistakes(ctx, scope, entity, content);
  const listId = uuidv7();
  await written(ctx, input.name, async (client) => {
    await refuseTooMany(client, ctx, sharedWith !== null);
    const { kind, id: actorId } = ctx.actor;
    await execute(
      client,
      sql`insert into ${id(ctx.app.storage, '_lists')}
            (id, entity_key, entity, schema_version, name, content, created_by, owner, user_id, shared_with)
          values (${value(listId, 'uuid')}, ${value(entityKey(entity))}, ${value(entity.name)}, ${value(ctx.app.version, 'integer')},
            ${value(input.name)}, ${value(JSON.stringify(content), 'jsonb')}, ${value(JSON.stringify({ kind, id: actorId }), 'jsonb')},
            ${join([ownership.owner, ownership.userId, ownership.sharedWith])})`,
    );
    if (input.is_default !== undefined) await setDefault(client, ctx, { id: listId, entity_key: entityKey(entity) }, input.is_default);
  });
  return getList(ctx, listId);
}

/** What is given and nothing else. Whether it is the caller's default concerns the caller alone: whoever sees a list may say so. */
export async function updateList(ctx: AppContext, listId: string, body: unknown, ifMatch: string | undefined): Promise<SavedList> {
  const { is_default: isDefault, ...input } = readDescribed(changedList, body, WHAT);
  await written(ctx, input.name ?? '', async (client) => {
    const row = await findList(client, ctx, listId, raw(' for no key update of l'));
    refuseStale(row, ifMatch);
    if (Object.keys(input).length > 0) await change(client, ctx, row, input);
    if (isDefault !== undefined) await setDefault(client, ctx, row, isDefault);
  });
  return getList(ctx, listId);
}

export async function deleteList(ctx: AppContext, listId: string, ifMatch: string | undefined): Promise<{ id: string }> {
  return transaction(ctx.services.pool, async (client) => {
    const row = await findList(client, ctx, listId, raw(' for update of l'));
    refuseStale(row, ifMatch);
    refuseUnlessMine(ctx, row);
    await execute(client, sql`delete from ${id(ctx.app.storage, '_lists')} where id = ${value(row.id, 'uuid')}`);
    return { id: row.id };
  });
}

async function change(client: pg.PoolClient, ctx: AppContext, row: ListRow, input: Omit<ChangedList, 'is_default'>): Promise<void> {
  refuseUnlessMine(ctx, row);
  const set: Sql[] = [sql`version = version + 1`, sql`updated_at = now()`];
  if (input.name !== undefined) set.push(sql`name = ${value(input.name)}`);
  if (input.shared_with !== undefined) {
    const isShared = input.shared_with !== null;
    if (isShared !== (row.owner === null)) await refuseTooMany(client, ctx, isShared);
    const { owner, userId, sharedWith } = ownershipOf(ctx, input.shared_with);
    set.push(sql`owner = ${owner}`, sql`user_id = ${userId}`, sql`shared_with = ${sharedWith}`);
  }
  if (CONTENT.some((part) => input[part] !== undefined)) {
    const entity = entityOf(ctx, row);
    const today = await contentToday(ctx, row);
    const content = contentOf(input, today.content);
    // What is gone and stays would from now on be said in the names of today, which may be others' by now.
    const kept = today.gone.filter(({ part }) => input[part] === undefined);
    refuseMistakes(ctx, readScope(ctx), entity, content, kept);
    set.push(
      sql`content = ${value(JSON.stringify(content), 'jsonb')}`,
      sql`entity = ${value(entity.name)}`,
      sql`schema_version = ${value(ctx.app.version, 'integer')}`,
    );
  }
  await execute(client, sql`update ${id(ctx.app.storage, '_lists')} set ${join(set)} where id = ${value(row.id, 'uuid')}`);
}

const CONTENT = ['filter', 'q', 'sort', 'columns', 'per_page'] as const satisfies readonly (keyof ListContent)[];

const contentOf = (input: Partial<Record<(typeof CONTENT)[number], unknown>>, before: ListContent): ListContent => ({
  ...before,
  ...Object.fromEntries(CONTENT.flatMap((part) => (input[part] === undefined ? [] : [[part, input[part]]]))),
});

function entityOf(ctx: AppContext, row: ListRow): EntityModel {
  const entity = entityOfKey(ctx, row.entity_key);
  if (entity === undefined) throw new AppError('INVALID_STATE', 'The entity of this list is gone.', { hint: 'Delete the list.' });
  return readableEntity(ctx, readScope(ctx), entity.name);
}

/** The columns that say whose it is; FORBIDDEN where the caller may not have such a list. */
function ownershipOf(ctx: AppContext, sharedWith: readonly string[] | null): Readonly<Record<'owner' | 'userId' | 'sharedWith', Sql>> {
  if (sharedWith !== null) {
    if (!mayShare(ctx))
      throw new AppError('FORBIDDEN', 'You may not share lists.', {
        hint: 'Admins may, and the roles in settings.lists.shared_by of the document.',
      });
    return { owner: raw('null'), userId: raw('null'), sharedWith: value([...sharedWith], 'text[]') };
  }
  const owner = ownerOf(ctx);
  if (owner === undefined) throw new AppError('FORBIDDEN', 'An API key without an account has no lists of its own.');
  // Accounts of the platform are in no table of the app.
  const userId =
    ctx.actor.kind === 'platform' ? raw('null') : sql`(select id from ${id(ctx.app.storage, '_users')} where id::text = ${value(owner)})`;
  return { owner: value(owner), userId, sharedWith: raw('null') };
}

function refuseUnlessMine(ctx: AppContext, row: ListRow): void {
  if (!mayChange(ctx, row))
    throw new AppError('FORBIDDEN', 'This list is shared with you; you may not change it.', {
      hint: 'Save it under another name as your own.',
    });
}

function refuseStale({ version }: ListRow, ifMatch: string | undefined): void {
  const wanted = versionsOf(ifMatch);
  if (wanted === undefined || wanted.includes(version)) return;
  throw new AppError('PRECONDITION_FAILED', `The list is at version ${version}: somebody changed it.`, { hint: 'Read it again.' });
}

async function refuseTooMany(db: Db, ctx: AppContext, isShared: boolean): Promise<void> {
  const most = isShared ? MOST_SHARED : MOST_OWN;
  const [row] = await run<{ count: number }>(
    db,
    sql`select count(*)::int as count from ${id(ctx.app.storage, '_lists')}
        where ${isShared ? raw('owner is null') : sql`owner = ${value(ownerOf(ctx) ?? null, 'text')}`}`,
  );
  if ((row?.count ?? 0) < most) return;
  throw new AppError('CONFLICT', `${isShared ? 'An app has at most' : 'You have at most'} ${most} ${isShared ? 'shared' : 'own'} lists.`, {
    hint: 'Delete one that is not needed.',
  });
}

async function setDefault(db: Db, ctx: AppContext, list: Pick<ListRow, 'id' | 'entity_key'>, isDefault: boolean): Promise<void> {
  const { owner, userId } = ownershipOf(ctx, null);
  const table = id(ctx.app.storage, '_list_defaults');
  await execute(
    db,
    isDefault
      ? sql`insert into ${table} (owner, entity_key, list_id, user_id)
            values (${owner}, ${value(list.entity_key)}, ${value(list.id, 'uuid')}, ${userId})
            on conflict (owner, entity_key) do update set list_id = excluded.list_id`
      : sql`delete from ${table} where owner = ${owner} and list_id = ${value(list.id, 'uuid')}`,
  );
}

/** One transaction; a name that is taken is a CONFLICT. */
async function written(ctx: AppContext, name: string, work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  try {
    await transaction(ctx.services.pool, work);
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    throw new AppError(
      'CONFLICT',
      name === '' ? 'There is a list of this name already.' : `There is a list "${name}" of this entity already.`,
      {
        details: [{ field: 'name', rule: 'unique', message: 'is taken' }],
        cause: error,
      },
    );
  }
}
