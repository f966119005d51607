import { parseListQuery, parseQueryBody } from '../../core/filter/parse.ts';
import type { ListQuery } from '../../core/filter/query.ts';
import { estimateStatement, pageStatement, planList, walkStatement, type ListPlan } from '../../core/filter/statements.ts';
import type { AppContext } from '../context.ts';
import { cursorPurpose, openCursor, sealCursor } from './cursor.ts';
import { runEstimate, runRead } from './read-run.ts';
import { bindingsOf, readableEntity, readScope } from './read-scope.ts';

/**
 * A list by the parameters of a query string. `text` is the whole JSON body: `{data, meta}` of a page, `{data, page}` of a walk.
 */
export const listRecords = (ctx: AppContext, entity: string, query: URLSearchParams): Promise<{ text: string }> =>
  listBy(ctx, entity, () => parseListQuery(query));

/** The same by the body of `POST /:entity/_query`. */
export const queryRecords = (ctx: AppContext, entity: string, body: unknown): Promise<{ text: string }> =>
  listBy(ctx, entity, () => parseQueryBody(body));

async function listBy(ctx: AppContext, name: string, parse: () => ListQuery): Promise<{ text: string }> {
  const query = parse();
  const scope = readScope(ctx, query.withDeleted);
  const entity = readableEntity(ctx, scope, name);
  const plan = planList(scope, entity, query, bindingsOf(ctx), ctx.app.model.settings);
  const text = query.walk === undefined ? await pageText(ctx, plan, query) : await walkText(ctx, plan, query, query.walk.cursor);
  return { text };
}

async function pageText(ctx: AppContext, plan: ListPlan, query: ListQuery): Promise<string> {
  const estimate = await estimateOf(ctx, plan, query);
  const row = await runRead(ctx, pageStatement(plan, query.page, isCounted(query, estimate)));
  const meta = [`"page":${query.page}`, `"per_page":${plan.size}`, ...totals(row?.total, estimate)];
  return `{"data":${row?.data ?? '[]'},"meta":{${meta.join(',')}}}`;
}

async function walkText(ctx: AppContext, plan: ListPlan, query: ListQuery, cursor: string | undefined): Promise<string> {
  const purpose = cursorPurpose(ctx, plan.entity.name, query, plan.keys);
  const place = cursor === undefined ? undefined : openCursor(ctx, cursor, purpose, plan.keys);
  const estimate = await estimateOf(ctx, plan, query);
  const row = await runRead(ctx, walkStatement(plan, place, isCounted(query, estimate)));
  const next = typeof row?.last === 'string' ? `"${sealCursor(ctx, row.last, purpose)}"` : 'null';
  const meta = totals(row?.total, estimate);
  const counted = meta.length === 0 ? '' : `,"meta":{${meta.join(',')}}`;
  return `{"data":${row?.data ?? '[]'},"page":{"limit":${plan.size},"next_cursor":${next}}${counted}}`;
}

/** Lists shorter than this are counted even where an estimate would do. */
const WORTH_ESTIMATING = 10_000;

/** Postgres' own estimate, where the caller asks for one, may have one, and counting would be dear. */
async function estimateOf(ctx: AppContext, plan: ListPlan, query: ListQuery): Promise<number | undefined> {
  if (query.count !== 'estimated' || !plan.isOpen) return undefined;
  const rows = await runEstimate(ctx, estimateStatement(plan));
  return rows < WORTH_ESTIMATING ? undefined : rows;
}

const isCounted = (query: ListQuery, estimate: number | undefined): boolean => query.count !== 'none' && estimate === undefined;

function totals(total: string | undefined, estimate: number | undefined): string[] {
  if (estimate !== undefined) return [`"total":${estimate}`, '"estimated":true'];
  return total === undefined ? [] : [`"total":${total}`];
}
