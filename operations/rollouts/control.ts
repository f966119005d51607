/** What an operator does with a rollout. Whether it still counts is the workflow's word alone. */
import { run } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { rolloutWorkflowId } from '../../workflows/contracts/ids.ts';
import { changeRolloutUpdate } from '../../workflows/contracts/messages.ts';
import type { RolloutRequest } from '../../workflows/contracts/types.ts';
import { findApp } from '../apps/read.ts';
import type { PlatformContext } from '../context.ts';
import { audit } from '../platform/audit.ts';
import { askRun } from '../processes/ask-run.ts';
import { actorRef } from '../actor-ref.ts';
import { getRollout, noSuchRollout, type RolloutDetail } from './read.ts';
import { startOptions } from './start.ts';

export type RolloutVerb = RolloutRequest['verb'];

/** With `appName` the verb is a rollback of that app alone. An ended rollout wakes up to move apps back. */
export async function changeRollout(ctx: PlatformContext, id: string, verb: RolloutVerb, appName?: string): Promise<RolloutDetail> {
  const { services, actor } = ctx;
  const rolloutId = await findId(ctx, id);
  const app = appName === undefined ? undefined : await findApp(ctx, appName);
  const request: RolloutRequest = { verb, actor: actorRef(actor), ...(app === undefined ? {} : { app: app.id }) };
  const { WithStartWorkflowOperation } = await import('@temporalio/client');
  const outcome = await askRun(services, rolloutWorkflowId(rolloutId), (handle) =>
    handle.client.executeUpdateWithStart(changeRolloutUpdate, {
      args: [request],
      startWorkflowOperation: new WithStartWorkflowOperation('rollout', {
        ...startOptions({ rolloutId }),
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      }),
    }),
  );
  if (outcome === 'gone')
    throw new AppError('UNAVAILABLE', 'The rollout ended in this moment.', { hint: 'Repeat the request.', retryAfter: 1 });
  await audit(services.pool, actor, {
    app: app?.id ?? null,
    action: `rollout.${verb}`,
    target: rolloutId,
    ...(app === undefined ? {} : { detail: { app: app.name } }),
  });
  return getRollout(services, rolloutId, new URLSearchParams());
}

async function findId(ctx: PlatformContext, id: string): Promise<string> {
  const [row] = await run<{ id: string }>(
    ctx.services.pool,
    sql`select id from durabase.rollouts where id::text = ${value(id.toLowerCase())}`,
  );
  if (row === undefined) throw noSuchRollout(id);
  return row.id;
}
