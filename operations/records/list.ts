import { parseListQuery, parseQueryBody } from '../../core/filter/parse.ts';
import type { Place } from '../../core/filter/order.ts';
import { MAX_RANKED, type ListQuery } from '../../core/filter/query.ts';
import { countStatement, estimateStatement, pageStatement, planList, walkStatement, type ListPlan } from '../../core/filter/statements.ts';
import type { AppContext } from '../context.ts';
import { cursorPurpose, foreignCursor, openCursor, sealCursor } from './cursor.ts';
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
  const { total, isEstimate, ordered } = await prepare(ctx, plan, query);
  const row = await runRead(ctx, pageStatement(ordered, query.page, query.count !== 'none' && total === undefined));
  const meta = [`"page":${query.page}`, `"per_page":${plan.size}`, ...totals(total ?? row?.total, isEstimate)];
  return `{"data":${row?.data ?? '[]'},"meta":{${meta.join(',')}}}`;
}

async function walkText(ctx: AppContext, plan: ListPlan, query: ListQuery, cursor: string | undefined): Promise<string> {
  const resumed = cursor === undefined ? undefined : resume(ctx, plan, query, cursor);
  const { total, isEstimate, ordered } = await prepare(ctx, resumed?.plan ?? plan, query, resumed !== undefined);
  const row = await runRead(ctx, walkStatement(ordered, resumed?.place, query.count !== 'none' && total === undefined));
  const next = typeof row?.last === 'string' ? `"${sealCursor(ctx, row.last, purposeOf(ctx, ordered, query))}"` : 'null';
  const meta = totals(total ?? row?.total, isEstimate);
  const counted = meta.length === 0 ? '' : `,"meta":{${meta.join(',')}}`;
  return `{"data":${row?.data ?? '[]'},"page":{"limit":${plan.size},"next_cursor":${next}}${counted}}`;
}

const purposeOf = (ctx: AppContext, plan: ListPlan, query: ListQuery): string => cursorPurpose(ctx, plan.entity.name, query, plan.keys);

/** A walk goes on in the order it began with: its cursor opens for that one only. */
function resume(ctx: AppContext, plan: ListPlan, query: ListQuery, cursor: string): { readonly plan: ListPlan; readonly place: Place } {
  const place = openCursor(ctx, cursor, purposeOf(ctx, plan, query), plan.keys);
  if (place !== undefined) return { plan, place };
  if (plan.unranked === undefined) throw foreignCursor();
  return resume(ctx, plan.unranked, query, cursor);
}

interface Prepared {
  /** Undefined: not known yet. */
  readonly total: string | undefined;
  readonly isEstimate: boolean;
  /** The plan in the order that is used. */
  readonly ordered: ListPlan;
}

/** What must be known before the statement of a list: an estimate, and whether its finds can be ranked. Mostly nothing. */
async function prepare(ctx: AppContext, plan: ListPlan, query: ListQuery, isOrdered = false): Promise<Prepared> {
  const estimate = await estimateOf(ctx, plan, query);
  if (plan.unranked === undefined || isOrdered) return { total: estimate?.toString(), isEstimate: estimate !== undefined, ordered: plan };
  const isExact = query.count !== 'none' && estimate === undefined;
  const row = await runRead(ctx, countStatement(plan, isExact ? undefined : MAX_RANKED));
  const ordered = Number(row?.total ?? 0) > MAX_RANKED ? plan.unranked : plan;
  return { total: isExact ? row?.total : estimate?.toString(), isEstimate: estimate !== undefined, ordered };
}

/** Lists shorter than this are counted even where an estimate would do. */
const WORTH_ESTIMATING = 10_000;

/** Postgres' own estimate, where the caller asks for one, may have one, and counting would be dear. */
async function estimateOf(ctx: AppContext, plan: ListPlan, query: ListQuery): Promise<number | undefined> {
  if (query.count !== 'estimated' || !plan.isOpen) return undefined;
  const rows = await runEstimate(ctx, estimateStatement(plan));
  return rows < WORTH_ESTIMATING ? undefined : rows;
}

const totals = (total: string | undefined, isEstimate: boolean): string[] =>
  total === undefined ? [] : [`"total":${total}`, ...(isEstimate ? ['"estimated":true'] : [])];
