/** Moving an app to a version its schema has already: how a follower takes what was published, and how it got its first. */
import type pg from 'pg';
import { run, sqlState } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { refuseUnconfirmed } from '../../core/change/confirm.ts';
import { AppError } from '../../core/errors.ts';
import type { Move, Split } from '../../core/change/change.ts';
import type { Instruction } from '../../core/model/instructions.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { fromStore } from '../../core/model/stored.ts';
import { EMPTY_DOCUMENT } from '../../core/model/merge.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { checkEntityNames } from '../apps/names.ts';
import { systemActor, type Actor, type AppContext, type AppRuntime, type Services } from '../context.ts';
import { refuseInGrace } from './grace.ts';
import { planView, type PlanView } from './plan-view.ts';
import { addedEntities, checkData, prepareMove, readServed, refusePinned, schemaFacts, type Prepared, type Served } from './prepare.ts';
import type { PublishOptions } from './publish.ts';
import { carryOut, insertMigration, isMigrationOpen, type Outcome, type Published } from './run-migration.ts';

/** Makes a version of the app's schema the served one, by a migration of its own; refused like any publish where it cannot be done. */
export const moveToVersion = (ctx: AppContext, toVersion: unknown, options: Confirmed = {}): Promise<Published> => {
  const to = versionOf(toVersion);
  return carryOut(ctx, () => recordMove({ ...ctx, ...options }, () => to));
};

/** What the move would do; refused like it, but for drops that a move back must confirm: these are `questions`. Nothing is changed. */
export async function planMove(ctx: AppContext, toVersion: unknown): Promise<PlanView> {
  const to = versionOf(toVersion);
  const { pool } = ctx.services;
  const served = await readServed(pool, ctx, false);
  if (to !== served.servedVersion && to !== served.pinnedVersion) refusePinned(ctx.app, served);
  const prepared = await preparedMove(pool, ctx, served, to);
  await checkData(pool, prepared.plan);
  const view = await planView(pool, { fromVersion: served.servedVersion, current: served.document, storage: ctx.app.storage, prepared });
  // What a move forward drops was confirmed when it was published.
  return to > served.servedVersion ? { ...view, questions: [] } : view;
}

function versionOf(toVersion: unknown): number {
  if (typeof toVersion !== 'number' || !Number.isInteger(toVersion) || toVersion < 1) {
    throw new AppError('VALIDATION_FAILED', '"to_version" must be the number of a version of this schema.', {
      details: [{ field: 'to_version', rule: 'type', message: 'must be a whole number from 1' }],
      hint: 'GET _admin/versions lists them.',
    });
  }
  return toVersion;
}

const preparedMove = async (
  db: pg.Pool | pg.PoolClient,
  { app }: Pick<MoveContext, 'app'>,
  served: Served,
  to: number,
): Promise<Prepared> =>
  prepareMove(
    await schemaFacts(db, app, to),
    served.document,
    await documentAt(db, app.schemaName, to),
    await movesOver(db, app.schemaName, served.servedVersion, to),
  );

/** What a move forward drops was confirmed when it was published; what one back drops, by `?confirm=drop`. */
export type Confirmed = Pick<PublishOptions, 'confirm'>;

/** What recording a move needs to know; no runtime of the app. */
export interface MoveContext extends Confirmed {
  readonly services: Services;
  readonly actor: Actor;
  readonly app: Pick<AppRuntime, 'id' | 'name' | 'schemaName' | 'storage'>;
}

/**
 * Plans the migration of an app to the version that `choose` answers for what it serves. `along` is written in the same transaction,
 * whether or not there is anything to migrate; with it a pinned app moves, without it that is refused.
 */
export async function recordMove(
  ctx: MoveContext,
  choose: (served: Served) => number,
  along?: (client: pg.PoolClient, served: Served, migrationId: string | null) => Promise<void>,
): Promise<Outcome> {
  try {
    return await transaction(ctx.services.pool, async (client): Promise<Outcome> => {
      const served = await readServed(client, ctx, true);
      if (await isMigrationOpen(client, ctx.app.id)) return { kind: 'blocked' };
      const to = choose(served);
      if (to !== served.servedVersion && to !== served.pinnedVersion && along === undefined) refusePinned(ctx.app, served);
      const prepared = await preparedMove(client, ctx, served, to);
      if (served.servedVersion === to) {
        await along?.(client, served, null);
        return { kind: 'unchanged', served, prepared };
      }
      await checkEntityNames(ctx.services, ctx.app, addedEntities(prepared.changes));
      refuseUnconfirmed(prepared.changes, prepared.document, {
        instructions: [],
        isConfirmed: to > served.servedVersion || (ctx.confirm?.includes('drop') ?? false),
      });
      await refuseInGrace(client, ctx.app, prepared.changes);
      await checkData(client, prepared.plan);
      const recorded = await insertMigration(client, ctx, { from: served.servedVersion, to, prepared });
      await along?.(client, served, recorded.migrationId);
      return recorded;
    });
  } catch (error) {
    // Another process recorded its migration between our question and our insert.
    if (sqlState(error) === '23505') return { kind: 'blocked' };
    throw error;
  }
}

/** What the version moves, splits or merges goes with it; over several versions nobody can say where a value was in between. */
async function movesOver(client: pg.Pool | pg.PoolClient, schemaName: string, from: number, to: number): Promise<Instruction[]> {
  if (from === 0 || to <= from) return [];
  const rows = await run<{ version: number; move: Move | null; split: Split | null }>(
    client,
    sql`select v.version, change->'move' as move, change->'split' as split from durabase.schema_versions v, jsonb_array_elements(v.changes) as change
    where v.schema_name = ${value(schemaName)} and v.version > ${value(from, 'integer')} and v.version <= ${value(to, 'integer')}
      and (change ? 'move' or change ? 'split') order by v.version`,
  );
  const [first] = rows;
  if (first !== undefined && to !== from + 1) {
    const what = first.split === null ? 'moves a field to another entity' : 'splits or merges entities';
    throw new AppError('CONFLICT', `Version ${String(first.version)} ${what} and cannot be skipped.`, {
      hint: `Go to version ${String(first.version - 1 === from ? first.version : first.version - 1)} first, one version at a time around it.`,
    });
  }
  return rows.flatMap(({ move, split }) => [...(move === null ? [] : [moving(move)]), ...(split === null ? [] : [splitting(split)])]);
}

const moving = ({ from, to, via }: Move): Instruction => ({
  move: { from: `${from.entity}.${from.field}`, to: `${to.entity}.${to.field}`, via },
});

function splitting({ direction, whole, part, fields, via }: Split): Instruction {
  if (direction === 'split') {
    return { split: { entity: whole, into: part, via, fields: fields.map((names) => ({ from: names.whole, to: names.part })) } };
  }
  return { merge: { entity: part, into: whole, via, fields: fields.map((names) => ({ from: names.part, to: names.whole })) } };
}

/** The document of a version, as stored; version 0 is the empty one. */
export async function documentAt(db: pg.Pool | pg.PoolClient, schemaName: string, version: number): Promise<SchemaDocument> {
  if (version === 0) return EMPTY_DOCUMENT;
  const [row] = await run<{ document: SchemaDocument }>(
    db,
    sql`
    select document from durabase.schema_versions where schema_name = ${value(schemaName)} and version = ${value(version, 'integer')}`,
  );
  if (row === undefined)
    throw new AppError('NOT_FOUND', `The schema has no version ${version}.`, { hint: 'GET _admin/versions lists them.' });
  return fromStore(row.document);
}

/** What a new app will serve first: the version it was asked for, else what the schema's owner serves, else the newest. */
export async function firstVersion(db: pg.Pool | pg.PoolClient, app: string): Promise<number> {
  const [row] = await run<{ version: number }>(
    db,
    sql`
    select coalesce(a.pinned_version, o.served_version, s.latest_version) as version
    from durabase.apps a join durabase.schemas s on s.name = a.schema_name
    left join durabase.apps o on o.id = s.owner_app and o.status in ('active', 'suspended')
    where a.id = ${value(app)} and s.owner_app is distinct from a.id`,
  );
  return row?.version ?? 0;
}

/** Plans a follower's first migration, in the transaction that makes it active: whoever sees the app next starts it. */
export async function planFirstMigration(
  client: pg.PoolClient,
  app: { readonly id: string; readonly schemaName: string; readonly storage: string },
  version: number,
): Promise<void> {
  if (version === 0) return;
  const prepared = prepareMove(await schemaFacts(client, app, version), EMPTY_DOCUMENT, await documentAt(client, app.schemaName, version));
  await insertMigration(client, { app, actor: systemActor('provision') }, { from: 0, to: version, prepared });
}
