/** Runs as the API shows them: read from the projection, never from Temporal. */
import { type Db, run } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { and, empty, id, or, raw, sql, type Sql, value } from '../../core/sql/sql.ts';
import type { HistoryEntry, ProcessState } from '../../workflows/contracts/types.ts';
import type { Actor, AppContext, AppRuntime, Services } from '../context.ts';
import { refusalToDecide, type TaskAssignee } from './may-decide.ts';

export interface RunAnswer {
  readonly id: string;
  readonly workflow_id: string;
  readonly workflow_name: string;
  readonly status: 'running' | 'completed' | 'failed' | 'cancelled' | 'ended_by_restore';
  /** Of the main strand. */
  readonly current_step: string | null;
  readonly current_step_deadline: string | null;
  /** Of every strand that goes through steps of its own now. */
  readonly current_steps: readonly CurrentStep[];
  readonly context: Readonly<Record<string, unknown>>;
  readonly history: readonly HistoryEntry[];
  readonly entity: string | null;
  readonly record_id: string | null;
  readonly schema_version: number;
  /** Why the run is stuck or has failed. */
  readonly error: string | null;
  /** True while a failed step waits for retry, skip or cancel. */
  readonly is_stuck: boolean;
  /** The first open task the caller may decide, else the first open one. */
  readonly task: TaskAnswer | null;
  readonly tasks: readonly TaskAnswer[];
  readonly temporal_workflow_id: string;
  readonly temporal_url: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface CurrentStep {
  readonly step: string;
  readonly strand: string;
  readonly deadline: string | null;
  /** Why it failed, while an operator is waited for. */
  readonly error: string | null;
}

export interface TaskAnswer {
  readonly id: string;
  readonly step: string;
  readonly strand: string;
  readonly assignee: TaskAssignee;
  readonly due_at: string | null;
  readonly comment_required: boolean;
  /** Whether the caller may decide it; if not, why. */
  readonly can_decide: boolean;
  readonly reason?: string;
}

export interface RunRow {
  readonly id: string;
  readonly workflow_id: string;
  readonly definition_id: string;
  readonly workflow_name: string;
  readonly schema_version: number;
  readonly entity: string | null;
  readonly record_id: string | null;
  readonly status: RunAnswer['status'];
  readonly current_step: string | null;
  readonly current_step_deadline: Date | null;
  readonly context: Record<string, unknown>;
  readonly history: HistoryEntry[];
  readonly error: string | null;
  readonly started_by: { readonly id: string | null } | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly state: ProcessState | { readonly version: 1 } | null;
  readonly tasks: readonly OpenTaskRow[];
}

export interface OpenTaskRow {
  readonly id: string;
  readonly step: string;
  readonly strand: string;
  readonly assignee: TaskAssignee;
  readonly due_at: string | null;
  readonly comment_required: boolean;
  readonly allow_self_approval: boolean;
  readonly requested_by: string | null;
}

/** Runs with their open tasks. `where` speaks of `r`. */
export async function selectRuns(
  db: Db,
  app: AppRuntime,
  where: Sql,
  page?: { readonly limit: number; readonly offset: number },
): Promise<RunRow[]> {
  const limits = page === undefined ? empty : sql` limit ${value(page.limit)} offset ${value(page.offset)}`;
  return run<RunRow>(
    db,
    sql`
    select r.id, r.workflow_id, r.definition_id, r.workflow_name, r.schema_version, r.entity, r.record_id, r.status, r.current_step,
           r.current_step_deadline, r.context, r.history, r.error, r.started_by, r.created_at, r.updated_at, r.state,
           (select coalesce(json_agg(json_build_object('id', t.id, 'step', t.step, 'strand', t.strand, 'assignee', t.assignee, 'due_at', t.due_at,
              'comment_required', t.comment_required, 'allow_self_approval', t.allow_self_approval, 'requested_by', t.requested_by)
              order by t.created_at, t.id), '[]')
            from ${id(app.storage, '_tasks')} t where t.run_id = r.id and t.state = 'pending') as tasks
    from ${id(app.storage, '_runs')} r where ${where} order by r.created_at desc, r.id desc${limits}`,
  );
}

export async function countRuns(db: Db, app: AppRuntime, where: Sql): Promise<number> {
  const rows = await run<{ total: string }>(db, sql`select count(*) as total from ${id(app.storage, '_runs')} r where ${where}`);
  return Number(rows[0]?.total ?? 0);
}

/** Runs the caller may see: an admin all; others those they caused and those with a task that is or was theirs. */
export function visibleTo(app: AppRuntime, actor: Actor): Sql {
  if (actor.isAdmin) return raw('true');
  return or([
    sql`r.started_by ->> 'id' = ${value(actor.id)}`,
    sql`exists (select from ${id(app.storage, '_tasks')} mine where mine.run_id = r.id and ${assignedTo('mine', actor)})`,
  ]);
}

/** Tasks that name the caller or one of the caller's roles. */
export function assignedTo(alias: 't' | 'mine', actor: Actor): Sql {
  const assignee = id(alias, 'assignee');
  return or([
    sql`(${assignee} ->> 'type' = 'role' and ${assignee} ->> 'role' = any(${value(actor.roles, 'text[]')}))`,
    sql`(${assignee} ->> 'type' = 'user' and ${assignee} -> 'user_ids' @> to_jsonb(${value(actor.id, 'text')}))`,
    ...(actor.isAdmin ? [sql`${assignee} ->> 'type' = 'admin'`] : []),
  ]);
}

/** The run as the caller sees it; NOT_FOUND when there is none or it is none of the caller's business. */
export async function getRun(ctx: AppContext, runId: string): Promise<RunAnswer> {
  return toAnswer(ctx.services, ctx.actor, await findRun(ctx, runId, visibleTo(ctx.app, ctx.actor)));
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export async function findRun(ctx: AppContext, runId: string, visible: Sql = raw('true')): Promise<RunRow> {
  const [row] = UUID.test(runId) ? await selectRuns(ctx.services.pool, ctx.app, and([sql`r.id = ${value(runId, 'uuid')}`, visible])) : [];
  if (row === undefined) throw new AppError('NOT_FOUND', `There is no workflow run "${runId}".`);
  return row;
}

export function toAnswer(services: Services, actor: Actor, row: RunRow): RunAnswer {
  const tasks = row.tasks.map((task) => taskAnswer(actor, task));
  return {
    id: row.id,
    workflow_id: row.definition_id,
    workflow_name: row.workflow_name,
    status: row.status,
    current_step: row.current_step,
    current_step_deadline: row.current_step_deadline?.toISOString() ?? null,
    current_steps: row.status === 'running' ? currentSteps(row) : [],
    context: row.context,
    history: row.history,
    entity: row.entity,
    record_id: row.record_id,
    schema_version: row.schema_version,
    error: row.error,
    is_stuck: row.status === 'running' && row.error !== null,
    task: tasks.find((task) => task.can_decide) ?? tasks[0] ?? null,
    tasks,
    temporal_workflow_id: row.workflow_id,
    temporal_url: services.temporal.linkTo(row.workflow_id),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

/** A strand that has opened others waits for them: where they are is where the run is. */
function currentSteps({ state, current_step, current_step_deadline }: RunRow): CurrentStep[] {
  if (state?.version !== 2) {
    const deadline = current_step_deadline?.toISOString() ?? null;
    return current_step === null ? [] : [{ step: current_step, strand: 'main', deadline, error: null }];
  }
  const parents = new Set(state.strands.map((strand) => strand.parent));
  return state.strands.flatMap(({ id: strand, currentStep, deadline, failure }) =>
    currentStep === null || parents.has(strand) ? [] : [{ step: currentStep, strand, deadline, error: failure }],
  );
}

function taskAnswer(actor: Actor, task: OpenTaskRow): TaskAnswer {
  const reason = refusalOf(actor, task);
  return {
    id: task.id,
    step: task.step,
    strand: task.strand,
    assignee: task.assignee,
    due_at: task.due_at === null ? null : new Date(task.due_at).toISOString(),
    comment_required: task.comment_required,
    can_decide: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
  };
}

export const refusalOf = (actor: Actor, task: OpenTaskRow): string | undefined =>
  refusalToDecide(actor, { assignee: task.assignee, requestedBy: task.requested_by, allowsSelfApproval: task.allow_self_approval });
