/** `/api/:app/_workflows/...`: runs of processes, and deciding their tasks. */
import { AppError } from '../../core/errors.ts';
import type { AppContext } from '../../operations/context.ts';
import { commentRun, decideRun, delegateRun, reassignRun } from '../../operations/approvals/decide.ts';
import { listPending, listRuns } from '../../operations/processes/list.ts';
import { cancelRun, retryRun, rewindRun, skipRun } from '../../operations/processes/operate.ts';
import { getRun } from '../../operations/processes/runs.ts';
import { startRun } from '../../operations/processes/start.ts';
import { bodyAnswer, dataAnswer, type Answer } from '../http/answer.ts';
import { jsonOf, optionalMembersOf, type Call } from '../http/call.ts';
import { withFreshSchema } from '../rerun.ts';
import { noSuchRoute } from './not-found.ts';

export async function workflowsRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [first, verb, ...more] = rest;
  call.route = '/api/:app/_workflows';
  if (more.length > 0) throw noSuchRoute(call);
  if (first === undefined) {
    if (call.method !== 'GET') throw noSuchRoute(call);
    return bodyAnswer(await listRuns(ctx, call.query));
  }
  if (first === 'pending' && verb === undefined) {
    if (call.method !== 'GET') throw noSuchRoute(call);
    return bodyAnswer(await listPending(ctx, call.query));
  }
  if (first === 'start' && verb !== undefined && call.method === 'POST') {
    const body = await jsonOf(call);
    return dataAnswer(await withFreshSchema(ctx, (fresh) => startRun(fresh, verb, body)), 201);
  }
  call.route = '/api/:app/_workflows/:id';
  if (verb === undefined && call.method === 'GET') return dataAnswer(await getRun(ctx, first));
  const isCancel = (verb === undefined && call.method === 'DELETE') || (verb === 'cancel' && call.method === 'POST');
  if (isCancel) return dataAnswer(await cancelRun(ctx, first, await reasonOf(call)));
  if (verb === undefined || call.method !== 'POST') throw noSuchRoute(call);
  return verbRoute(ctx, call, first, verb);
}

async function verbRoute(ctx: AppContext, call: Call, runId: string, verb: string): Promise<Answer> {
  call.route = `/api/:app/_workflows/:id/:verb`;
  switch (verb) {
    case 'approve':
      return dataAnswer(await decideRun(ctx, runId, 'approved', await jsonOf(call)));
    case 'reject':
      return dataAnswer(await decideRun(ctx, runId, 'rejected', await jsonOf(call)));
    case 'retry':
      return dataAnswer(await retryRun(ctx, runId, await jsonOf(call)));
    case 'rewind':
      return dataAnswer(await rewindRun(ctx, runId, await jsonOf(call)));
    case 'skip':
      return dataAnswer(await skipRun(ctx, runId, await jsonOf(call)));
    case 'send-back':
      return dataAnswer(await decideRun(ctx, runId, 'sent_back', await jsonOf(call)));
    case 'resubmit':
      return dataAnswer(await decideRun(ctx, runId, 'resubmitted', await jsonOf(call)));
    case 'delegate':
      return dataAnswer(await delegateRun(ctx, runId, await jsonOf(call)));
    case 'reassign':
      return dataAnswer(await reassignRun(ctx, runId, await jsonOf(call)));
    case 'comment':
      return dataAnswer(await commentRun(ctx, runId, await jsonOf(call)));
    default:
      throw noSuchRoute(call);
  }
}

async function reasonOf(call: Call): Promise<string | undefined> {
  const { reason } = await optionalMembersOf(call, '_workflows/cancel', ['reason']);
  if (reason !== undefined && typeof reason !== 'string') throw new AppError('INVALID_PAYLOAD', '"reason" must be text.');
  return reason;
}
