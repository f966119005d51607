/** Which records show a change. */
import { HOUSES } from './houses.ts';
import { LINKS } from './links.ts';
import { PERSONS } from './person.ts';
import type { ChangeName, Subject } from './subject.ts';

export const subjectOf = (change: ChangeName | 'none'): Subject => (change === 'link' ? LINKS : change === 'move' ? HOUSES : PERSONS);
