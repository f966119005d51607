/** The registry of one app's schema: its immutable versions, what differs between two, and publishing a whole document. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { classOf, type Change } from '../../core/change/change.ts';
import { diff } from '../../core/change/diff.ts';
import { AppError } from '../../core/errors.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { exportDocument } from '../../core/model/export-document.ts';
import { readDocument } from '../../core/model/read-document.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { functionTestFindings } from '../functions/try.ts';
import type { AppContext } from '../context.ts';
import { documentAt } from './move.ts';
import { planView, type PlanView } from './plan-view.ts';
import { undoneBy } from './grace.ts';
import { checkData, prepare, prepareUndo, readOwned, readServed, refusePinned, schemaFacts } from './prepare.ts';
import { publishDocument, type PublishOptions } from './publish.ts';
import type { Published } from './run-migration.ts';

export interface VersionView {
  readonly version: number;
  readonly class: string;
  readonly changes: readonly Change[];
  readonly hash: string;
  readonly created_by: unknown;
  readonly created_at: string;
  /** True for the version that is served now. */
  readonly is_served: boolean;
}

type Row = Omit<VersionView, 'is_served'> & pg.QueryResultRow;

const COLUMNS = sql`version, class, changes, hash, created_by, to_json(created_at)#>>'{}' as created_at`;

/** Which schema the versions are of, and how the app stands to it. */
export interface SchemaStanding {
  readonly schema: string;
  /** False for an app that follows another's schema: it takes versions, and publishes none. */
  readonly is_owner: boolean;
  readonly served_version: number;
  readonly latest_version: number;
  readonly pinned_version: number | null;
}

export async function listVersions(ctx: AppContext): Promise<{ readonly data: VersionView[]; readonly meta: SchemaStanding }> {
  const { pool } = ctx.services;
  const { ownerApp, servedVersion, latestVersion, pinnedVersion } = await readServed(pool, ctx, false);
  const rows = await run<Row>(
    pool,
    sql`
    select ${COLUMNS} from durabase.schema_versions where schema_name = ${value(ctx.app.schemaName)} order by version desc limit 500`,
  );
  return {
    data: rows.map((row) => ({ ...row, is_served: row.version === servedVersion })),
    meta: {
      schema: ctx.app.schemaName,
      is_owner: ownerApp === ctx.app.id,
      served_version: servedVersion,
      latest_version: latestVersion,
      pinned_version: pinnedVersion,
    },
  };
}

export async function getVersion(ctx: AppContext, version: number): Promise<VersionView & { readonly document: Record<string, unknown> }> {
  const [row] = await run<Row & { document: SchemaDocument }>(
    ctx.services.pool,
    sql`
    select ${COLUMNS}, document from durabase.schema_versions
    where schema_name = ${value(ctx.app.schemaName)} and version = ${value(version, 'integer')}`,
  );
  if (row === undefined) throw noVersion(version);
  return { ...row, is_served: row.version === ctx.app.version, document: exportDocument(row.document) };
}

const noVersion = (version: number): AppError =>
  new AppError('NOT_FOUND', `The schema has no version ${version}.`, { hint: 'GET _admin/versions lists them.' });

export interface VersionDiff {
  readonly from: number;
  readonly to: number;
  readonly class: 'compatible' | 'breaking';
  readonly changes: readonly Change[];
}

/** Version 0 is the empty document. */
export async function diffVersions(ctx: AppContext, from: number, to: number): Promise<VersionDiff> {
  const [before, after] = await Promise.all([documentOf(ctx, from), documentOf(ctx, to)]);
  const changes = diff(before, after);
  return { from, to, class: classOf(changes), changes };
}

const documentOf = (ctx: AppContext, version: number): Promise<SchemaDocument> =>
  documentAt(ctx.services.pool, ctx.app.schemaName, version);

/** What publishing a document would do. Refused like the publish itself; nothing is changed. */
export const planDocument = (ctx: AppContext, input: unknown): Promise<PlanView> => planEdit(ctx, readDocument(input));

/** What a rollback would do. */
export const planRollback = async (ctx: AppContext, version: number): Promise<PlanView> =>
  planEdit(ctx, await documentOf(ctx, version), version);

async function planEdit(ctx: AppContext, next: SchemaDocument, rollbackTo?: number): Promise<PlanView> {
  const served = await readOwned(ctx.services.pool, ctx, false);
  const facts = await schemaFacts(ctx.services.pool, ctx.app, served.latestVersion + 1);
  const { pool } = ctx.services;
  const undone = rollbackTo === undefined ? undefined : await undoneBy(pool, ctx.app, served.servedVersion, rollbackTo);
  const prepared =
    undone === undefined ? prepare(facts, served.document, () => next) : prepareUndo(facts, served.document, () => next, undone);
  if (prepared.changes.length > 0) refusePinned(ctx.app, served);
  await checkData(ctx.services.pool, prepared.plan);
  const { servedVersion: fromVersion, document: current } = served;
  const view = await planView(ctx.services.pool, { fromVersion, current, storage: ctx.app.storage, prepared });
  return { ...view, findings: [...view.findings, ...(await functionTestFindings(ctx, prepared.document))] };
}

/** Makes a whole document the app's next version. */
export const publishVersion = (ctx: AppContext, input: unknown, options: PublishOptions = {}): Promise<Published> =>
  publishDocument(ctx, readDocument(input), options);

/** A new version equal to an older one; refused like any publish where that would lose data. */
export async function rollbackVersion(ctx: AppContext, version: number, options: PublishOptions = {}): Promise<Published> {
  return publishDocument(ctx, await documentOf(ctx, version), { ...options, rollbackTo: version });
}
