import { sqlState } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { aggregateStatement } from '../../core/filter/aggregate.ts';
import { parseAggregateBody, parseAggregateQuery, type AggregateQuery } from '../../core/filter/aggregate-query.ts';
import { unknownTimeZone } from '../../core/filter/date-parts.ts';
import type { AppContext } from '../context.ts';
import { runRead, type ReadRow } from './read-run.ts';
import { bindingsOf, readableEntity, readScope } from './read-scope.ts';

/** Counts, sums and the like by the parameters of a query string. `text` is the whole JSON body, `{data, meta}`. */
export const aggregateRecords = (ctx: AppContext, entity: string, query: URLSearchParams): Promise<{ text: string }> =>
  aggregateBy(ctx, entity, () => parseAggregateQuery(query));

/** The same by the body of `POST /:entity/_aggregate`. */
export const aggregateByBody = (ctx: AppContext, entity: string, body: unknown): Promise<{ text: string }> =>
  aggregateBy(ctx, entity, () => parseAggregateBody(body));

async function aggregateBy(ctx: AppContext, name: string, parse: () => AggregateQuery): Promise<{ text: string }> {
  const query = parse();
  const scope = readScope(ctx, query.withDeleted);
  const entity = readableEntity(ctx, scope, name);
  const { page, perPage } = query;
  const row = await runNamed(() => runRead(ctx, aggregateStatement(scope, entity, query, bindingsOf(ctx), ctx.app.model.settings)));
  const total = row?.total ?? '0';
  const hasMore = BigInt(page) * BigInt(perPage) < BigInt(total);
  return {
    text: `{"data":${row?.data ?? '[]'},"meta":{"page":${page},"per_page":${perPage},"total":${total},"has_more":${String(hasMore)}}}`,
  };
}

/** What only the database can find: sums beyond a float, and time zones it does not know. */
async function runNamed(read: () => Promise<ReadRow | undefined>): Promise<ReadRow | undefined> {
  try {
    return await read();
  } catch (error) {
    switch (sqlState(error)) {
      case '22003':
        throw new AppError('INVALID_VALUE', 'A value of the answer is larger than its type can hold.', {
          hint: 'Aggregate fewer records, or keep the field as a decimal.',
          cause: error,
        });
      case '22023':
        throw unknownTimeZone();
      default:
        throw error;
    }
  }
}
