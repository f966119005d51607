/** `/:entity/_bulk` and `/_batch`: many writes in one request, a result for each. */
import { toAppError } from '../http/errors.ts';
import { AppError } from '../../core/errors.ts';
import type { AppContext } from '../../operations/context.ts';
import { batchRecords } from '../../operations/records/batch.ts';
import { bulkRecords } from '../../operations/records/bulk.ts';
import type { ManyOptions } from '../../operations/records/many.ts';
import type { Settled } from '../../operations/records/operation.ts';
import { textAnswer, type Answer } from '../http/answer.ts';
import { headerOf, objectOf, type Call } from '../http/call.ts';
import { isAtomic, replayHeaders, writeOptions } from '../http/write-options.ts';
import { withFreshSchema } from '../rerun.ts';
import { noSuchRoute } from './not-found.ts';

export async function bulkRoute(ctx: AppContext, call: Call, entity: string): Promise<Answer> {
  call.route = '/api/:app/:entity/_bulk';
  return manyRoute(ctx, call, (fresh, body, options) => bulkRecords(fresh, entity, body, options));
}

export async function batchRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  call.route = '/api/:app/_batch';
  if (rest.length > 0) throw noSuchRoute(call);
  return manyRoute(ctx, call, batchRecords);
}

type Many = (ctx: AppContext, body: Record<string, unknown>, options: ManyOptions) => Promise<readonly Settled[]>;

async function manyRoute(ctx: AppContext, call: Call, many: Many): Promise<Answer> {
  if (call.method !== 'POST') throw noSuchRoute(call);
  if (headerOf(call, 'if-match') !== undefined) {
    throw new AppError('INVALID_VALUE', 'If-Match means one record; here each row has its own.', {
      hint: 'Give rows an "if_match" with the version of the record.',
    });
  }
  const atomic = isAtomic(call);
  const body = await objectOf(call);
  const options = writeOptions(call, body);
  const settled = await withFreshSchema(ctx, (fresh) => many(fresh, body, { ...options, isAtomic: atomic }));
  return textAnswer(resultsText(settled), 200, replayHeaders(options));
}

/** Records go in as Postgres wrote them; only what stands around them is made here. */
function resultsText(settled: readonly Settled[]): string {
  const counts = { created: 0, updated: 0, deleted: 0, restored: 0, failed: 0, skipped: 0 };
  const rows = settled.map(({ operation, outcome, error, skipped }) => {
    const head = `"op":"${operation.kind}","index":${String(operation.index)},"path":${JSON.stringify(operation.path)}`;
    if (outcome !== undefined) {
      const { kind } = operation;
      counts[outcome.isCreated ? 'created' : kind === 'delete' ? 'deleted' : kind === 'restore' ? 'restored' : 'updated']++;
      const version = outcome.version === undefined ? '' : `,"version":${JSON.stringify(outcome.version)}`;
      return `{${head},"status":${outcome.isCreated ? '201' : '200'}${version},"data":${outcome.text}}`;
    }
    if (error === undefined) {
      counts.skipped++;
      return `{${head},"status":424,"skipped":${JSON.stringify(skipped)}}`;
    }
    counts.failed++;
    const { code, message, status, details, hint } = toAppError(error);
    return `{${head},"status":${String(status)},"error":${JSON.stringify({ code, message, details, ...(hint === undefined ? {} : { hint }) })}}`;
  });
  return `{"data":[${rows.join()}],"meta":${JSON.stringify(counts)}}`;
}
