/**
 * Publishing: the one way a definition changes. A version, its events and a planned migration are written in one transaction;
 * the `schemaMigration` workflow does the rest while the caller waits a little.
 */
import type pg from 'pg';
import { execute, sqlState } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { classOf, type Change } from '../../core/change/change.ts';
import { refuseUnconfirmed } from '../../core/change/confirm.ts';
import { AppError } from '../../core/errors.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { checkEntityNames } from '../apps/names.ts';
import type { Actor, AppContext } from '../context.ts';
import { functionTestFindings } from '../functions/try.ts';
import { audit } from '../platform/audit.ts';
import { refuseInGrace, undoneBy } from './grace.ts';
import {
  addedEntities,
  checkData,
  prepare,
  prepareUndo,
  readOwned,
  refusePinned,
  schemaFacts,
  type Edit,
  type Prepared,
  type Served,
} from './prepare.ts';
import { actorText, carryOut, insertMigration, isMigrationOpen, type Outcome, type Published } from './run-migration.ts';

export interface PublishOptions {
  /** `If-Match`: the schema version the caller edited. */
  readonly ifMatch?: number | undefined;
  /** `?confirm=drop`: what is missing from the document is meant to go. */
  readonly confirm?: readonly 'drop'[];
  /** Back to this earlier version: what is in grace may be called again what it was, and converted back. */
  readonly rollbackTo?: number;
}

export const publishDocument = (ctx: AppContext, next: SchemaDocument, options: PublishOptions = {}): Promise<Published> =>
  publishChange(ctx, () => next, options);

/** Publishes an edit of the served document. Edits of one app wait for each other in order. */
export async function publishChange(ctx: AppContext, edit: Edit, options: PublishOptions = {}): Promise<Published> {
  const published = await carryOut(ctx, () => record(ctx, edit, options));
  return { ...published, findings: [...published.findings, ...(await functionTestFindings(ctx, published.document))] };
}

async function record(ctx: AppContext, edit: Edit, options: PublishOptions): Promise<Outcome> {
  try {
    return await transaction(ctx.services.pool, async (client): Promise<Outcome> => {
      const served = await readOwned(client, ctx, true);
      if (await isMigrationOpen(client, ctx.app.id)) return { kind: 'blocked' };
      if (options.ifMatch !== undefined && options.ifMatch !== served.servedVersion) {
        throw new AppError(
          'PRECONDITION_FAILED',
          `The schema is at version ${served.servedVersion}, not ${options.ifMatch}: somebody else changed it.`,
          {
            hint: 'Read the definitions again and repeat the change.',
          },
        );
      }
      const facts = await schemaFacts(client, ctx.app, served.latestVersion + 1);
      const undone =
        options.rollbackTo === undefined ? undefined : await undoneBy(client, ctx.app, served.servedVersion, options.rollbackTo);
      const prepared = undone === undefined ? prepare(facts, served.document, edit) : prepareUndo(facts, served.document, edit, undone);
      if (prepared.changes.length === 0) return { kind: 'unchanged', served, prepared };
      refusePinned(ctx.app, served);
      await checkEntityNames(ctx.services, ctx.app, addedEntities(prepared.changes));
      refuseUnconfirmed(prepared.changes, prepared.document, {
        instructions: prepared.instructions,
        // What the migration made is made of what it took.
        isConfirmed: undone !== undefined || (options.confirm?.includes('drop') ?? false),
      });
      if (undone === undefined) await refuseInGrace(client, ctx.app, prepared.changes, options.rollbackTo !== undefined);
      await checkData(client, prepared.plan);
      return insertVersion(client, ctx, served, prepared);
    });
  } catch (error) {
    // Another process recorded its migration between our question and our insert.
    if (sqlState(error) === '23505') return { kind: 'blocked' };
    throw error;
  }
}

async function insertVersion(client: pg.PoolClient, ctx: AppContext, served: Served, prepared: Prepared): Promise<Outcome> {
  const version = served.latestVersion + 1;
  const isFirst = served.servedVersion === 0;
  await insertVersionRow(client, { schemaName: ctx.app.schemaName, version, isFirst, prepared, actor: ctx.actor });
  await appendSchemaEvent(client, {
    app: ctx.app.id,
    schemaName: ctx.app.schemaName,
    newVersion: version,
    body: { changes: prepared.changes },
    ...(isFirst ? { type: 'schema.created' } : { type: updatedAs(prepared.changes), oldVersion: served.servedVersion }),
  });
  await audit(client, ctx.actor, {
    app: ctx.app.id,
    action: 'schema.publish',
    target: ctx.app.schemaName,
    detail: { version, changes: prepared.changes.length },
  });
  return insertMigration(client, ctx, { from: served.servedVersion, to: version, prepared });
}

export const updatedAs = (changes: readonly Change[]): `schema.updated.${'compatible' | 'breaking'}` =>
  `schema.updated.${classOf(changes)}`;

export interface NewVersion {
  readonly schemaName: string;
  readonly version: number;
  readonly isFirst: boolean;
  readonly prepared: Prepared;
  readonly actor: Actor;
}

/** Enters a version in the registry; the caller holds the schema's row. */
export async function insertVersionRow(
  client: pg.PoolClient,
  { schemaName, version, isFirst, prepared, actor }: NewVersion,
): Promise<void> {
  await execute(
    client,
    sql`
    insert into durabase.schema_versions (schema_name, version, document, class, changes, hash, created_by)
    values (${value(schemaName)}, ${value(version, 'integer')}, ${value(JSON.stringify(prepared.document), 'jsonb')},
            ${value(isFirst ? 'initial' : classOf(prepared.changes))}, ${value(JSON.stringify(prepared.changes), 'jsonb')},
            ${value(prepared.documentHash)}, ${value(actorText(actor), 'jsonb')})`,
  );
  await execute(client, sql`update durabase.schemas set latest_version = ${value(version, 'integer')} where name = ${value(schemaName)}`);
}
