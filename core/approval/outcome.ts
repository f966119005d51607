/**
 * What the votes on a task come to. Vocabulary: a *group* is some members and the *quorum* it needs; a *vote* stands for one
 * person, whoever cast it, and is counted in one group only, so that nobody decides twice through two roles. Places that no
 * member can fill fall to admins, whose vote stands in any group; a task is therefore never impossible to approve when it opens.
 */

export type Quorum = 'any' | 'all' | number;
export type Verdict = 'approved' | 'rejected' | 'sent_back';

export interface VotingGroup {
  /** Who may vote as of now. */
  readonly members: readonly string[];
  readonly quorum: Quorum;
}

export interface Vote {
  /** Whom the vote stands for. */
  readonly person: string;
  readonly decision: Verdict;
  /** The groups it may count in: in a sequence the one that was open. */
  readonly groups: readonly number[];
  /** Cast by an admin who is no member: it takes the place of one. */
  readonly isAdmins: boolean;
}

export interface VotingRule {
  readonly order: 'parallel' | 'sequence';
  /** `any`: the first rejection decides; `majority`: more than half of a group, or so many that the quorum is out of reach. */
  readonly reject: 'any' | 'majority';
}

export interface Tally {
  readonly outcome: Verdict | 'open';
  /** Groups that still need votes and may get them now. */
  readonly open: readonly number[];
  readonly groups: readonly GroupTally[];
  /** Approvals needed that no member can give any more: admins may. */
  readonly adminPlaces: number;
}

export interface GroupTally {
  readonly required: number;
  readonly approved: number;
  readonly rejected: number;
}

export function tallyOf(groups: readonly VotingGroup[], votes: readonly Vote[], rule: VotingRule): Tally {
  const tally = rule.order === 'parallel' ? inParallel(groups, votes, rule) : inSequence(groups, votes, rule);
  return votes.some((vote) => vote.decision === 'sent_back') ? { ...tally, outcome: 'sent_back', open: [] } : tally;
}

function inSequence(groups: readonly VotingGroup[], votes: readonly Vote[], rule: VotingRule): Tally {
  const tallies: GroupTally[] = groups.map((group, index) => ({ required: requiredOf(group, index, []), approved: 0, rejected: 0 }));
  for (const [index, group] of groups.entries()) {
    const own = votes.filter((vote) => vote.groups.includes(index));
    const spent = new Set(votes.filter((vote) => !vote.groups.includes(index)).map((vote) => vote.person));
    const members = group.members.filter((member) => !spent.has(member));
    const alone = inParallel([{ ...group, members }], own.map((vote) => ({ ...vote, groups: [0] })), rule); // prettier-ignore
    tallies[index] = alone.groups[0] as GroupTally;
    if (alone.outcome === 'rejected') return { outcome: 'rejected', open: [], groups: tallies, adminPlaces: 0 };
    if (alone.outcome === 'open') return { outcome: 'open', open: [index], groups: tallies, adminPlaces: alone.adminPlaces };
  }
  return { outcome: 'approved', open: [], groups: tallies, adminPlaces: 0 };
}

function inParallel(groups: readonly VotingGroup[], votes: readonly Vote[], rule: VotingRule): Tally {
  const required = groups.map((group, index) => requiredOf(group, index, votes));
  const needed = required.reduce((sum, each) => sum + each, 0);
  const approvals = votes.filter((vote) => vote.decision === 'approved').map((vote) => vote.groups);
  const filled = fill(required, approvals);
  const tallies = groups.map((_, index) => ({
    required: required[index] ?? 0,
    approved: filled.places[index] ?? 0,
    rejected: votes.filter((vote) => vote.decision === 'rejected' && vote.groups.includes(index)).length,
  }));
  const unvoted = unvotedOf(groups, votes);
  const reachable = fill(required, [...approvals, ...unvoted]).total;
  const wouldBe = fill(required, [...memberVotes(votes), ...unvoted]).total;
  const adminPlaces = needed - Math.max(reachable, filled.total);
  if (filled.total === needed) return { outcome: 'approved', open: [], groups: tallies, adminPlaces: 0 };
  const isRejected =
    rule.reject === 'any'
      ? votes.some((vote) => vote.decision === 'rejected')
      : reachable < wouldBe || tallies.some((tally, index) => isMajority(tally, seatsOf(groups[index] as VotingGroup, index, votes).size));
  if (isRejected) return { outcome: 'rejected', open: [], groups: tallies, adminPlaces: 0 };
  const open = groups.flatMap((_, index) => (fill(required, [...approvals, [index]]).total > filled.total ? [index] : []));
  return { outcome: 'open', open, groups: tallies, adminPlaces };
}

const isMajority = ({ rejected, required }: GroupTally, seats: number): boolean => rejected * 2 > Math.max(seats, required);

/** Members, and who voted as one and is none any more: a vote that was counted stays counted. */
function seatsOf(group: VotingGroup, index: number, votes: readonly Vote[]): ReadonlySet<string> {
  return new Set([...group.members, ...votes.filter((vote) => !vote.isAdmins && vote.groups.includes(index)).map((vote) => vote.person)]);
}

function requiredOf(group: VotingGroup, index: number, votes: readonly Vote[]): number {
  if (group.quorum === 'any') return 1;
  return group.quorum === 'all' ? Math.max(1, seatsOf(group, index, votes).size) : group.quorum;
}

/** The groups of each member who can still vote. */
function unvotedOf(groups: readonly VotingGroup[], votes: readonly Vote[]): number[][] {
  const voted = new Set(votes.map((vote) => vote.person));
  const byMember = new Map<string, number[]>();
  groups.forEach((group, index) => {
    for (const member of group.members) if (!voted.has(member)) byMember.set(member, [...(byMember.get(member) ?? []), index]);
  });
  return [...byMember.values()];
}

const memberVotes = (votes: readonly Vote[]): (readonly number[])[] => votes.filter((vote) => !vote.isAdmins).map((vote) => vote.groups);

/** Places votes into groups, each vote once and as many as fit: a bipartite matching by augmenting paths. */
function fill(
  required: readonly number[],
  votes: readonly (readonly number[])[],
): { readonly total: number; readonly places: readonly number[] } {
  const placed: (readonly number[])[][] = required.map(() => []);
  const place = (vote: readonly number[], tried: Set<number>): boolean => {
    for (const group of vote) {
      if (tried.has(group)) continue;
      tried.add(group);
      const here = placed[group];
      if (here === undefined) continue;
      if (here.length < (required[group] ?? 0)) {
        here.push(vote);
        return true;
      }
      const moved = here.findIndex((other) => place(other, tried));
      if (moved >= 0) {
        here[moved] = vote;
        return true;
      }
    }
    return false;
  };
  let total = 0;
  for (const vote of votes) if (place(vote, new Set())) total++;
  return { total, places: placed.map((votesHere) => votesHere.length) };
}
