/** Typed changes for a person: one line each, with what makes a breaking one breaking below it. */
import type { Change } from '../../core/change/change.ts';
import { indented, wrap, type Paper } from './paper.ts';

/** Where a line of text below a change begins. */
const INSET = 6;
const LONGEST_VALUE = 40;

export function changeLines(changes: readonly Change[], paper: Paper): string[] {
  const column = Math.max(0, ...changes.map((change) => words(change).length));
  return changes.flatMap((change) => oneChange(change, column, paper));
}

export function summaryOf(changes: readonly Change[]): string {
  if (changes.length === 0) return 'no changes';
  const breaking = changes.filter((change) => change.class === 'breaking').length;
  const count = changes.length === 1 ? '1 change' : `${changes.length} changes`;
  if (breaking === 0) return `${count}, compatible`;
  return breaking === changes.length ? `${count}, breaking` : `${count}, ${breaking} of them breaking`;
}

function oneChange(change: Change, column: number, paper: Paper): string[] {
  const isBreaking = change.class === 'breaking';
  const colour = isBreaking ? 'red' : signOf(change) === '+' ? 'green' : 'yellow';
  const head = `${isBreaking ? '!' : ' '} ${signOf(change)} ${words(change).padEnd(column)}  ${subjectOf(change)}`;
  const values = valuesOf(change);
  const isOneLine = 2 + head.length + 2 + values.length <= paper.width;
  return [
    `  ${paper.paint(colour, head)}${isOneLine && values !== '' ? `  ${values}` : ''}`,
    ...(isOneLine ? [] : indented(wrap(values, paper.width - INSET), INSET)),
    ...[change.message, change.hint].flatMap((text) =>
      text === undefined ? [] : indented(wrap(text, paper.width - INSET), INSET).map((line) => paper.paint('dim', line)),
    ),
  ];
}

const signOf = ({ kind }: Change): string => (kind.startsWith('add_') ? '+' : kind.startsWith('drop_') ? '-' : '~');

const words = ({ kind }: Change): string => kind.replaceAll('_', ' ');

function subjectOf(change: Change): string {
  const of = change.entity ?? '';
  const property = change.property === undefined ? '' : ` ${change.property}`;
  if (change.field !== undefined) return `${of}.${change.field}${property}`;
  if (change.fields !== undefined) return `${of} (${change.fields.join(', ')})${property}`;
  if (change.relation !== undefined) return `${change.relation}${of === '' ? '' : ` of ${of}`}${property}`;
  if (change.item !== undefined)
    return `${change.item}${of === '' || of === '*' || change.item.includes(of) ? '' : ` of ${of}`}${property}`;
  return `${of}${property}`;
}

/** `from -> to`; of something added only what it is. Whole settings and lists are no line's worth. */
function valuesOf({ kind, from, to }: Change): string {
  if (from === undefined && to === undefined) return '';
  if (kind === 'add_relation' || kind.startsWith('rename_')) return `-> ${short(to)}`;
  return from === undefined ? short(to) : `${short(from)} -> ${short(to)}`;
}

function short(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE - 3)}...`;
}
