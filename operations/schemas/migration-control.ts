/** What people ask of a migration. Whether it counts is decided here, on its row, for the workflow that carries it. */
import type pg from 'pg';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { AppError } from '../../core/errors.ts';
import { migrationRules } from '../../core/model/migration-settings.ts';
import { EMPTY_DOCUMENT } from '../../core/model/merge.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { MigrationRequest } from '../../workflows/contracts/types.ts';
import type { Services } from '../context.ts';
import { documentAt } from './move.ts';
import { loadMigration, planOf } from './migration-row.ts';
import { checkData, planHashOf } from './prepare.ts';

interface Row extends pg.QueryResultRow {
  readonly app: string;
  readonly status: string;
  readonly schema_name: string;
  readonly from_version: number;
  readonly to_version: number;
  readonly plan_hash: string;
  readonly created_by: { readonly kind: string; readonly id: string | null };
  readonly approval: { readonly needed: boolean; readonly by?: unknown };
  readonly is_aborting: boolean;
  readonly is_switched: boolean;
}

/** The status after it. Asking again for what is so already changes nothing; what does not fit is refused with CONFLICT. */
export const changeMigration = (services: Services, migration: string, request: MigrationRequest): Promise<{ status: string }> =>
  transaction(services.pool, async (client) => {
    const [row] = await run<Row>(
      client,
      sql`
      select m.app, m.status, a.schema_name, m.from_version, m.to_version, m.plan_hash, m.created_by, m.approval,
             m.progress ? 'aborting' as is_aborting, m.progress ? 'event' as is_switched
      from durabase.migrations m join durabase.apps a on a.id = m.app where m.id = ${value(migration, 'uuid')} for update of m`,
    );
    if (row === undefined) throw new AppError('NOT_FOUND', 'The migration is not in the catalog.');
    switch (request.verb) {
      case 'approve':
        return approve(client, migration, row, request);
      case 'reject':
        return reject(client, migration, row, request);
      case 'pause':
      case 'resume':
        return hold(client, migration, row, request);
      case 'abort':
        return abort(services, client, migration, row);
    }
  });

async function approve(client: pg.PoolClient, migration: string, row: Row, request: MigrationRequest): Promise<{ status: string }> {
  if (request.planHash !== undefined && request.planHash !== row.plan_hash) {
    throw new AppError('CONFLICT', 'The plan is not the one that was read: its hash is another.');
  }
  // Who rejects a plan is written down there, too.
  if (row.approval.by !== undefined && row.status !== 'aborted') return { status: row.status };
  if (row.status !== 'awaiting_approval') throw unfit(row, 'approved');
  const { isFourEyes } = migrationRules(
    row.from_version === 0 ? EMPTY_DOCUMENT : await documentAt(client, row.schema_name, row.from_version),
  );
  // An account is the same with a session and with a key of its own.
  if (isFourEyes && row.created_by.id === request.actor.id) {
    throw new AppError('FORBIDDEN', 'Who publishes a version does not approve its plan: settings.migrations.four_eyes is on.');
  }
  await execute(
    client,
    sql`
    update durabase.migrations set status = 'planned', updated_at = now(), approval = ${value(approvalText(request), 'jsonb')}
    where id = ${value(migration, 'uuid')}`,
  );
  await tell(client, 'schema.migration.approved', migration, row, request);
  return { status: 'planned' };
}

const approvalText = ({ actor, comment }: MigrationRequest): string =>
  JSON.stringify({ needed: true, by: { kind: actor.kind, id: actor.id }, at: new Date().toISOString(), comment: comment ?? null });

async function reject(client: pg.PoolClient, migration: string, row: Row, request: MigrationRequest): Promise<{ status: string }> {
  if (row.status === 'aborted') return { status: row.status };
  if (row.status !== 'awaiting_approval') throw unfit(row, 'rejected');
  const reason = `The plan was rejected${request.comment === undefined ? '.' : `: ${request.comment}`}`;
  await execute(
    client,
    sql`
    update durabase.migrations set status = 'aborted', error = ${value(reason)}, updated_at = now(), approval = ${value(approvalText(request), 'jsonb')}
    where id = ${value(migration, 'uuid')}`,
  );
  await tell(client, 'schema.migration.aborted', migration, row, request);
  return { status: 'aborted' };
}

async function hold(client: pg.PoolClient, migration: string, row: Row, request: MigrationRequest): Promise<{ status: string }> {
  const [from, to] = request.verb === 'pause' ? (['running', 'paused'] as const) : (['paused', 'running'] as const);
  if (row.status === to && !row.is_aborting) return { status: to };
  const isFit = row.status === from || (request.verb === 'pause' && row.status === 'planned');
  if (!isFit || row.is_aborting) throw unfit(row, request.verb === 'pause' ? 'paused' : 'resumed');
  await execute(
    client,
    sql`update durabase.migrations set status = ${value(to)}, waiting_for = null, updated_at = now() where id = ${value(migration, 'uuid')}`,
  );
  await tell(client, 'schema.migration.phase', migration, row, request);
  return { status: to };
}

/** The workflow takes back what was done; a long statement that is under way is cancelled so that it need not be waited for. */
async function abort(services: Services, client: pg.PoolClient, migration: string, row: Row): Promise<{ status: string }> {
  if (row.status === 'aborted' || row.is_aborting) return { status: row.status };
  if (row.is_switched || !['planned', 'awaiting_approval', 'running', 'paused'].includes(row.status)) throw unfit(row, 'aborted');
  await execute(
    client,
    sql`
    update durabase.migrations set progress = progress || '{"aborting": true}', updated_at = now() where id = ${value(migration, 'uuid')}`,
  );
  await run(
    services.pool,
    sql`select pg_cancel_backend(pid) from pg_stat_activity where application_name = ${value(`durabase-ddl/${migration}`.slice(0, 63))}`,
  ).catch((error: unknown) => services.log.warn({ err: error, migration }, 'a statement could not be cancelled; it is waited for'));
  return { status: row.status };
}

function unfit({ status, is_switched: isSwitched, to_version: to, from_version: from }: Row, verb: string): AppError {
  const hint = isSwitched
    ? { hint: `Version ${to} is served already: POST _admin/versions/${from}/rollback publishes what was served before.` }
    : {};
  return new AppError('CONFLICT', `A migration that is ${status.replaceAll('_', ' ')} cannot be ${verb}.`, hint);
}

const tell = (
  client: pg.PoolClient,
  type: 'schema.migration.approved' | 'schema.migration.aborted' | 'schema.migration.phase',
  migration: string,
  row: Row,
  { verb, actor, comment }: MigrationRequest,
): Promise<number> =>
  appendSchemaEvent(client, {
    type,
    app: row.app,
    schemaName: row.schema_name,
    oldVersion: row.from_version,
    newVersion: row.to_version,
    body: { migration_id: migration, verb, by: { kind: actor.kind, id: actor.id }, ...(comment === undefined ? {} : { comment }) },
  });

/** Between the plan and its approval days may pass: it is made again, must be the one that was approved, and the data must still allow it. */
export async function checkApproved(services: Services, migration: string): Promise<void> {
  const row = await loadMigration(services.pool, migration);
  const planned = planOf(row);
  if (planHashOf(planned) !== row.plan_hash) {
    throw new AppError('CONFLICT', 'The plan of this migration is not the one that was approved any more.', { hint: 'Publish again.' });
  }
  await checkData(services.pool, planned);
}
