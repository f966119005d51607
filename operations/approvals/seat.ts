/** For whom somebody may decide a task: themselves, somebody who handed it to them, or, as an admin, in anybody's place. */
import type { Ballot } from './ballot.ts';
import { waitingFor } from './ballot.ts';
import { groupsOf, type TaskAssignee } from './task.ts';

export interface Decider {
  readonly kind: 'user' | 'platform' | 'api_key' | 'system';
  readonly id: string | null;
  readonly roles: readonly string[];
  readonly isAdmin: boolean;
  /** Who acts as them. */
  readonly by?: { readonly id: string | null } | undefined;
}

export interface Seat {
  readonly person: string;
  readonly groups: readonly number[];
  readonly isAdmins: boolean;
}

export interface SeatRefusal {
  readonly code: 'FORBIDDEN' | 'INVALID_STATE';
  readonly reason: string;
}

export const isRefusal = (seat: Seat | SeatRefusal): seat is SeatRefusal => 'reason' in seat;

/** The name a decider has in votes. */
export const voterName = (decider: Pick<Decider, 'kind' | 'id'>): string => decider.id ?? decider.kind;

/** The place in which the decider would vote. Their own comes first; `onBehalfOf` asks for somebody else's. */
export function seatOf(ballot: Ballot, decider: Decider, onBehalfOf?: string): Seat | SeatRefusal {
  const voter = voterName(decider);
  const own = ballot.task.votes.find((vote) => vote.voter === voter || vote.person === voter);
  if (own !== undefined) return { code: 'INVALID_STATE', reason: alreadySaid(own, voter) };
  // The installation's operators stand outside the app: they are who a stuck approval is brought to.
  const isOutside = decider.kind === 'platform' || decider.kind === 'system';
  if (!isOutside && ballot.barred !== null && (decider.id === ballot.barred || decider.by?.id === ballot.barred)) {
    return {
      code: 'FORBIDDEN',
      reason: 'You caused this run, so somebody else decides it (the step does not set allow_self_approval).',
    };
  }
  const places = waitingFor(ballot).filter(({ holders }) => decider.id !== null && holders.includes(decider.id));
  const place =
    onBehalfOf === undefined
      ? (places.find(({ person }) => person === voter) ?? places[0])
      : places.find(({ person }) => person === onBehalfOf);
  if (place !== undefined) return { person: place.person, groups: openGroupsOf(ballot, place.person), isAdmins: false };
  if (onBehalfOf !== undefined) return { code: 'FORBIDDEN', reason: `You do not decide for "${onBehalfOf}" in this task.` };
  const groups = groupsOfKey(ballot, decider);
  if (groups.length > 0) return { person: voter, groups, isAdmins: false };
  if (decider.isAdmin) return { person: voter, groups: ballot.tally.open, isAdmins: true };
  return { code: 'FORBIDDEN', reason: refusalOf(ballot, decider) };
}

/** A key of its own has roles and no account: it votes beside the people who have them, in nobody's place. */
function groupsOfKey({ task, tally }: Ballot, { kind, roles }: Decider): number[] {
  if (kind !== 'api_key') return [];
  const groups = groupsOf(task);
  return tally.open.filter((index) => groups[index]?.assignees.some(({ role }) => role !== undefined && roles.includes(role)) === true);
}

const openGroupsOf = ({ groups, tally }: Ballot, person: string): number[] =>
  tally.open.filter((index) => groups[index]?.members.includes(person) === true);

function alreadySaid(vote: { readonly voter: string; readonly person: string; readonly decision: string }, voter: string): string {
  const what = vote.decision.replace('_', ' ');
  if (vote.voter !== voter) return `This task has been ${what} for you by ${vote.voter} already.`;
  return `You have ${what} this task already${vote.person === voter ? '' : `, for ${vote.person}`}: one person decides once.`;
}

function refusalOf(ballot: Ballot, decider: Decider): string {
  const isMember = decider.id !== null && ballot.groups.some((group) => group.members.includes(decider.id ?? ''));
  if (isMember) {
    return ballot.task.settings.order === 'sequence'
      ? 'It is not your turn: the groups of this task decide one after the other.'
      : 'Your group has the approvals it needs; the others decide now.';
  }
  const assignees = groupsOf(ballot.task).flatMap((group) => group.assignees);
  const roles = assignees.flatMap((assignee: TaskAssignee) => (assignee.type === 'role' ? [`"${assignee.role ?? ''}"`] : []));
  if (roles.length === assignees.length && roles.length > 0) {
    return `Only somebody with the role ${[...new Set(roles)].join(' or ')} may decide this task.`;
  }
  return assignees.every((assignee) => assignee.type === 'admin')
    ? 'Only an admin may decide this task.'
    : 'This task is assigned to somebody else.';
}
