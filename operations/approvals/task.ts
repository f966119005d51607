/** A task as it is stored: who is asked, how their votes are counted, what was decided so far. */
import { type Db, run } from '../../adapters/postgres/run.ts';
import type { Quorum } from '../../core/approval/outcome.ts';
import type { ApprovalStep } from '../../core/model/approval-step.ts';
import { and, id, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { TaskDecision } from '../../workflows/contracts/types.ts';
import type { AppRuntime } from '../context.ts';

export interface TaskAssignee {
  readonly type: 'role' | 'user' | 'admin';
  /** Lower case. */
  readonly role?: string;
  readonly user_ids?: readonly string[];
}

export interface TaskGroup {
  readonly name?: string;
  readonly assignees: readonly TaskAssignee[];
  readonly quorum: Quorum;
}

/** What the step says beside its assignees; only what it says is stored. */
export interface TaskSettings {
  readonly title?: string;
  readonly order?: 'parallel' | 'sequence';
  readonly reject?: 'any' | 'majority';
  readonly delegation?: 'allowed' | 'forbidden';
  readonly substitution?: 'allowed' | 'forbidden';
  readonly comment?: ApprovalStep['comment_required'];
  readonly canSendBack?: boolean;
  readonly mail?: ApprovalStep['mail'];
}

export type TaskState = TaskDecision | 'pending' | 'timed_out' | 'cancelled';

export interface StoredVote {
  readonly voter: string;
  readonly person: string;
  readonly decision: TaskDecision;
  readonly comment: string | null;
  readonly groups: readonly number[];
  readonly is_admins: boolean;
  readonly key: string;
  readonly at: string;
}

export interface StoredDelegation {
  readonly from: string;
  readonly to: string;
  readonly until: string | null;
  readonly comment: string | null;
  readonly at: string;
}

export interface TaskRow {
  readonly id: string;
  readonly run_id: string;
  readonly step: string;
  readonly strand: string;
  readonly kind: 'approval' | 'resubmission';
  readonly state: TaskState;
  readonly assignee: TaskAssignee;
  readonly groups: readonly TaskGroup[];
  readonly settings: TaskSettings;
  readonly allow_self_approval: boolean;
  readonly comment_required: boolean;
  readonly requested_by: string | null;
  readonly due_at: string | null;
  readonly reminders: number;
  readonly reminded_at: string | null;
  readonly escalations: number;
  readonly decided_by: { readonly id: string | null; readonly kind: string; readonly key?: string; readonly onBehalfOf?: string } | null;
  readonly comment: string | null;
  readonly created_at: string;
  readonly votes: readonly StoredVote[];
  readonly delegations: readonly StoredDelegation[];
}

/** Tasks with their votes and delegations; `where` speaks of `t`. Locked rows come one at a time, by id. */
export async function selectTasks(db: Db, app: AppRuntime, where: readonly Sql[], lock: 'locked' | 'read' = 'read'): Promise<TaskRow[]> {
  // The lock comes first and alone: what was voted while we waited for it must be seen.
  if (lock === 'locked') await run(db, sql`select from ${id(app.storage, '_tasks')} t where ${and([...where])} for no key update`);
  const rows = await run<{ task: TaskRow }>(
    db,
    sql`
    select json_build_object('id', t.id, 'run_id', t.run_id, 'step', t.step, 'strand', t.strand, 'kind', t.kind, 'state', t.state, 'assignee', t.assignee,
      'groups', t.groups, 'settings', t.settings, 'allow_self_approval', t.allow_self_approval, 'comment_required', t.comment_required,
      'requested_by', t.requested_by, 'due_at', t.due_at, 'reminders', t.reminders, 'reminded_at', t.reminded_at,
      'escalations', t.escalations, 'decided_by', t.decided_by, 'comment', t.comment, 'created_at', t.created_at,
      'votes', coalesce((select json_agg(json_build_object('voter', v.voter, 'person', v.person, 'decision', v.decision, 'comment', v.comment,
          'groups', v.groups, 'is_admins', v.is_admins, 'key', v.key, 'at', v.at) order by v.at, v.id)
        from ${id(app.storage, '_votes')} v where v.task_id = t.id), '[]'::json),
      'delegations', coalesce((select json_agg(json_build_object('from', d.from_user, 'to', d.to_user, 'until', d.until,
          'comment', d.comment, 'at', d.at) order by d.at, d.from_user)
        from ${id(app.storage, '_delegations')} d where d.task_id = t.id), '[]'::json)) as task
    from ${id(app.storage, '_tasks')} t where ${and([...where])} order by t.created_at, t.id`,
  );
  return rows.map((row) => row.task);
}

export const taskById = (taskId: string): Sql => sql`t.id = ${value(taskId, 'uuid')}`;

/** A task opened by an older worker has its one assignee only. */
export const groupsOf = (task: Pick<TaskRow, 'groups' | 'assignee'>): readonly TaskGroup[] =>
  task.groups.length > 0 ? task.groups : [{ assignees: [task.assignee], quorum: 'any' }];
