/**
 * What is known of a task's vote at one moment: who may vote as of now, for whom, and what the votes come to. Asked by the api
 * to say who may decide, and again by the activity that records a decision, in its transaction.
 */
import { type Db, run } from '../../adapters/postgres/run.ts';
import { holdersOf, type Handovers } from '../../core/approval/handovers.ts';
import { tallyOf, type Tally, type Vote, type VotingGroup } from '../../core/approval/outcome.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { id, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppRuntime } from '../context.ts';
import { groupsOf, selectTasks, type StoredVote, type TaskAssignee, type TaskRow } from './task.ts';

export interface Ballot {
  readonly task: TaskRow;
  readonly groups: readonly VotingGroup[];
  readonly tally: Tally;
  readonly handovers: Handovers;
  /** Who caused the run, unless the step lets them decide. */
  readonly barred: string | null;
}

interface Member {
  readonly id: string;
  readonly roles: readonly string[];
}

/** Tasks and what their votes come to. `where` speaks of `t`. */
export async function loadBallots(
  db: Db,
  app: AppRuntime,
  where: readonly Sql[],
  now: string,
  lock: 'locked' | 'read' = 'read',
): Promise<Ballot[]> {
  const tasks = await selectTasks(db, app, where, lock);
  if (tasks.length === 0) return [];
  const absences = await currentAbsences(db, app, now);
  const people = await peopleOf(db, app, tasks, absences);
  return tasks.map((task) => ballotOf(task, people, absences, now));
}

function ballotOf(task: TaskRow, people: ReadonlyMap<string, Member>, absences: Handovers, now: string): Ballot {
  const barred = task.allow_self_approval ? null : task.requested_by;
  const groups = groupsOf(task).map(({ assignees, quorum }) => ({ members: membersOf(assignees, people, barred), quorum }));
  return { task, groups, barred, tally: countVotes(task, groups, task.votes), handovers: handoversOf(task, people, absences, now) };
}

/** What the votes come to; pass other votes to ask "and if". */
export function countVotes(task: TaskRow, groups: readonly VotingGroup[], votes: readonly StoredVote[]): Tally {
  const { order = 'parallel', reject = 'any' } = task.settings;
  return tallyOf(groups, votes.map(asVote), { order, reject });
}

const asVote = ({ person, decision, groups, is_admins: isAdmins }: StoredVote): Vote => ({
  person,
  decision: decision === 'resubmitted' ? 'approved' : decision,
  groups,
  isAdmins,
});

function membersOf(assignees: readonly TaskAssignee[], people: ReadonlyMap<string, Member>, barred: string | null): string[] {
  const roles = assignees.flatMap((assignee) => (assignee.type === 'role' ? [assignee.role ?? ''] : []));
  const named = assignees.flatMap((assignee) => assignee.user_ids ?? []);
  return [...people.values()]
    .filter((person) => person.id !== barred && (named.includes(person.id) || roles.some((role) => person.roles.includes(role))))
    .map((person) => person.id)
    .sort();
}

function handoversOf(task: TaskRow, people: ReadonlyMap<string, Member>, absences: Handovers, now: string): Handovers {
  const handovers = new Map<string, string | null>();
  const activeOrNull = (user: string | null): string | null => (user !== null && people.has(user) ? user : null);
  if (task.settings.substitution !== 'forbidden') for (const [from, to] of absences) handovers.set(from, activeOrNull(to));
  if (task.settings.delegation !== 'forbidden') {
    for (const { from, to, until } of task.delegations) {
      if (until === null || Date.parse(until) > Date.parse(now)) handovers.set(from, activeOrNull(to));
    }
  }
  return handovers;
}

/** Standing absences at a moment, by who is away. */
export async function currentAbsences(db: Db, app: AppRuntime, now: string): Promise<Handovers> {
  const rows = await run<{ user_id: string; substitute: string }>(
    db,
    sql`select user_id, substitute from ${id(app.storage, '_absences')}
        where starts_at <= ${value(now, 'timestamptz')} and ends_at > ${value(now, 'timestamptz')}`,
  );
  return new Map(rows.map((row) => [row.user_id, row.substitute]));
}

/** Whoever could be asked. A role of more people than this asks the first of them. */
const MAX_PEOPLE = 5_000;

/** Active accounts that the tasks name, by id or role, and those that act for others. */
async function peopleOf(db: Db, app: AppRuntime, tasks: readonly TaskRow[], absences: Handovers): Promise<ReadonlyMap<string, Member>> {
  const assignees = tasks.flatMap((task) => groupsOf(task).flatMap((group) => group.assignees));
  const roles = [...new Set(assignees.flatMap((assignee) => assignee.role ?? []))];
  const users = [
    ...assignees.flatMap((assignee) => assignee.user_ids ?? []),
    ...tasks.flatMap((task) => task.delegations.map((delegation) => delegation.to)),
    ...[...absences.values()].flatMap((substitute) => substitute ?? []),
  ].filter((user) => isUuid(user));
  const rows = await run<Member>(
    db,
    sql`select id, array(select lower(role) from unnest(roles) role) as roles from ${id(app.storage, '_users')}
        where active and (id = any(${value([...new Set(users)], 'uuid[]')}) or roles && ${value(roles, 'text[]')})
        order by id limit ${value(MAX_PEOPLE, 'integer')}`,
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Who still can give a vote that is needed, with everybody who may give it for them. */
export function waitingFor({
  task,
  groups,
  tally,
  handovers,
  barred,
}: Ballot): { readonly person: string; readonly holders: readonly string[]; readonly endsAtAdmins: boolean }[] {
  const voted = new Set(task.votes.map((vote) => vote.person));
  const members = new Set(tally.open.flatMap((index) => groups[index]?.members ?? []).filter((member) => !voted.has(member)));
  return [...members].map((person) => {
    const { people, endsAtAdmins } = holdersOf(person, handovers, barred);
    return { person, holders: people, endsAtAdmins };
  });
}

/** Whom to tell that they are asked: at the end of each chain, and admins where nobody else can go on. */
export async function askedIn(db: Db, app: AppRuntime, ballot: Ballot): Promise<string[]> {
  const waiting = waitingFor(ballot);
  const people = waiting.flatMap(({ holders, endsAtAdmins }) => (endsAtAdmins ? [] : (holders.at(-1) ?? [])));
  if (!needsAdmins(ballot)) return people;
  const admins = await run<{ id: string }>(
    db,
    sql`select id from ${id(app.storage, '_users')} where active and 'admin' = any(roles) order by id limit 100`,
  );
  return [...new Set([...people, ...admins.map((row) => row.id).filter((admin) => admin !== ballot.barred)])];
}

const needsAdmins = (ballot: Ballot): boolean =>
  ballot.tally.adminPlaces > 0 || waitingFor(ballot).some(({ endsAtAdmins }) => endsAtAdmins);

/** The columns by which lists find a task: whom its open groups name, and whether only admins can go on. */
export function namesOf(ballot: Ballot): Sql {
  const groups = groupsOf(ballot.task);
  const open = ballot.tally.open.flatMap((index) => groups[index]?.assignees ?? []);
  const users = [...new Set(open.flatMap((assignee) => assignee.user_ids ?? []))];
  const roles = [...new Set(open.flatMap((assignee) => assignee.role ?? []))];
  return sql`users = ${value(users, 'text[]')}, roles = ${value(roles, 'text[]')}, admins = ${raw(needsAdmins(ballot) ? 'true' : 'false')}`;
}
