/** Votes against an oracle that tries every way of giving each vote to one group. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import '../../support/fixed-seed.ts';
import { tallyOf, type Quorum, type Vote, type VotingGroup, type VotingRule } from '../../../core/approval/outcome.ts';

const PEOPLE = ['a', 'b', 'c', 'd', 'e'];
const group = (members: string, quorum: Quorum): VotingGroup => ({ members: [...members], quorum });
const rule = (order: VotingRule['order'], reject: VotingRule['reject']): VotingRule => ({ order, reject });
const ANY = rule('parallel', 'any');
const MAJORITY = rule('parallel', 'majority');

/** Casts votes one after the other, as people do: only members of an open group, each once, until it is decided. */
function cast(groups: readonly VotingGroup[], said: readonly (readonly [string, 'approved' | 'rejected'])[], how: VotingRule) {
  const votes: Vote[] = [];
  let tally = tallyOf(groups, votes, how);
  for (const [person, decision] of said) {
    const open = tally.open.filter((index) => groups[index]?.members.includes(person) === true);
    if (tally.outcome !== 'open' || open.length === 0 || votes.some((vote) => vote.person === person)) continue;
    votes.push({ person, decision, groups: open, isAdmins: false });
    tally = tallyOf(groups, votes, how);
  }
  return { tally, votes };
}

const requiredOf = ({ members, quorum }: VotingGroup): number =>
  quorum === 'any' ? 1 : quorum === 'all' ? Math.max(1, members.length) : quorum;

/** The most places of all groups that these people can fill, each in one group: by trying everything. */
function most(groups: readonly VotingGroup[], people: readonly string[], free = groups.map(requiredOf)): number {
  const [first, ...others] = people;
  if (first === undefined) return 0;
  const without = most(groups, others, free);
  return groups.reduce((best, { members }, index) => {
    if (!members.includes(first) || (free[index] ?? 0) === 0) return best;
    return Math.max(best, 1 + most(groups, others, free.map((count, place) => (place === index ? count - 1 : count)))); // prettier-ignore
  }, without);
}

/** What votes in this order come to in parallel groups, by the words of the documentation. */
function oracle(groups: readonly VotingGroup[], said: readonly (readonly [string, 'approved' | 'rejected'])[], reject: 'any' | 'majority') {
  const everybody = [...new Set(groups.flatMap(({ members }) => members))];
  const needed = groups.map(requiredOf).reduce((sum, count) => sum + count, 0);
  const possible = most(groups, everybody);
  const approved: string[] = [];
  const rejected: string[] = [];
  for (const [person, decision] of said) {
    if (!everybody.includes(person) || approved.includes(person) || rejected.includes(person)) continue;
    // Whose groups are all met is not asked any more.
    const isAsked = groups.some((one, index) => {
      if (!one.members.includes(person)) return false;
      const stranger = groups.map((each, place) => (place === index ? { ...each, members: [...each.members, '*'], quorum: requiredOf(each) } : { ...each, quorum: requiredOf(each) })); // prettier-ignore
      return most(stranger, [...approved, '*']) > most(stranger, approved);
    });
    if (!isAsked) continue;
    (decision === 'approved' ? approved : rejected).push(person);
    if (most(groups, approved) === needed) return 'approved';
    if (reject === 'any' && rejected.length > 0) return 'rejected';
    const left = everybody.filter((one) => !rejected.includes(one));
    const isOverruled = groups.some((one) => rejected.filter((name) => one.members.includes(name)).length * 2 > Math.max(one.members.length, requiredOf(one))); // prettier-ignore
    if (reject === 'majority' && (isOverruled || most(groups, left) < possible)) return 'rejected';
  }
  return 'open';
}

const quorums = fc.oneof(fc.constant<Quorum>('any'), fc.constant<Quorum>('all'), fc.integer({ min: 1, max: 4 }));
const groupsOf = (count: number) => fc.array(fc.record({ members: fc.subarray(PEOPLE, { minLength: 1 }), quorum: quorums }), { minLength: 1, maxLength: count }); // prettier-ignore
const sayings = fc
  .shuffledSubarray(PEOPLE)
  .chain((people) =>
    fc.tuple(...people.map((person) => fc.tuple(fc.constant(person), fc.constantFrom('approved' as const, 'rejected' as const)))),
  );

describe('the outcome of votes in any order', () => {
  it.each(['any', 'majority'] as const)('is what the oracle says, when %s rejections decide', (reject) => {
    fc.assert(
      fc.property(groupsOf(3), sayings, (groups, said) => {
        expect(cast(groups, said, rule('parallel', reject)).tally.outcome).toBe(oracle(groups, said, reject));
      }),
      { numRuns: 1_500 },
    );
  });

  it('of one group in sequence is that of the group in parallel', () => {
    fc.assert(
      fc.property(groupsOf(1), sayings, fc.constantFrom('any' as const, 'majority' as const), (groups, said, reject) => {
        expect(cast(groups, said, rule('sequence', reject)).tally.outcome).toBe(cast(groups, said, rule('parallel', reject)).tally.outcome);
      }),
    );
  });

  it('never approves with fewer people than there are places', () => {
    fc.assert(
      fc.property(groupsOf(3), sayings, fc.constantFrom('parallel' as const, 'sequence' as const), (groups, said, order) => {
        const { tally, votes } = cast(groups, said, rule(order, 'majority'));
        const needed = groups.map(requiredOf).reduce((sum, count) => sum + count, 0);
        if (tally.outcome === 'approved') expect(votes.filter((vote) => vote.decision === 'approved').length).toBeGreaterThanOrEqual(order === 'parallel' ? needed : groups.length); // prettier-ignore
      }),
    );
  });
});

const yes = (person: string, groups: number[] = [0], isAdmins = false): Vote => ({ person, decision: 'approved', groups, isAdmins });
const no = (person: string, groups: number[] = [0]): Vote => ({ ...yes(person, groups), decision: 'rejected' });

describe('the table of the documentation', () => {
  const three = group('abc', 'any');
  it.each<[string, VotingGroup[], Vote[], VotingRule, string]>([
    ['any: one approves', [three], [yes('a')], ANY, 'approved'],
    ['any: one rejects', [three], [no('a')], ANY, 'rejected'],
    ['any, majority: one rejects', [three], [no('a')], MAJORITY, 'open'],
    ['any, majority: two of three reject', [three], [no('a'), no('b')], MAJORITY, 'rejected'],
    ['all: two of three', [group('abc', 'all')], [yes('a'), yes('b')], ANY, 'open'],
    ['all: three of three', [group('abc', 'all')], [yes('a'), yes('b'), yes('c')], ANY, 'approved'],
    ['all, majority: one rejects, so all is out of reach', [group('abc', 'all')], [yes('a'), no('b')], MAJORITY, 'rejected'],
    ['2 of 3: one', [group('abc', 2)], [yes('a')], ANY, 'open'],
    ['2 of 3: two', [group('abc', 2)], [yes('a'), yes('b')], ANY, 'approved'],
    ['2 of 3, majority: one of each', [group('abc', 2)], [yes('a'), no('b')], MAJORITY, 'open'],
    ['2 of 3, majority: two reject', [group('abc', 2)], [yes('a'), no('b'), no('c')], MAJORITY, 'rejected'],
    ['2 of 1: the one, and nobody else', [group('a', 2)], [yes('a')], ANY, 'open'],
    ['2 of 1: an admin takes the other place', [group('a', 2)], [yes('a'), yes('admin', [0], true)], ANY, 'approved'],
    ['all of 3: an admin in the place of one', [group('abc', 'all')], [yes('a'), yes('b'), yes('admin', [0], true)], ANY, 'approved'],
    ['two groups: one person of both fills one place', [group('ab', 'any'), group('a', 'any')], [yes('a', [0, 1])], ANY, 'open'],
    ['two groups: and then the other', [group('ab', 'any'), group('a', 'any')], [yes('a', [0, 1]), yes('b')], ANY, 'approved'],
    ['a vote of somebody who has lost the role since', [group('bc', 2)], [yes('a'), yes('b')], ANY, 'approved'],
    ['sent back', [three], [{ ...yes('a'), decision: 'sent_back' }], ANY, 'sent_back'],
  ])('%s', (_, groups, votes, how, outcome) => {
    expect(tallyOf(groups, votes, how).outcome).toBe(outcome);
  });

  it('leaves to admins what no member can give', () => {
    expect(tallyOf([group('', 'any')], [], ANY)).toMatchObject({ outcome: 'open', adminPlaces: 1 });
    expect(tallyOf([group('a', 'any'), group('a', 'any')], [], ANY)).toMatchObject({ adminPlaces: 1 });
    expect(tallyOf([group('abc', 2)], [], ANY)).toMatchObject({ adminPlaces: 0 });
  });

  it('asks the groups of a sequence one after the other', () => {
    const groups = [group('ab', 'any'), group('bc', 'all')];
    expect(tallyOf(groups, [], rule('sequence', 'any')).open).toEqual([0]);
    expect(tallyOf(groups, [yes('b')], rule('sequence', 'any'))).toMatchObject({ outcome: 'open', open: [1] });
    // Whoever decided in the first group is not asked in the second.
    expect(tallyOf(groups, [yes('b'), yes('c', [1])], rule('sequence', 'any')).outcome).toBe('approved');
  });
});
