/** What is asked of an import: to look at its rows again, to write them, to stop, to take them back. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { recheckPayload, runImportPayload, type TakingPayload } from '../../core/payloads/imports.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { ImportState } from '../../workflows/contracts/types.ts';
import type { AppContext, AppRuntime, Services } from '../context.ts';
import { readPayload } from '../payload.ts';
import { audit } from '../platform/audit.ts';
import { importActor } from './import-actor.ts';
import { importOptions, importPlan, wholeMapping } from './import-plan.ts';
import { hasWritten, importsOf, importView, isActive, noSuchImport, readImport, type ImportRow } from './import-row.ts';
import { ownImport } from './read.ts';
import { beginTask, enterTask, settle } from './task.ts';

type View = Readonly<Record<string, unknown>>;

/** Looks at the rows once more, with what is given in place of what was asked for before. Nothing is written. */
export const recheckImport = (ctx: AppContext, importId: string, body: unknown): Promise<View> => {
  const given = readPayload(recheckPayload, body, '_imports/check');
  return command(ctx, importId, 'check', async (client, row, entity) => {
    refuseOnceWritten(row, 'check');
    const options = importOptions(ctx, entity, changed(row, given));
    const mapping = wholeMapping(ctx, entity, options, row.columns, { ...row.mapping, ...given.mapping });
    await run(
      client,
      sql`update ${importsOf(ctx.app)} set mapping = ${value(JSON.stringify(mapping), 'jsonb')}, schema_version = ${value(ctx.app.version, 'integer')},
            entity = ${value(entity.name)} where id = ${value(importId, 'uuid')}`,
    );
    await beginTask(client, ctx.app, {
      importId,
      entity: entity.name,
      task: 'check',
      total: row.total,
      actor: importActor(ctx.actor),
      options,
    });
  });
};

/** A field found records under another name before, where that was not said again. */
function changed({ options }: ImportRow, given: TakingPayload): TakingPayload {
  const { on, run: _run, ...kept } = options;
  const mode = given.mode ?? options.mode;
  const { mapping: _mapping, ...asked } = given;
  return { ...kept, ...(mode === 'create' || mode !== options.mode ? {} : { on: [...on] }), ...asked };
}

/** Writes the rows. Where all or nothing was asked for, the check must have found nothing. */
export const runImport = (ctx: AppContext, importId: string, body: unknown): Promise<View> => {
  const given = readPayload(runImportPayload, body, '_imports/run');
  return command(ctx, importId, 'run', async (client, row, entity) => {
    refuseOnceWritten(row, 'run');
    const options = { ...importOptions(ctx, entity, changed(row, given)), run: true };
    importPlan(ctx, entity, options, row.columns, row.mapping);
    const isChecked = row.checked_at !== null && row.task === 'check' && row.state !== 'cancelled' && row.state !== 'failed';
    if (options.on_error === 'all_or_nothing' && isChecked && row.failed > 0) {
      throw new AppError(
        'CONFLICT',
        `${row.failed === 1 ? 'One row is' : `${String(row.failed)} rows are`} bad, and all or nothing is asked for.`,
        {
          hint: 'Correct the file and import it again, change the mapping with _imports/:id/check, or send {"on_error": "skip"}.',
        },
      );
    }
    // One that was never looked at to its end is looked at first.
    const task = options.on_error === 'skip' || isChecked ? 'run' : 'check';
    await beginTask(client, ctx.app, { importId, entity: entity.name, task, total: row.total, actor: importActor(ctx.actor), options });
  });
};

/** Stops what is under way. Where all or nothing was asked for, what is written is taken back. */
export const cancelImport = (ctx: AppContext, importId: string): Promise<View> =>
  command(ctx, importId, 'cancel', async (client, row) => {
    if (row.state === 'cancelled') return;
    if (!isActive(row.state) && row.state !== 'checked') throw unfit(row, 'cancelled');
    await stop(client, ctx.app, row, 'cancelled');
  });

/** Takes back what it has written, as far as that is as the import left it. */
export const undoImport = (ctx: AppContext, importId: string): Promise<View> =>
  command(ctx, importId, 'undo', async (client, row, entity) => {
    if (isActive(row.state)) throw unfit(row, 'undone');
    const [open] = await run<{ count: number }>(
      client,
      sql`select count(*)::integer as count from ${id(ctx.app.storage, '_import_records')}
          where import_id = ${value(importId, 'uuid')} and (outcome is null or outcome = 'kept')`,
    );
    const total = open?.count ?? 0;
    if (total === 0) {
      throw new AppError(
        'CONFLICT',
        hasWritten(row) ? 'All that this import has written is taken back.' : 'This import has written nothing.',
      );
    }
    if (row.options.events === 'none' && !ctx.actor.isAdmin) {
      throw new AppError('FORBIDDEN', 'It was imported without events, and only an admin of the app takes it back so.');
    }
    await beginTask(client, ctx.app, { importId, entity: entity.name, task: 'undo', total, actor: importActor(ctx.actor) });
  });

type Verb = 'check' | 'run' | 'cancel' | 'undo';

async function command(
  ctx: AppContext,
  importId: string,
  verb: Verb,
  work: (client: pg.PoolClient, row: ImportRow, entity: EntityModel) => Promise<void>,
): Promise<View> {
  await ownImport(ctx, importId);
  const row = await transaction(ctx.services.pool, async (client) => {
    const locked = await readImport(client, ctx.app, importId, 'update');
    if (locked === undefined) throw noSuchImport(importId);
    await work(client, locked, entityNow(ctx.app, locked));
    const after = await readImport(client, ctx.app, importId);
    await audit(client, ctx.actor, {
      app: ctx.app.id,
      action: `records.import.${verb}`,
      target: importId,
      detail: { entity: locked.entity, from: locked.state, rows: locked.total },
    });
    return after;
  });
  if (row === undefined) throw noSuchImport(importId);
  return importView(ctx.services, ctx.app, row);
}

function entityNow(app: AppRuntime, row: Pick<ImportRow, 'entity' | 'entity_id'>): EntityModel {
  const entity = [...app.model.entities.values()].find((one) => one.id === row.entity_id) ?? app.model.entities.get(row.entity);
  if (entity === undefined) throw new AppError('UNKNOWN_ENTITY', `There is no entity "${row.entity}" any more.`);
  return entity;
}

function refuseOnceWritten(row: ImportRow, verb: 'check' | 'run'): void {
  if (isActive(row.state)) throw unfit(row, verb === 'run' ? 'run' : 'checked');
  if (!hasWritten(row)) return;
  throw new AppError('CONFLICT', 'This import has written rows already.', {
    hint: 'Send the file again for another import; undo takes this one back.',
  });
}

const unfit = ({ state }: ImportRow, what: string): AppError =>
  new AppError('CONFLICT', `An import that is ${state} cannot be ${what}.`, {
    hint: isActive(state) ? 'Wait until it is done, or cancel it first.' : 'GET _imports/:id shows how it is.',
  });

/** Ends a task before its end: of all or nothing nothing is left. */
async function stop(client: pg.PoolClient, app: AppRuntime, row: ImportRow, state: ImportState, error?: AppError): Promise<void> {
  const { id: importId, entity, created, updated, options, task } = row;
  const isHalf = task === 'run' && row.state === 'running' && options.on_error === 'all_or_nothing' && created + updated > 0;
  if (isHalf) return enterTask(client, app, { importId, entity, task: 'undo', total: created + updated, afterUndo: state });
  await settle(client, app, importId, state, error);
}

/** The workflow was cancelled in Temporal, or the work was refused for good. */
export async function endImport(
  services: Services,
  input: { readonly app: string; readonly importId: string; readonly round: number },
  end: { readonly state: 'cancelled' } | { readonly state: 'failed'; readonly code: AppError['code']; readonly message: string },
): Promise<ImportState | undefined> {
  const app = await services.registry.byId(input.app);
  if (app === undefined) return undefined;
  return transaction(services.pool, async (client) => {
    const row = await readImport(client, app, input.importId, 'update');
    if (row === undefined || row.round !== input.round || !isActive(row.state)) return row?.state as ImportState | undefined;
    if (end.state === 'cancelled') await stop(client, app, row, 'cancelled');
    // Whoever may not write any more cannot take back either: what is written stays, and the undo is left to somebody who may.
    else await settle(client, app, input.importId, 'failed', new AppError(end.code, end.message));
    return (await readImport(client, app, input.importId))?.state as ImportState | undefined;
  });
}
