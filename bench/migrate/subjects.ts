/** Which records show a change. */
import { addresses } from './addresses.ts';
import { HOUSES } from './houses.ts';
import { LINKS } from './links.ts';
import { PERSONS } from './person.ts';
import type { ChangeName, Subject } from './subject.ts';

export function subjectOf(change: ChangeName | 'none'): Subject {
  if (change === 'split-entity' || change === 'merge-entity') return addresses(change);
  return change === 'link' ? LINKS : change === 'move' ? HOUSES : PERSONS;
}
