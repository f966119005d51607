/** A task as the API shows it: what was decided so far, who is still waited for, whether the caller may decide. */
import type { TaskDecision } from '../../workflows/contracts/types.ts';
import type { Actor } from '../context.ts';
import { waitingFor, type Ballot } from './ballot.ts';
import { isRefusal, seatOf } from './seat.ts';
import { groupsOf, type StoredVote, type TaskAssignee } from './task.ts';

export interface TaskAnswer {
  readonly id: string;
  readonly step: string;
  readonly strand: string;
  readonly kind: 'approval' | 'resubmission';
  readonly title: string;
  /** The first of those who are asked; `groups` has all. */
  readonly assignee: TaskAssignee;
  readonly groups: readonly GroupAnswer[];
  readonly order: 'parallel' | 'sequence';
  readonly votes: readonly VoteAnswer[];
  /** Whose votes are still needed, and who may give them instead. */
  readonly waiting_for: readonly { readonly user: string; readonly substitutes: readonly string[] }[];
  /** Approvals that nobody but an admin can give. */
  readonly admin_places: number;
  readonly due_at: string | null;
  readonly created_at: string;
  readonly reminders_sent: number;
  readonly last_reminded_at: string | null;
  readonly escalations: number;
  readonly delegations: readonly {
    readonly from: string;
    readonly to: string;
    readonly until: string | null;
    readonly comment?: string;
    readonly at: string;
  }[];
  /** Of the decisions that the caller may take. */
  readonly comment_required: boolean;
  readonly can_send_back: boolean;
  /** Whether the caller may decide it; if not, why. */
  readonly can_decide: boolean;
  readonly reason?: string;
  /** For whom the caller would decide, when it is not for themselves. */
  readonly on_behalf_of?: string;
}

interface GroupAnswer {
  readonly name?: string;
  readonly assignees: readonly TaskAssignee[];
  readonly quorum: 'any' | 'all' | number;
  readonly required: number;
  readonly approved: number;
  readonly rejected: number;
  readonly is_open: boolean;
}

interface VoteAnswer {
  readonly decision: TaskDecision;
  readonly decided_by: string;
  readonly on_behalf_of?: string;
  readonly as_admin?: boolean;
  readonly comment?: string;
  readonly at: string;
}

/** A task of a large role does not list all of it. */
const MAX_WAITING = 100;

export function taskAnswer(ballot: Ballot, actor: Actor): TaskAnswer {
  const { task, tally } = ballot;
  const seat = seatOf(ballot, actor);
  const self = actor.id ?? actor.kind;
  return {
    id: task.id,
    step: task.step,
    strand: task.strand,
    kind: task.kind,
    title: task.settings.title ?? task.step,
    assignee: task.assignee,
    groups: groupsOf(task).map((group, index) => ({
      ...(group.name === undefined ? {} : { name: group.name }),
      assignees: group.assignees,
      quorum: group.quorum,
      ...(tally.groups[index] ?? { required: 1, approved: 0, rejected: 0 }),
      is_open: tally.open.includes(index),
    })),
    order: task.settings.order ?? 'parallel',
    votes: task.votes.map(voteAnswer),
    waiting_for: waitingFor(ballot).slice(0, MAX_WAITING).map(({ person, holders }) => ({ user: person, substitutes: holders.slice(1) })), // prettier-ignore
    admin_places: tally.adminPlaces,
    due_at: isoOrNull(task.due_at),
    created_at: new Date(task.created_at).toISOString(),
    reminders_sent: task.reminders,
    last_reminded_at: isoOrNull(task.reminded_at),
    escalations: task.escalations,
    delegations: task.delegations.map(({ from, to, until, comment, at }) => ({
      from,
      to,
      until: isoOrNull(until),
      ...(comment === null ? {} : { comment }),
      at: new Date(at).toISOString(),
    })),
    comment_required: task.comment_required || Array.isArray(task.settings.comment),
    can_send_back: task.kind === 'approval' && task.settings.canSendBack === true,
    can_decide: !isRefusal(seat),
    ...(isRefusal(seat) ? { reason: seat.reason } : seat.person === self ? {} : { on_behalf_of: seat.person }),
  };
}

const voteAnswer = (vote: StoredVote): VoteAnswer => ({
  decision: vote.decision,
  decided_by: vote.voter,
  ...(vote.person === vote.voter ? {} : { on_behalf_of: vote.person }),
  ...(vote.is_admins ? { as_admin: true } : {}),
  ...(vote.comment === null ? {} : { comment: vote.comment }),
  at: new Date(vote.at).toISOString(),
});

const isoOrNull = (time: string | null): string | null => (time === null ? null : new Date(time).toISOString());
