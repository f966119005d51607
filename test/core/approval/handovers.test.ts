import { describe, expect, it } from 'vitest';
import { holdersOf, representedBy } from '../../../core/approval/handovers.ts';

const chain = (text: string): Map<string, string | null> =>
  new Map(text.split(' ').map((pair) => [pair[0] ?? '', pair[1] === '-' ? null : (pair[1] ?? null)]));

describe('who acts for somebody', () => {
  it.each([
    ['nobody is away', '', 'a', 'a', false],
    ['one substitute', 'ab', 'a', 'ab', false],
    ['the substitute is away too', 'ab bc', 'a', 'abc', false],
    ['they stand in for each other', 'ab ba', 'a', 'ab', true],
    ['a longer circle', 'ab bc ca', 'a', 'abc', true],
    ['the substitute is gone', 'a-', 'a', 'a', true],
    ['it would come to who asked', 'ab bx', 'a', 'ab', true],
  ])('%s', (_, handovers, person, people, endsAtAdmins) => {
    expect(holdersOf(person, handovers === '' ? new Map() : chain(handovers), 'x')).toEqual({ people: [...people], endsAtAdmins });
  });

  it('is found from the other end', () => {
    expect(representedBy('c', chain('ab bc dc')).sort()).toEqual(['a', 'b', 'd']);
    expect(representedBy('a', chain('ab ba'))).toEqual(['b']);
    expect(representedBy('z', chain('ab'))).toEqual([]);
  });
});
