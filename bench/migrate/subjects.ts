/** Which records show a change. */
import { addresses } from './addresses.ts';
import { HOUSES } from './houses.ts';
import { KEYS } from './keys.ts';
import { LINKS } from './links.ts';
import { PERSONS } from './person.ts';
import type { ChangeName, Subject } from './subject.ts';

const SUBJECTS: Readonly<Partial<Record<ChangeName | 'none', Subject>>> = { link: LINKS, move: HOUSES, key: KEYS };

export function subjectOf(change: ChangeName | 'none'): Subject {
  if (change === 'split-entity' || change === 'merge-entity') return addresses(change);
  return SUBJECTS[change] ?? PERSONS;
}
