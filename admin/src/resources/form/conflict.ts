/** What two people made of the same record: the fields in which the stored one, the typed one and the one both began with differ. Pure. */
import type { DiscoveredField } from '../../discovery.ts';
import { isSame, type Row } from './rows.ts';

export interface Difference {
  readonly field: DiscoveredField;
  readonly kind: 'both' | 'only_theirs' | 'only_mine';
  readonly base: unknown;
  readonly theirs: unknown;
  readonly mine: unknown;
}

export type Choice = 'theirs' | 'mine';

/** The hard ones first. Where both came to the same there is nothing to choose. */
export function differences(fields: readonly DiscoveredField[], base: Row, theirs: Row, mine: Row): readonly Difference[] {
  const found = fields.flatMap((field): readonly Difference[] => {
    const values = { base: base[field.name], theirs: theirs[field.name], mine: plain(mine[field.name]) };
    const [isTheirs, isMine] = [!isSame(values.base, values.theirs), !isSame(values.base, values.mine)];
    if ((!isTheirs && !isMine) || isSame(values.theirs, values.mine)) return [];
    return [{ field, kind: isTheirs && isMine ? 'both' : isTheirs ? 'only_theirs' : 'only_mine', ...values }];
  });
  const rank = { both: 0, only_theirs: 1, only_mine: 2 } as const;
  return found.sort((a, b) => rank[a.kind] - rank[b.kind]);
}

/** As the API would give it: inputs of times hold dates. */
const plain = (value: unknown): unknown => (value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown));

/** What each keeps unless somebody chooses otherwise: nobody's change is lost, and of two one's own counts. */
export const usualChoice = ({ kind }: Difference): Choice => (kind === 'only_theirs' ? 'theirs' : 'mine');
