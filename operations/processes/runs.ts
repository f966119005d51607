/** Runs as the API shows them: read from the projection, never from Temporal. */
import { type Db, run } from '../../adapters/postgres/run.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { AppError } from '../../core/errors.ts';
import { and, empty, id, or, raw, sql, type Sql, value } from '../../core/sql/sql.ts';
import type { HistoryEntry, ProcessState } from '../../workflows/contracts/types.ts';
import { loadBallots } from '../approvals/ballot.ts';
import { concerns, powersOf } from '../approvals/powers.ts';
import { taskAnswer, type TaskAnswer } from '../approvals/task-answer.ts';
import type { AppContext, AppRuntime, Services } from '../context.ts';

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
}

/** The order of a list, and what else it reads: a lateral `m` beside `r`. */
export interface RunList {
  readonly limit: number;
  readonly offset: number;
  readonly order?: Sql;
  readonly beside?: Sql;
}

/** `where` speaks of `r`. */
export async function selectRuns(db: Db, app: AppRuntime, where: Sql, list?: RunList): Promise<RunRow[]> {
  const limits = list === undefined ? empty : sql` limit ${value(list.limit)} offset ${value(list.offset)}`;
  return run<RunRow>(
    db,
    sql`
    select r.id, r.workflow_id, r.definition_id, r.workflow_name, r.schema_version, r.entity, r.record_id, r.status, r.current_step,
           r.current_step_deadline, r.context, r.history, r.error, r.started_by, r.created_at, r.updated_at, r.state
    from ${id(app.storage, '_runs')} r ${list?.beside ?? empty} where ${where}
    order by ${list?.order ?? raw('r.created_at desc, r.id desc')}${limits}`,
  );
}

export async function countRuns(db: Db, app: AppRuntime, where: Sql): Promise<number> {
  const rows = await run<{ total: string }>(db, sql`select count(*) as total from ${id(app.storage, '_runs')} r where ${where}`);
  return Number(rows[0]?.total ?? 0);
}

/**
 * Rows `alias` of the runs that the caller may see: an admin all; others those they caused, and those with a task that is or was theirs or that of somebody
 * they act for.
 */
export async function visibleTo(ctx: AppContext, alias = 'r'): Promise<Sql> {
  if (ctx.actor.isAdmin) return raw('true');
  const concerned = concerns(ctx.app, ctx.actor, await powersOf(ctx));
  return or([
    sql`${id(alias, 'started_by')} ->> 'id' = ${value(ctx.actor.id)}`,
    sql`exists (select from ${id(ctx.app.storage, '_tasks')} mine where mine.run_id = ${id(alias, 'id')} and ${concerned})`,
  ]);
}

/** The run as the caller sees it; NOT_FOUND when there is none or it is none of the caller's business. */
export const getRun = async (ctx: AppContext, runId: string): Promise<RunAnswer> =>
  answerRun(ctx, await findRun(ctx, runId, await visibleTo(ctx)));

export async function findRun(ctx: AppContext, runId: string, visible: Sql = raw('true')): Promise<RunRow> {
  const [row] = isUuid(runId) ? await selectRuns(ctx.services.pool, ctx.app, and([sql`r.id = ${value(runId, 'uuid')}`, visible])) : [];
  if (row === undefined) throw new AppError('NOT_FOUND', `There is no workflow run "${runId}".`);
  return row;
}

export async function answerRun(ctx: AppContext, row: RunRow): Promise<RunAnswer> {
  const [answer] = await answerRuns(ctx, [row]);
  if (answer === undefined) throw new AppError('INTERNAL_ERROR', 'One run has one answer.');
  return answer;
}

/** Runs with their open tasks, as the caller sees them. */
export async function answerRuns(ctx: AppContext, rows: readonly RunRow[]): Promise<RunAnswer[]> {
  const running = rows.filter((row) => row.status === 'running').map((row) => row.id);
  const open = [sql`t.run_id = any(${value(running, 'uuid[]')})`, sql`t.state = 'pending'`];
  const ballots = running.length === 0 ? [] : await loadBallots(ctx.services.pool, ctx.app, open, ctx.now.toISOString());
  return rows.map((row) =>
    toAnswer(
      ctx.services,
      row,
      ballots.filter(({ task }) => task.run_id === row.id).map((ballot) => taskAnswer(ballot, ctx.actor)),
    ),
  );
}

function toAnswer(services: Services, row: RunRow, tasks: readonly TaskAnswer[]): RunAnswer {
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
