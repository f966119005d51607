/**
 * The work on an import, batch by batch: what a batch writes, what is wrong with its rows and how far the import is stand in one
 * transaction, so that a worker that is killed leaves nothing half and the next one goes on exactly behind it. The row of the import is
 * locked by each batch: two workers that both think it is theirs come one after the other, and the second finds that it is done.
 */
import { crashPoint } from '../../adapters/crash-points.ts';
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { importWorkflowId } from '../../workflows/contracts/ids.ts';
import type { ImportInput, ImportSlice } from '../../workflows/contracts/types.ts';
import type { AppContext, AppRuntime, Services } from '../context.ts';
import { runWrite } from '../records/write.ts';
import { hasSyncWebhooks } from '../webhooks/call-sync.ts';
import { isOfRow, rowErrors, rowReader, type FileRow, type RowReader } from './draft-row.ts';
import { claim, NotOurs } from './claim.ts';
import { currentActor } from './import-actor.ts';
import { importPlan } from './import-plan.ts';
import { importsOf, isActive, noSuchImport, readImport, type ImportRow } from './import-row.ts';
import { enterTask, settle } from './task.ts';
import { undoBatch } from './undo.ts';
import { rememberKeys } from './unique-keys.ts';
import { isOfConstraint, NeedsSavepoints, writeRows, type RowResult, type RowsResult } from './write-rows.ts';

export interface SliceOptions {
  /** Not the first to be at this task: what it goes on behind is shown. */
  readonly isResumed: boolean;
  /** The worker is about to end, or the slice has been long enough. */
  isOver(): boolean;
}

/** Works on the import for a while. Answers how it is then; at its end, or where it is not this workflow's any more, at once. */
export async function workOnImport(services: Services, input: ImportInput, options: SliceOptions): Promise<ImportSlice> {
  const app = await appOf(services, input.app);
  if (options.isResumed) await noteResumed(services, app, input);
  for (;;) {
    const row = await readImport(services.pool, app, input.importId);
    if (row === undefined) throw noSuchImport(input.importId);
    const isOurs = row.round === input.round;
    if (!isOurs || !isActive(row.state) || options.isOver()) return { isOurs, ...sliceOf(row) };
    try {
      await batch(services, app, row);
    } catch (error) {
      if (!(error instanceof NotOurs)) throw error;
    }
    crashPoint(`import.${row.task}`);
  }
}

async function appOf(services: Services, appId: string): Promise<AppRuntime> {
  const app = await services.registry.byId(appId);
  if (app === undefined) throw new AppError('APP_NOT_FOUND', 'The app is not there any more.');
  return app;
}

const sliceOf = ({ state, task, done, task_total: total, created, updated, failed }: ImportRow): Omit<ImportSlice, 'isOurs'> => ({
  state: state === 'uploading' ? 'checking' : state,
  task,
  done,
  total,
  created,
  updated,
  failed,
});

const MOST_RESUMED = 20;

/** Told once for each place: a worker that dies again and again at the same row has nothing new to say. */
async function noteResumed({ pool }: Services, app: AppRuntime, { importId, round }: ImportInput): Promise<void> {
  await execute(
    pool,
    sql`update ${importsOf(app)} set segment_at = null,
          resumed = jsonb_path_query_array(resumed || jsonb_build_object('at', now(), 'task', task, 'row', done), ${value(`$[last - ${String(MOST_RESUMED - 1)} to last]`)}::jsonpath)
        where id = ${value(importId, 'uuid')} and round = ${value(round, 'integer')} and done > 0
          and (resumed -> -1 ->> 'row' is distinct from done::text or resumed -> -1 ->> 'task' is distinct from task)`,
  );
}

async function batch(services: Services, app: AppRuntime, row: ImportRow): Promise<void> {
  const ctx = await contextOf(services, app, row);
  switch (row.task) {
    case 'check':
      return row.done < row.total ? checkBatch(ctx, row) : afterCheck(ctx, row);
    case 'run':
      return row.done < row.total ? runBatch(ctx, row) : afterRun(ctx, row);
    case 'undo':
      return undoBatch(ctx, entityIn(ctx, row), row);
  }
}

/** The names of the file's mapping are those of its version, for as long as that is served; then they must be today's. */
async function contextOf(services: Services, app: AppRuntime, row: ImportRow): Promise<AppContext> {
  const actor = await currentActor(services.pool, app, row.actor);
  const shapes = await services.registry.shapesOf(app);
  return {
    services,
    app: shapes.of(row.schema_version) ?? app,
    actor,
    now: services.clock(),
    requestId: `import-${row.id}`,
    cause: importWorkflowId(app.id, row.id, row.round),
    depth: 0,
  };
}

function entityIn({ app }: AppContext, row: ImportRow): EntityModel {
  const entity = [...app.model.entities.values()].find((one) => one.id === row.entity_id) ?? app.model.entities.get(row.entity);
  if (entity === undefined) throw new AppError('UNKNOWN_ENTITY', `There is no entity "${row.entity}" any more.`);
  return entity;
}

const readerOf = (ctx: AppContext, entity: EntityModel, row: ImportRow): RowReader =>
  rowReader(importPlan(ctx, entity, row.options, row.columns, row.mapping), row.columns, row.format === 'csv');

/** The rest of the chunk that the next row is in, at most `most` rows. */
async function nextRows(db: Db, app: AppRuntime, { id: importId, done }: ImportRow, most: number): Promise<FileRow[]> {
  const [chunk] = await run<{ first_row: number; body: string }>(
    db,
    sql`select first_row, body from ${id(app.storage, '_import_chunks')}
        where import_id = ${value(importId, 'uuid')} and first_row <= ${value(done, 'integer')} order by first_row desc limit 1`,
    { prepared: true },
  );
  if (chunk === undefined) throw new AppError('INTERNAL_ERROR', 'The rows of the import are gone.');
  const from = done - chunk.first_row;
  return (JSON.parse(chunk.body) as [number, ...unknown[]][])
    .slice(from, from + most)
    .map(([line, ...cells], index) => ({ row: done + index, line, cells }));
}

// --- check -----------------------------------------------------------------------------------------------------------

/** Where a row would be judged by what others say, each is asked alone. */
const batchSize = (entity: EntityModel): number => (hasSyncWebhooks(entity, 'create') || hasSyncWebhooks(entity, 'update') ? 1 : Infinity);

async function checkBatch(ctx: AppContext, row: ImportRow): Promise<void> {
  const entity = entityIn(ctx, row);
  const reader = readerOf(ctx, entity, row);
  const rows = await nextRows(ctx.services.pool, ctx.app, row, Infinity);
  const { results, keys } = await written(ctx, row, { reader, rows, isTrial: true }, () => Promise.resolve());
  await transaction(ctx.services.pool, async (client) => {
    await claim(client, ctx.app, row);
    await record(client, ctx.app, row, { results, keys });
  });
}

async function afterCheck(ctx: AppContext, row: ImportRow): Promise<void> {
  const { options, failed, id: importId, total, entity } = row;
  await transaction(ctx.services.pool, async (client) => {
    await claim(client, ctx.app, row);
    const isGood = failed === 0 || options.on_error === 'skip';
    if (options.run && isGood) return enterTask(client, ctx.app, { importId, entity, task: 'run', total });
    return settle(client, ctx.app, importId, options.run ? 'refused' : 'checked', options.run ? refusedFor(failed) : undefined);
  });
}

const refusedFor = (failed: number): AppError =>
  new AppError(
    'VALIDATION_FAILED',
    `Nothing was written: ${failed === 1 ? 'one row is' : `${String(failed)} rows are`} bad, and all or nothing was asked for.`,
  );

// --- run -------------------------------------------------------------------------------------------------------------

/** All or nothing: rows that were good when they were checked are bad now. */
class RowsRefused extends Error {
  override readonly name = 'RowsRefused';
  readonly found: RowsResult;

  constructor(found: RowsResult) {
    super('rows of the batch are bad');
    this.found = found;
  }
}

async function runBatch(ctx: AppContext, row: ImportRow): Promise<void> {
  const entity = entityIn(ctx, row);
  const reader = readerOf(ctx, entity, row);
  const rows = await nextRows(ctx.services.pool, ctx.app, row, batchSize(entity));
  const isWhole = row.options.on_error === 'all_or_nothing';
  try {
    await written(ctx, row, { reader, rows, isTrial: false }, async (client, found) => {
      if (isWhole && found.results.some(({ errors }) => errors.length > 0)) throw new RowsRefused(found);
      await record(client, ctx.app, row, found);
      crashPoint('import.run.uncommitted');
    });
  } catch (error) {
    if (error instanceof RowsRefused) return takeBack(ctx, row, error.found);
    const [only, ...others] = rows;
    // A receiver that was asked before the transaction has refused the row.
    if (!isOfRow(error) || only === undefined || others.length > 0) throw error;
    const results = [{ row: only.row, line: only.line, errors: rowErrors(reader, error) }];
    const found = { results, keys: new Map<string, number>() };
    if (isWhole) return takeBack(ctx, row, found);
    await transaction(ctx.services.pool, async (client) => {
      await claim(client, ctx.app, row);
      await record(client, ctx.app, row, found);
    });
  }
}

/** What earlier batches have written goes again. */
async function takeBack(ctx: AppContext, row: ImportRow, found: RowsResult): Promise<void> {
  const bad = found.results.filter(({ errors }) => errors.length > 0);
  await transaction(ctx.services.pool, async (client) => {
    const { id: importId, entity, created, updated } = await claim(client, ctx.app, row);
    await noteErrors(client, ctx.app, importId, bad);
    await execute(
      client,
      sql`update ${importsOf(ctx.app)} set failed = failed + ${value(bad.length, 'integer')} where id = ${value(importId, 'uuid')}`,
    );
    if (created + updated > 0) {
      await enterTask(client, ctx.app, { importId, entity, task: 'undo', total: created + updated, afterUndo: 'refused' });
    } else await settle(client, ctx.app, importId, 'refused', refusedFor(bad.length));
  });
}

async function afterRun(ctx: AppContext, row: ImportRow): Promise<void> {
  await transaction(ctx.services.pool, async (client) => {
    await claim(client, ctx.app, row);
    await settle(client, ctx.app, row.id, 'completed');
  });
}

// --- a batch and its place in one transaction ----------------------------------------------------------------------------

interface Batch {
  readonly reader: RowReader;
  readonly rows: readonly FileRow[];
  readonly isTrial: boolean;
}

/** Writes the rows, the quick way where it goes; `along` is done in the same transaction. */
async function written(
  ctx: AppContext,
  row: ImportRow,
  rows: Batch,
  along: (client: Db, found: RowsResult) => Promise<void>,
): Promise<RowsResult> {
  const { entity, options } = rows.reader.plan;
  const way = (hasSavepoints: boolean): Promise<RowsResult> =>
    runWrite<RowsResult>({
      ctx,
      entity,
      options: { events: options.events === 'none' || rows.isTrial ? 'none' : 'all', isTrial: rows.isTrial },
      isWide: false,
      needsTransaction: true,
      touched: () => [],
      work: async (write) => {
        if (!rows.isTrial) await claim(write.db, ctx.app, row);
        const found = await writeRows(write, { ...rows, importId: row.id, hasSavepoints });
        await along(write.db, found);
        return found;
      },
    });
  try {
    return await way(false);
  } catch (error) {
    if (!(error instanceof NeedsSavepoints) && !isOfConstraint(error)) throw error;
    return way(true);
  }
}

/** What the batch came to, and how far the import is now. */
async function record(client: Db, app: AppRuntime, row: ImportRow, { results, keys }: RowsResult): Promise<void> {
  const bad = results.filter(({ errors }) => errors.length > 0);
  const good = results.flatMap((result) => (result.written === undefined ? [] : [{ ...result, written: result.written }]));
  await noteErrors(client, app, row.id, bad);
  await rememberKeys(client, app, row.id, keys);
  if (row.task === 'run') await journal(client, app, row.id, good);
  const counted = (holds: (one: (typeof good)[number]['written']) => boolean): number =>
    good.filter(({ written: one }) => holds(one)).length;
  await execute(
    client,
    sql`update ${importsOf(app)} set done = done + ${value(results.length, 'integer')},
          created = created + ${value(
            counted((one) => one.action === 'create'),
            'integer',
          )},
          updated = updated + ${value(
            counted((one) => one.action === 'update' && one.isChanged),
            'integer',
          )},
          unchanged = unchanged + ${value(
            counted((one) => one.action === 'update' && !one.isChanged),
            'integer',
          )},
          failed = failed + ${value(bad.length, 'integer')},
          segment_from = case when segment_at is null then done else segment_from end, segment_at = coalesce(segment_at, now()),
          updated_at = clock_timestamp()
        where id = ${value(row.id, 'uuid')}`,
    { prepared: true },
  );
}

async function noteErrors(client: Db, app: AppRuntime, importId: string, bad: readonly RowResult[]): Promise<void> {
  if (bad.length === 0) return;
  const rows = bad.flatMap(({ row, line, errors }) =>
    errors.map((error, nth) => ({ row, nth, line, ...error, message: storable(error.message) })),
  );
  await execute(
    client,
    sql`insert into ${id(app.storage, '_import_errors')} (import_id, row, nth, line, col, field, code, rule, message)
        select ${value(importId, 'uuid')}, e.row, e.nth, e.line, e.column, e.field, e.code, e.rule, e.message
        from jsonb_to_recordset(${value(JSON.stringify(rows), 'jsonb')})
          as e(row integer, nth integer, line integer, "column" text, field text, code text, rule text, message text)
        on conflict do nothing`,
    { prepared: true },
  );
}

const MAX_MESSAGE = 500;
/** Messages may show what was sent. */
const storable = (message: string): string =>
  message
    .slice(0, MAX_MESSAGE)
    .replaceAll('\0', '\uFFFD')
    .replace(/\p{Surrogate}/gu, '\uFFFD');

async function journal(
  client: Db,
  app: AppRuntime,
  importId: string,
  good: readonly { readonly row: number; readonly line: number; readonly written: NonNullable<RowResult['written']> }[],
): Promise<void> {
  const changed = good.filter(({ written: one }) => one.isChanged);
  if (changed.length === 0) return;
  const list = <T>(of: (one: (typeof changed)[number]) => T): T[] => changed.map(of);
  await execute(
    client,
    sql`insert into ${id(app.storage, '_import_records')} (import_id, row, line, record_id, action, version, old)
        select ${value(importId, 'uuid')}, r.row, r.line, r.record_id, r.action, r.version, r.old
        from unnest(${value(
          list(({ row }) => row),
          'integer[]',
        )}, ${value(
          list(({ line }) => line),
          'integer[]',
        )}, ${value(
          list(({ written: one }) => one.id),
          'text[]',
        )}, ${value(
          list(({ written: one }) => one.action),
          'text[]',
        )}, ${value(
          list(({ written: one }) => one.version),
          'bigint[]',
        )}, ${value(
          list(({ written: one }) => one.old),
          'jsonb[]',
        )}) as r(row, line, record_id, action, version, old)`,
    { prepared: true },
  );
}
