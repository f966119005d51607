/**
 * Inbound hooks: another system starts a workflow whose trigger is `webhook`. The hook has a secret token of its own. What was
 * sent becomes an event of the log, so that the start has the guarantees of any other, and the run's id is known at once.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import type { WorkflowDefinition } from '../../core/model/document.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { processWorkflowId } from '../../workflows/contracts/ids.ts';
import type { AppContext, AppRuntime, Services } from '../context.ts';
import { findEffect, saveEffect } from '../effects.ts';
import { hintRelay } from '../hint.ts';
import { actorRef } from '../actor-ref.ts';
import { hookEvent } from './match-triggers.ts';
import { definitionNamed } from './move.ts';
import { runIdOf } from './run-id.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** A new token, shown this once; the one before it is worth nothing any more. */
export async function newHookToken(ctx: AppContext, name: string): Promise<{ readonly url: string; readonly token: string }> {
  const definition = definitionNamed(ctx, name);
  if (definition.trigger.type !== 'webhook')
    throw new AppError(
      'INVALID_STATE',
      `The workflow "${name}" has the trigger "${definition.trigger.type}": only "webhook" is called from outside.`,
    );
  const token = `hook_${randomBytes(24).toString('base64url')}`;
  await execute(
    ctx.services.pool,
    sql`insert into ${id(ctx.app.storage, '_hooks')} (definition_id, token_hash, created_by)
        values (${value(definition.id ?? definition.name)}, ${value(digest(token))}, ${value(JSON.stringify(actorRef(ctx.actor)), 'jsonb')})
        on conflict (definition_id) do update set token_hash = excluded.token_hash, created_by = excluded.created_by, created_at = now()`,
  );
  return { url: `/api/${ctx.app.name}/_hooks/${definition.name}`, token };
}

export interface HookCall {
  readonly token: string | undefined;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly idempotencyKey: string | undefined;
}

const MAX_KEY = 255;

/** Takes what was sent; the run starts in a moment. A repetition under the same key answers the same run. */
export async function callHook(services: Services, app: AppRuntime, name: string, call: HookCall): Promise<{ readonly run_id: string }> {
  const definition = await definitionOfToken(services, app, name, call.token);
  if (!definition.active) throw new AppError('INVALID_STATE', `The workflow "${definition.name}" is switched off.`);
  const { idempotencyKey } = call;
  if (idempotencyKey !== undefined && (idempotencyKey === '' || idempotencyKey.length > MAX_KEY))
    throw new AppError('INVALID_VALUE', `An idempotency key has 1 to ${MAX_KEY} characters.`);
  const definitionId = definition.id ?? definition.name;
  const key = idempotencyKey === undefined ? undefined : `hook/${definitionId}/${digest(idempotencyKey).toString('hex')}`;
  const known = key === undefined ? undefined : await findEffect(services.pool, app.storage, key);
  if (known !== undefined) return known as { run_id: string };
  const started = await transaction(services.pool, async (client) => {
    const data = { event: hookEvent(definitionId), body: call.body ?? null, headers: call.headers };
    const rows = await run<{ seq: string }>(
      client,
      sql`insert into durabase.events (app, entity, record_id, action, record_version, schema_version, actor, record, cause, depth)
          values (${value(app.id)}, '', '', 'custom', 0, ${value(app.version)}, ${value(JSON.stringify({ kind: 'system', id: null, roles: [] }), 'jsonb')},
                  ${value(JSON.stringify(data), 'jsonb')}, null, 0) returning seq::text as seq`,
    );
    const answer = { run_id: runIdOf(processWorkflowId(app.id, rows[0]?.seq ?? '', definitionId)) };
    // Another call of this key was quicker: then its transaction has committed, and ours must not.
    if (key !== undefined && !(await saveEffect(client, app.storage, key, answer)))
      throw new AppError('CONFLICT', 'This call is being taken already.', { hint: 'Repeat it.' });
    await execute(client, sql`update ${id(app.storage, '_hooks')} set last_used_at = now() where definition_id = ${value(definitionId)}`);
    return answer;
  });
  hintRelay(services);
  return started;
}

/** No such hook and a wrong token are one refusal, after the same work. */
async function definitionOfToken(
  services: Services,
  app: AppRuntime,
  name: string,
  token: string | undefined,
): Promise<WorkflowDefinition> {
  const definition = app.model.document.workflows.find((one) => one.trigger.type === 'webhook' && (one.name === name || one.id === name));
  const [row] = await run<{ token_hash: Buffer }>(
    services.pool,
    sql`select token_hash from ${id(app.storage, '_hooks')} where definition_id = ${value(definition?.id ?? definition?.name ?? '')}`,
  );
  const isRight = timingSafeEqual(row?.token_hash ?? digest(''), digest(token ?? 'none')) && row !== undefined;
  if (definition === undefined || !isRight)
    throw new AppError('UNAUTHORIZED', 'There is no hook of this name with this token.', {
      hint: 'Send its token as "Authorization: Bearer <token>" or "X-Hook-Token". An admin makes one with POST _admin/workflows/<name>/token.',
    });
  return definition;
}
