/** The words that people have for a migration, brought to the workflow that carries it. */
import { createHash } from 'node:crypto';
import { run } from '../../adapters/postgres/run.ts';
import { temporalUnavailable } from '../../adapters/temporal/client.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { contractWorkflowId, migrationWorkflowId } from '../../workflows/contracts/ids.ts';
import { changeMigrationUpdate, contractNowUpdate } from '../../workflows/contracts/messages.ts';
import type { MigrationRequest } from '../../workflows/contracts/types.ts';
import type { AppContext } from '../context.ts';
import { audit } from '../platform/audit.ts';
import { askRun } from '../processes/ask-run.ts';
import { actorRef } from '../actor-ref.ts';
import { getMigration, type MigrationView } from './migrations.ts';

export type MigrationVerb = MigrationRequest['verb'] | 'contract';
export const MIGRATION_VERBS: readonly MigrationVerb[] = ['approve', 'reject', 'pause', 'resume', 'abort', 'contract'];

export interface MigrationWord {
  /** With `approve`: the hash of the plan that was read. */
  readonly planHash?: string;
  readonly comment?: string;
  /** With `contract`: the retention is over as well. */
  readonly drop?: boolean;
}

/** How long a caller waits to see a migration after what was asked of it. */
const SEEN_MS = 3_000;

/** Throws CONFLICT where it does not fit the state the migration is in. Answers the migration as it is then. */
export async function askMigration(ctx: AppContext, key: string, verb: MigrationVerb, word: MigrationWord): Promise<MigrationView> {
  const { id } = await getMigration(ctx, key);
  const { number, ...before } = await placeOf(ctx, id);
  if (verb === 'contract') await contractNow(ctx, id, number, before, word.drop === true);
  else await change(ctx, id, number, verb, word);
  await audit(ctx.services.pool, ctx.actor, {
    app: ctx.app.id,
    action: `migration.${verb}`,
    target: id,
    ...(word.comment === undefined ? {} : { detail: { comment: word.comment } }),
  });
  return seenAfter(ctx, id, before);
}

interface Place {
  readonly status: string;
  readonly phase: string;
}

async function placeOf(ctx: AppContext, id: string): Promise<Place & { readonly number: number }> {
  const [row] = await run<{ number: number; status: string; phase: string }>(
    ctx.services.pool,
    sql`select number, status, phase from durabase.migrations where id = ${value(id, 'uuid')}`,
  );
  if (row === undefined) throw new AppError('NOT_FOUND', 'The migration is not in the catalog.');
  return row;
}

async function change(
  ctx: AppContext,
  id: string,
  number: number,
  verb: Exclude<MigrationVerb, 'contract'>,
  { planHash, comment }: MigrationWord,
): Promise<void> {
  const request: MigrationRequest = {
    verb,
    actor: actorRef(ctx.actor),
    ...(planHash === undefined ? {} : { planHash }),
    ...(comment === undefined ? {} : { comment }),
  };
  // The same word of the same person is one update however often it is sent while it is answered.
  const updateId = createHash('sha256')
    .update(JSON.stringify([id, request, Math.floor(ctx.now.getTime() / 1_000)]))
    .digest('hex');
  const outcome = await askRun(ctx.services, migrationWorkflowId(ctx.app.id, number), (handle) =>
    handle.executeUpdate(changeMigrationUpdate, { args: [request], updateId }),
  );
  if (outcome !== 'gone') return;
  // Its workflow has ended: what was asked may be so already.
  const { status, approval } = await getMigration(ctx, id);
  const isSo =
    verb === 'approve'
      ? approval.by !== undefined && status !== 'aborted'
      : (verb === 'reject' || verb === 'abort') && status === 'aborted';
  if (!isSo) throw over(await placeOf(ctx, id), verb);
}

async function contractNow(ctx: AppContext, id: string, number: number, place: Place, drop: boolean): Promise<void> {
  if (place.status === 'completed') return;
  if (place.status !== 'ready' || place.phase === 'switch') throw over(place, 'contract');
  const outcome = await askRun(ctx.services, contractWorkflowId(ctx.app.id, number), (handle) =>
    handle.executeUpdate(contractNowUpdate, { args: [{ drop, actor: actorRef(ctx.actor) }] }),
  );
  if (outcome !== 'gone') return;
  const { status } = await getMigration(ctx, id);
  // The workflow that sees to the grace begins a moment after the migration says it is in grace.
  if (status === 'ready') throw temporalUnavailable();
}

const over = ({ status, phase }: Place, verb: string): AppError =>
  new AppError('CONFLICT', `A migration that is ${status.replaceAll('_', ' ')} (phase ${phase}) takes no "${verb}".`, {
    hint:
      status === 'ready' || status === 'completed'
        ? 'POST _admin/versions/:n/rollback publishes an earlier version.'
        : 'GET _admin/migrations shows how it is.',
  });

/** The update was answered; what it leads to follows in a moment. */
async function seenAfter(ctx: AppContext, id: string, before: Place): Promise<MigrationView> {
  const deadline = Date.now() + SEEN_MS;
  for (;;) {
    const view = await getMigration(ctx, id);
    if (view.status !== before.status || view.phase !== before.phase || Date.now() > deadline) return view;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
