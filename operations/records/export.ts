/** Whole lists as CSV or ndjson, out of one snapshot, a batch at a time. */
import type pg from 'pg';
import { RowCursor, type Cells } from '../../adapters/postgres/row-cursor.ts';
import { csvLine, withoutFormula } from '../../core/csv.ts';
import { AppError } from '../../core/errors.ts';
import { exportStatement, parseExportQuery, type CsvColumn, type ExportFormat, type ExportStatement } from '../../core/filter/export.ts';
import type { AppContext } from '../context.ts';
import { named } from './read-run.ts';
import { bindingsOf, readableEntity, readScope } from './read-scope.ts';

/** How long a reader may take for one batch. */
export const EXPORT_IDLE_MS = 30_000;
/** How long one export may take: its snapshot keeps Postgres from cleaning up, and its lock keeps migrations waiting. */
export const EXPORT_MAX_MS = 15 * 60_000;

export interface Export {
  readonly fileName: string;
  /** The beginning of the file, so that what fails at once fails as any other request. */
  readonly first: string;
  /** The rest of it; undefined when `first` is all. Its iterator's `return` frees the connection, begun or not. */
  readonly rest: AsyncIterable<string> | undefined;
}

interface Plan extends ExportStatement {
  readonly fileName: string;
  readonly toText: (rows: readonly Cells[]) => string;
  readonly header: string;
}

/** Begins an export. `signal` aborts it at any time: the statement is cancelled and the connection freed. */
export async function exportRecords(
  ctx: AppContext,
  name: string,
  query: URLSearchParams,
  format: ExportFormat,
  signal: AbortSignal,
): Promise<Export> {
  const plan = planExport(ctx, name, query, format);
  const leave = enter(ctx);
  let cursor: RowCursor | undefined;
  try {
    cursor = await RowCursor.open(ctx.services.pool, plan.statement, { idleTimeoutMs: EXPORT_IDLE_MS * 2, signal });
    const text = new ExportText(cursor, plan, leave);
    signal.addEventListener('abort', () => void text.return(), { once: true });
    const first = plan.header + ((await text.read()) ?? '');
    const second = text.isDone ? undefined : await text.read();
    return { fileName: plan.fileName, first, rest: second === undefined ? undefined : text.startingWith(second) };
  } catch (error) {
    await cursor?.close();
    leave();
    throw named(error);
  }
}

/** Whether an export would begin, and what its file is called. */
export function describeExport(ctx: AppContext, name: string, query: URLSearchParams, format: ExportFormat): { readonly fileName: string } {
  return planExport(ctx, name, query, format);
}

function planExport(ctx: AppContext, name: string, parameters: URLSearchParams, format: ExportFormat): Plan {
  const query = parseExportQuery(parameters, format);
  const scope = readScope(ctx, query.list.withDeleted);
  const entity = readableEntity(ctx, scope, name);
  const made = exportStatement(scope, entity, query, format, bindingsOf(ctx), ctx.app.model.settings);
  const fileName = `${entity.name}-${ctx.now.toISOString().slice(0, 10)}.${format}`;
  if (format === 'ndjson') return { ...made, fileName, header: '', toText: ndjsonText };
  return {
    ...made,
    fileName,
    header: csvLine(made.columns.map((column) => column.name)),
    toText: csvText(made.columns, query.keepsFormulas),
  };
}

const ndjsonText = (rows: readonly Cells[]): string => rows.map((cells) => `${cells[0] ?? 'null'}\n`).join('');

function csvText(columns: readonly CsvColumn[], keepsFormulas: boolean): Plan['toText'] {
  const guarded = keepsFormulas ? [] : columns.flatMap((column, index) => (column.isText ? [index] : []));
  return (rows) => {
    let text = '';
    for (const cells of rows) {
      const shown = guarded.length === 0 ? cells : [...cells];
      for (const index of guarded) (shown as (string | null)[])[index] = withoutFormula(cells[index] ?? null);
      text += csvLine(shown);
    }
    return text;
  };
}

/** The text of an export. Reading past its end, a failure and `return` each free what it holds, once. */
class ExportText implements AsyncIterable<string>, AsyncIterator<string, undefined> {
  readonly #cursor: RowCursor;
  readonly #plan: Plan;
  readonly #leave: () => void;
  readonly #began = performance.now();
  #ahead: string | undefined;
  isDone = false;

  constructor(cursor: RowCursor, plan: Plan, leave: () => void) {
    this.#cursor = cursor;
    this.#plan = plan;
    this.#leave = leave;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  startingWith(text: string): this {
    this.#ahead = text;
    return this;
  }

  async read(): Promise<string | undefined> {
    if (performance.now() - this.#began > EXPORT_MAX_MS) {
      await this.return();
      throw new AppError('UNAVAILABLE', 'The export took too long and was stopped.');
    }
    try {
      const rows = await this.#cursor.read();
      if (rows.length > 0) return this.#plan.toText(rows);
      await this.return();
      return undefined;
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    const value = this.#ahead ?? (await this.read());
    this.#ahead = undefined;
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  async return(): Promise<IteratorResult<string, undefined>> {
    this.isDone = true;
    this.#ahead = undefined;
    await this.#cursor.close();
    this.#leave();
    return { done: true, value: undefined };
  }
}

/** Running exports of this process, per app: each holds a connection for as long as its reader takes. */
const running = new WeakMap<pg.Pool, Map<string, number>>();

/** Takes a place, or refuses; the answer gives it back. One app never takes more than half of the places. */
function enter(ctx: AppContext): () => void {
  const { pool, config } = ctx.services;
  const apps = running.get(pool) ?? new Map<string, number>();
  running.set(pool, apps);
  const places = Math.max(1, Math.min(config.exportsAtOnce, Math.floor(pool.options.max / 2)));
  const taken = [...apps.values()].reduce((sum, count) => sum + count, 0);
  const own = apps.get(ctx.app.id) ?? 0;
  if (taken >= places || own >= Math.ceil(places / 2)) {
    throw new AppError('UNAVAILABLE', 'Too many exports are running right now.', { hint: 'Try again when one has ended.', retryAfter: 5 });
  }
  apps.set(ctx.app.id, own + 1);
  let isInside = true;
  return () => {
    if (!isInside) return;
    isInside = false;
    const left = (apps.get(ctx.app.id) ?? 1) - 1;
    if (left === 0) apps.delete(ctx.app.id);
    else apps.set(ctx.app.id, left);
  };
}
