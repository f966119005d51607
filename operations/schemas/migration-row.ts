/** A migration as the catalog has it, and what every part of its work asks of it. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import type { Change, Held, Undone } from '../../core/change/change.ts';
import { plan, type Plan } from '../../core/change/plan.ts';
import type { Step } from '../../core/change/step.ts';
import { AppError } from '../../core/errors.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { EMPTY_DOCUMENT } from '../../core/model/merge.ts';
import { buildModel } from '../../core/model/model.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';

export interface MigrationRow extends pg.QueryResultRow {
  readonly id: string;
  readonly app: string;
  readonly status: string;
  readonly plan_hash: string;
  readonly from_version: number;
  readonly to_version: number;
  readonly error: string | null;
  readonly switched_event: string | null;
  readonly is_aborting: boolean;
  readonly storage: string;
  readonly schema_name: string;
  readonly served_version: number;
  readonly previous: SchemaDocument | null;
  readonly next: SchemaDocument;
  /** `held` is missing from plans that were made before anything could be dropped. */
  readonly plan: { readonly changes: readonly Change[]; readonly held?: readonly Held[]; readonly undone?: Undone };
}

export const ENDED = new Set(['completed', 'failed', 'aborted']);
export const BEFORE_SWITCH = new Set<Step['phase']>(['expand', 'backfill', 'verify']);
/** Within a local activity's time; its retry goes on. */
export const BRIEF_DEADLINE_MS = 8_000;
export async function loadMigration(pool: pg.Pool, migration: string): Promise<MigrationRow> {
  const [row] = await run<MigrationRow>(
    pool,
    sql`
    select m.id, m.app, m.status, m.plan_hash, m.from_version, m.to_version, m.error, m.progress->>'event' as switched_event,
           m.progress ? 'aborting' as is_aborting,
           m.plan, a.storage, a.schema_name, a.served_version, p.document as previous, n.document as next
    from durabase.migrations m
    join durabase.apps a on a.id = m.app
    join durabase.schema_versions n on n.schema_name = a.schema_name and n.version = m.to_version
    left join durabase.schema_versions p on p.schema_name = a.schema_name and p.version = m.from_version
    where m.id = ${value(migration, 'uuid')}`,
  );
  if (row === undefined) throw new AppError('NOT_FOUND', 'The migration is not in the catalog.');
  return row;
}

/** The plan as it was recorded, made again. */
export function planOf(row: MigrationRow): Plan {
  const { changes, held, undone } = row.plan;
  const previous = buildModel(row.previous ?? EMPTY_DOCUMENT);
  return plan(changes, {
    previous,
    next: buildModel(row.next),
    storage: row.storage,
    held: held ?? [],
    version: row.to_version,
    ...(undone === undefined ? {} : { undone }),
  });
}

export function ownerUrl(services: Services): string {
  const { databaseOwnerUrl, databaseDirectUrl, databaseUrl } = services.config;
  const url = databaseOwnerUrl ?? databaseDirectUrl ?? databaseUrl;
  if (url === undefined) throw new AppError('INTERNAL_ERROR', 'DATABASE_URL is not set.');
  return url;
}

export const ddlSession = (services: Services, row: MigrationRow, deadlineMs: number) => ({
  url: ownerUrl(services),
  app: row.app,
  name: `durabase-ddl/${row.id}`,
  deadlineMs,
});

export const isHeld = (row: MigrationRow): boolean => row.status === 'paused' || row.is_aborting;

export const tellPhase = (client: pg.PoolClient, row: MigrationRow, body: Readonly<Record<string, unknown>>): Promise<number> =>
  appendSchemaEvent(client, {
    type: 'schema.migration.phase',
    app: row.app,
    schemaName: row.schema_name,
    oldVersion: row.from_version,
    newVersion: row.to_version,
    body: { migration_id: row.id, ...body },
  });
