import { parseListQuery, parseQueryBody } from '../../core/filter/parse.ts';
import type { ListQuery } from '../../core/filter/query.ts';
import { listStatement } from '../../core/filter/statements.ts';
import type { AppContext } from '../context.ts';
import { runRead } from './read-run.ts';
import { bindingsOf, readableEntity, readScope } from './read-scope.ts';

/** A page of records by the parameters of a query string. `text` is the whole JSON body, `{data, meta}`. */
export const listRecords = (ctx: AppContext, entity: string, query: URLSearchParams): Promise<{ text: string }> =>
  listBy(ctx, entity, () => parseListQuery(query));

/** The same by the body of `POST /:entity/_query`. */
export const queryRecords = (ctx: AppContext, entity: string, body: unknown): Promise<{ text: string }> =>
  listBy(ctx, entity, () => parseQueryBody(body));

async function listBy(ctx: AppContext, name: string, parse: () => ListQuery): Promise<{ text: string }> {
  const query = parse();
  const scope = readScope(ctx, query.withDeleted);
  const entity = readableEntity(ctx, scope, name);
  const { statement, page, perPage } = listStatement(scope, entity, query, bindingsOf(ctx), ctx.app.model.settings);
  const row = await runRead(ctx, statement);
  const total = row?.total === undefined ? '' : `,"total":${row.total}`;
  return { text: `{"data":${row?.data ?? '[]'},"meta":{"page":${page},"per_page":${perPage}${total}}}` };
}
