/** Schemas as the platform sees them: who owns and follows each, its versions, and publishing one for all its followers. */
import type pg from 'pg';
import { execute, run, runText, sqlState } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { refuseUnconfirmed } from '../../core/change/confirm.ts';
import { AppError } from '../../core/errors.ts';
import { exportDocument } from '../../core/model/export-document.ts';
import { readDocument } from '../../core/model/read-document.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { APP_NAME } from '../apps/names.ts';
import type { AppContext, PlatformContext } from '../context.ts';
import { audit } from '../platform/audit.ts';
import { documentAt } from './move.ts';
import { prepare, schemaFacts, type Prepared } from './prepare.ts';
import { insertVersionRow, updatedAs, type PublishOptions } from './publish.ts';
import type { Published } from './run-migration.ts';
import { planView, type PlanView } from './plan-view.ts';
import { planDocument, publishVersion } from './versions.ts';

const SCHEMA = sql`
  select s.name, o.name as owner, s.latest_version, o.served_version, s.created_at,
    coalesce((select json_agg(json_build_object('app', f.name, 'schema_version', f.served_version, 'pinned_version', f.pinned_version) order by f.name)
              from durabase.apps f where f.schema_name = s.name and f.status <> 'retired' and f.id is distinct from o.id), '[]') as followers
  from durabase.schemas s left join durabase.apps o on o.id = s.owner_app and o.status <> 'retired'`;

/** The JSON of `{data}`: every schema with its owner and followers. */
export const listSchemas = async (ctx: PlatformContext): Promise<string> =>
  (await runText(
    ctx.services.pool,
    sql`
    select json_build_object('data', coalesce(json_agg(row_to_json(s) order by s.name), '[]'))::text from (${SCHEMA}) s`,
  )) ?? '';

export async function getSchema(ctx: PlatformContext, name: string): Promise<string> {
  const text = await runText(ctx.services.pool, sql`select row_to_json(s)::text from (${SCHEMA} where s.name = ${value(name)}) s`);
  if (text === null) throw noSuchSchema(name);
  return text;
}

const noSuchSchema = (name: string): AppError =>
  new AppError('NOT_FOUND', `There is no schema "${name.slice(0, 100)}".`, { hint: 'GET /api/_platform/schemas lists them.' });

/** A schema no app owns: it is published here, and apps follow it. */
export async function createSchema(ctx: PlatformContext, body: Record<string, unknown>): Promise<string> {
  const { name, ...rest } = body;
  const details = Object.keys(rest).map((key) => ({ field: key, rule: 'unknown', message: `A schema has no field "${key}".` }));
  if (typeof name !== 'string' || !APP_NAME.test(name)) {
    details.push({
      field: 'name',
      rule: 'pattern',
      message: 'must begin with a small letter and hold only small letters, digits, "_" and "-", at most 63',
    });
  }
  if (details.length > 0) throw new AppError('VALIDATION_FAILED', 'The schema is not valid.', { details });
  try {
    await transaction(ctx.services.pool, async (client) => {
      await execute(client, sql`insert into durabase.schemas (name) values (${value(String(name))})`);
      await appendSchemaEvent(client, { type: 'schema.declared', app: null, schemaName: String(name) });
    });
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    throw new AppError('CONFLICT', `There is a schema "${String(name)}" already.`, {
      details: [{ field: 'name', rule: 'unique', message: 'is taken' }],
      cause: error,
    });
  }
  await audit(ctx.services.pool, ctx.actor, { app: null, action: 'schema.create', target: String(name) });
  return getSchema(ctx, String(name));
}

/** The JSON of `{data}`: the versions of a schema, newest first, without their documents. */
export async function listSchemaVersions(ctx: PlatformContext, name: string): Promise<string> {
  await getSchema(ctx, name);
  return (
    (await runText(
      ctx.services.pool,
      sql`
    select json_build_object('data', coalesce(json_agg(row_to_json(v) order by v.version desc), '[]'))::text from (
      select version, class, changes, hash, created_by, created_at from durabase.schema_versions
      where schema_name = ${value(name)} order by version desc limit 500) v`,
    )) ?? ''
  );
}

export async function getSchemaVersion(ctx: PlatformContext, name: string, version: number): Promise<object> {
  await getSchema(ctx, name);
  return { version, document: exportDocument(await documentAt(ctx.services.pool, name, version)) };
}

/** A new version of a schema. Its owner migrates at once, unless it is pinned; followers when they are told to. */
export async function publishSchema(ctx: PlatformContext, name: string, input: unknown, options: PublishOptions = {}): Promise<Published> {
  const owner = await ownerOf(ctx, name);
  if (owner !== undefined) return publishVersion(owner, input, options);
  const next = readDocument(input);
  const published = await transaction(ctx.services.pool, async (client): Promise<Published> => {
    const latest = await latestVersion(client, name, true);
    await refuseUnpinnedOwner(client, name);
    if (options.ifMatch !== undefined && options.ifMatch !== latest) {
      throw new AppError('PRECONDITION_FAILED', `The schema is at version ${latest}, not ${options.ifMatch}: somebody else changed it.`, {
        hint: 'Read its newest version again and repeat the change.',
      });
    }
    const facts = await schemaFacts(client, { schemaName: name, storage: NO_STORAGE }, latest + 1);
    const prepared = prepare(facts, await documentAt(client, name, latest), () => next);
    refuseUnconfirmed(prepared.changes, prepared.document, {
      instructions: prepared.instructions,
      isConfirmed: options.confirm?.includes('drop') ?? false,
    });
    const version = prepared.changes.length === 0 ? latest : latest + 1;
    if (version > latest) await insertUnowned(client, ctx, name, version, prepared);
    return {
      version,
      changes: prepared.changes,
      findings: prepared.findings,
      migration: null,
      isPending: false,
      document: prepared.document,
    };
  });
  return published;
}

/** A plan needs the name of a Postgres schema; one that is made for no app is never run. */
const NO_STORAGE = 'app';

async function insertUnowned(
  client: pg.PoolClient,
  ctx: PlatformContext,
  name: string,
  version: number,
  prepared: Prepared,
): Promise<void> {
  await insertVersionRow(client, { schemaName: name, version, isFirst: version === 1, prepared, actor: ctx.actor });
  await appendSchemaEvent(client, {
    app: null,
    schemaName: name,
    newVersion: version,
    body: { changes: prepared.changes },
    ...(version === 1 ? { type: 'schema.created' } : { type: updatedAs(prepared.changes), oldVersion: version - 1 }),
  });
  await audit(client, ctx.actor, { app: null, action: 'schema.publish', target: name, detail: { version } });
}

/** What publishing would do; nothing is changed. */
export async function planSchema(ctx: PlatformContext, name: string, input: unknown): Promise<PlanView> {
  const owner = await ownerOf(ctx, name);
  if (owner !== undefined) return planDocument(owner, input);
  const { pool } = ctx.services;
  const fromVersion = await latestVersion(pool, name, false);
  const next = readDocument(input);
  const current = await documentAt(pool, name, fromVersion);
  const facts = await schemaFacts(pool, { schemaName: name, storage: NO_STORAGE }, fromVersion + 1);
  return planView(pool, { fromVersion, current, storage: NO_STORAGE, prepared: prepare(facts, current, () => next) });
}

async function latestVersion(db: pg.Pool | pg.PoolClient, name: string, lock: boolean): Promise<number> {
  const [row] = await run<{ latest_version: number }>(
    db,
    sql`
    select latest_version from durabase.schemas where name = ${value(name)}${lock ? sql` for update` : sql``}`,
  );
  if (row === undefined) throw noSuchSchema(name);
  return row.latest_version;
}

/** Between the question for the owner and the schema's lock it may have been unpinned: then it has to migrate. */
async function refuseUnpinnedOwner(client: pg.PoolClient, name: string): Promise<void> {
  const rows = await run(client, sql`select ${OWNER} where s.name = ${value(name)} and o.id is not null`);
  if (rows.length > 0) {
    throw new AppError('CONFLICT', `The owner of the schema "${name}" changed in this moment.`, {
      hint: 'Repeat the request.',
      retryAfter: 1,
    });
  }
}

/** The app that takes every version of a schema at once. */
const OWNER = sql`
  o.id from durabase.schemas s left join durabase.apps o
  on o.id = s.owner_app and o.status not in ('retiring', 'retired', 'failed') and o.pinned_version is null`;

/** The context of the app that moves when its schema is published; undefined when none owns it any more, or its owner is pinned. */
async function ownerOf(ctx: PlatformContext, name: string): Promise<AppContext | undefined> {
  const [row] = await run<{ id: string | null }>(ctx.services.pool, sql`select ${OWNER} where s.name = ${value(name)}`);
  if (row === undefined) throw noSuchSchema(name);
  const app = row.id === null ? undefined : await ctx.services.registry.byId(row.id);
  return app === undefined ? undefined : { ...ctx, app, cause: null, depth: 0 };
}
