/** Imports as their owners and admins see them: lists, mistakes, what an undo has kept, and the file of bad rows. */
import { run, runText } from '../../adapters/postgres/run.ts';
import { csvLine, withoutFormula } from '../../core/csv.ts';
import { AppError } from '../../core/errors.ts';
import { isObject } from '../../core/is-object.ts';
import { and, id, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { checkParameters, readNatural, readPage, readText } from '../paging.ts';
import { mayImport } from './import-plan.ts';
import { importsOf, importView, noSuchImport, ownerOf, readImport, type ImportRow } from './import-row.ts';

const MAX_PER_PAGE = 100;
const STATES = ['checking', 'checked', 'running', 'completed', 'refused', 'cancelled', 'failed', 'undoing', 'undone'];

/** Own ones, of entities the caller may still import into; admins see all. */
function seen(ctx: AppContext): Sql[] {
  const { actor, app } = ctx;
  const isLimited = !actor.isAdmin || actor.scopes !== undefined;
  const open = [...app.model.entities.values()].filter((entity) => mayImport(ctx, entity)).map((entity) => entity.id);
  return [
    ...(actor.isAdmin ? [] : [sql`i.owner = ${value(ownerOf(actor))}`]),
    ...(isLimited ? [sql`i.entity_id = any(${value(open, 'text[]')})`] : []),
  ];
}

/** NOT_FOUND for one that is somebody else's. */
export async function ownImport(ctx: AppContext, importId: string): Promise<ImportRow> {
  const row = await readImport(ctx.services.pool, ctx.app, importId);
  if (row === undefined) throw noSuchImport(importId);
  const [found] = await run(
    ctx.services.pool,
    sql`select 1 from ${importsOf(ctx.app)} i where ${and([sql`i.id = ${value(importId, 'uuid')}`, ...seen(ctx)])}`,
  );
  if (found === undefined) throw noSuchImport(importId);
  return row;
}

export const getImport = async (ctx: AppContext, importId: string): Promise<Readonly<Record<string, unknown>>> =>
  importView(ctx.services, ctx.app, await ownImport(ctx, importId));

/** `{data, meta}`, the newest first. */
export async function listImports(ctx: AppContext, query: URLSearchParams): Promise<{ data: unknown[]; meta: object }> {
  checkParameters(query, ['page', 'per_page', 'entity', 'state']);
  const { page, perPage, offset } = readPage(query, MAX_PER_PAGE);
  const entity = readText(query, 'entity');
  const state = readText(query, 'state');
  if (state !== undefined && !STATES.includes(state)) throw new AppError('INVALID_VALUE', `The state must be one of ${STATES.join(', ')}.`);
  const named = entity === undefined ? undefined : ctx.app.model.entities.get(entity);
  const where = and([
    raw(`i.state <> 'uploading'`),
    ...(entity === undefined ? [] : [sql`i.entity_id = ${value(named?.id ?? '')}`]),
    ...(state === undefined ? [] : [sql`i.state = ${value(state)}`]),
    ...seen(ctx),
  ]);
  const rows = await run<ImportRow & { all_rows: string }>(
    ctx.services.pool,
    sql`select i.*, count(*) over () as all_rows from ${importsOf(ctx.app)} i where ${where}
        order by i.id desc limit ${value(perPage, 'integer')} offset ${value(offset, 'bigint')}`,
  );
  const data = rows.map((row) => importView(ctx.services, ctx.app, row));
  const total = rows[0] === undefined ? (offset === 0 ? 0 : undefined) : Number(rows[0].all_rows);
  return { data, meta: { page, per_page: perPage, ...(total === undefined ? {} : { total }) } };
}

/** The mistakes of the last check or run, by line, as JSON text. `after` is the row and number of the last one shown. */
export async function importErrors(ctx: AppContext, importId: string, query: URLSearchParams): Promise<string> {
  checkParameters(query, ['limit', 'cursor']);
  await ownImport(ctx, importId);
  const limit = Math.min(readNatural(query, 'limit') ?? MAX_PER_PAGE, MAX_PER_PAGE * 10);
  const [row, nth] = readPlace(query.get('cursor'), /^(\d{1,9})\.(\d{1,3})$/, [-1, -1]);
  const text = await runText(
    ctx.services.pool,
    sql`with found as (
          select row, nth, line, col as "column", field, code, rule, message from ${id(ctx.app.storage, '_import_errors')}
          where import_id = ${value(importId, 'uuid')} and (row, nth) > (${value(row, 'integer')}, ${value(nth, 'integer')})
          order by row, nth limit ${value(limit + 1, 'integer')}
        ), shown as (select * from found order by row, nth limit ${value(limit, 'integer')})
        select json_build_object('data', coalesce((select json_agg(json_build_object('line', line, 'column', "column", 'field', field, 'code', code,
            'rule', rule, 'message', message) order by row, nth) from shown), '[]'),
          'page', json_build_object('limit', ${value(limit, 'integer')}, 'next_cursor', case when (select count(*) from found) > ${value(limit, 'integer')}
            then (select row || '.' || nth from shown order by row desc, nth desc limit 1) end))::text`,
  );
  return text ?? '{"data":[]}';
}

/** The records that an undo has left as they are, and why, as JSON text. */
export async function keptRecords(ctx: AppContext, importId: string, query: URLSearchParams): Promise<string> {
  checkParameters(query, ['limit', 'cursor']);
  await ownImport(ctx, importId);
  const limit = Math.min(readNatural(query, 'limit') ?? MAX_PER_PAGE, MAX_PER_PAGE * 10);
  const [row] = readPlace(query.get('cursor'), /^(\d{1,9})$/, [-1]);
  const text = await runText(
    ctx.services.pool,
    sql`with found as (
          select row, line, record_id, action, reason from ${id(ctx.app.storage, '_import_records')}
          where import_id = ${value(importId, 'uuid')} and outcome = 'kept' and row > ${value(row, 'integer')}
          order by row limit ${value(limit + 1, 'integer')}
        ), shown as (select * from found order by row limit ${value(limit, 'integer')})
        select json_build_object('data', coalesce((select json_agg(json_build_object('line', line, 'record_id', record_id, 'action', action,
            'reason', reason) order by row) from shown), '[]'),
          'page', json_build_object('limit', ${value(limit, 'integer')}, 'next_cursor', case when (select count(*) from found) > ${value(limit, 'integer')}
            then (select max(row)::text from shown) end))::text`,
  );
  return text ?? '{"data":[]}';
}

function readPlace(cursor: string | null, form: RegExp, beginning: readonly number[]): readonly number[] {
  if (cursor === null || cursor === '') return beginning;
  const match = form.exec(cursor);
  if (match === null)
    throw new AppError('INVALID_VALUE', '"cursor" must be page.next_cursor of the answer before, or empty for the beginning.');
  return match.slice(1).map(Number);
}

// --- the file of bad rows --------------------------------------------------------------------------------------------

export interface ResultFile {
  readonly fileName: string;
  readonly type: string;
  readonly pieces: AsyncIterable<string>;
}

/** Added to the columns of the file; an import of the result file leaves them out. */
const LINE = '_line';
const REASON = '_reason';

/** The bad rows as they were sent, each with its line and what is wrong with it, to be corrected and imported again. */
export async function resultFile(ctx: AppContext, importId: string, format: string): Promise<ResultFile> {
  const row = await ownImport(ctx, importId);
  if (row.format !== format) {
    throw new AppError('UNSUPPORTED', `The bad rows of a file of ${row.format} are given as ${row.format}.`, {
      hint: `GET _imports/:id/errors.${row.format}`,
    });
  }
  const name = (row.file_name ?? `${row.entity}.${format}`)
    .replace(/\.[^.]*$/, '')
    .replace(/[^\w.-]+/g, '-')
    .slice(0, 100);
  return {
    fileName: `${name}-bad-rows.${format}`,
    type: format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson; charset=utf-8',
    pieces: pieces(ctx, row),
  };
}

async function* pieces(ctx: AppContext, row: ImportRow): AsyncGenerator<string> {
  const isCsv = row.format === 'csv';
  const { delimiter = ',', bom } = row.source;
  if (isCsv) {
    const names = [...row.columns, LINE, REASON].map(withoutFormula);
    yield (bom ? '\uFEFF' : '') + csvLine(names, delimiter);
  }
  for (let from = 0; from < row.total;) {
    const chunk = await badRows(ctx, row.id, from);
    if (chunk === undefined) return;
    from = chunk.first_row + chunk.rows;
    const reasons = new Map(chunk.reasons.map((one) => [one.row - chunk.first_row, one]));
    if (reasons.size === 0) continue;
    const rows = JSON.parse(chunk.body) as [number, ...unknown[]][];
    let text = '';
    for (const [index, { line, reason }] of reasons) {
      const [, ...cells] = rows[index] ?? [0];
      text += isCsv ? csvRow(row, cells, line, reason) : jsonRow(cells, line, reason);
    }
    yield text;
  }
}

interface BadChunk {
  readonly first_row: number;
  readonly rows: number;
  readonly body: string;
  readonly reasons: readonly { readonly row: number; readonly line: number; readonly reason: string }[];
}

async function badRows(ctx: AppContext, importId: string, from: number): Promise<BadChunk | undefined> {
  const [chunk] = await run<BadChunk & Record<string, unknown>>(
    ctx.services.pool,
    sql`select c.first_row, c.rows, c.body, coalesce((
          select json_agg(json_build_object('row', b.row, 'line', b.line, 'reason', b.reason) order by b.row) from (
            select e.row, e.line, string_agg(case when e.col is null then e.message else e.col || ': ' || e.message end, '; ' order by e.nth) as reason
            from ${id(ctx.app.storage, '_import_errors')} e
            where e.import_id = c.import_id and e.row >= c.first_row and e.row < c.first_row + c.rows group by e.row, e.line) b), '[]') as reasons
        from ${id(ctx.app.storage, '_import_chunks')} c
        where c.import_id = ${value(importId, 'uuid')} and c.first_row >= ${value(from, 'integer')} order by c.first_row limit 1`,
  );
  return chunk;
}

function csvRow({ columns, source }: ImportRow, cells: readonly unknown[], line: number, reason: string): string {
  const own = columns.map((_, index) => (cells[index] ?? null) as string | null);
  return csvLine([...own, String(line), reason].map(withoutFormula), source.delimiter ?? ',');
}

const jsonRow = ([record]: readonly unknown[], line: number, reason: string): string =>
  `${JSON.stringify({ ...(isObject(record) ? record : {}), [LINE]: line, [REASON]: reason })}\n`;
