/** SQL of a plan for a person: the same words, with line breaks where the statement has its joints. */
import { indented } from './paper.ts';

/** Statements of a step, which its text parts by `;` and a line break. */
export const sqlLines = (text: string, width: number): string[] =>
  text.split(/;\n/).flatMap((statement) => [...layOut(`${statement.replace(/;$/, '')};`, width)]);

/** On one line where it fits; else the members of the first list each on their own; else broken between words. */
function layOut(statement: string, width: number): string[] {
  if (statement.length <= width) return [statement];
  const list = firstList(statement);
  if (list === undefined || list.members.length < 2) return fold(statement, width);
  const members = list.members.map((member, index) => (index === list.members.length - 1 ? member : `${member},`));
  return [
    ...fold(`${statement.slice(0, list.start)}(`, width),
    ...members.flatMap((member) => indented(fold(member, width - 2), 2)),
    ...fold(`)${statement.slice(list.end + 1)}`, width),
  ];
}

interface List {
  readonly start: number;
  readonly end: number;
  readonly members: readonly string[];
}

/** The first parenthesis outside quotes, and what commas part in it. */
function firstList(statement: string): List | undefined {
  let start = -1;
  let depth = 0;
  let from = 0;
  const members: string[] = [];
  for (const { index, character } of outsideQuotes(statement)) {
    if (character === '(' && depth++ === 0) [start, from] = [index, index + 1];
    else if (character === ',' && depth === 1) {
      members.push(statement.slice(from, index).trim());
      from = index + 1;
    } else if (character === ')' && --depth === 0) {
      return { start, end: index, members: [...members, statement.slice(from, index).trim()] };
    }
  }
  return undefined;
}

/** Breaks at spaces outside quotes; what follows a break is set in. */
function fold(text: string, width: number): string[] {
  const spaces = [...outsideQuotes(text)].filter(({ character }) => character === ' ').map(({ index }) => index);
  const lines: string[] = [];
  let from = 0;
  for (let at = 0; at < spaces.length; at++) {
    const isTooFar = (spaces[at + 1] ?? text.length) - from > (lines.length === 0 ? width : width - 4);
    if (!isTooFar) continue;
    lines.push(text.slice(from, spaces[at]));
    from = (spaces[at] ?? 0) + 1;
  }
  const [first = '', ...rest] = [...lines, text.slice(from)];
  return [first, ...indented(rest, 4)];
}

function* outsideQuotes(text: string): Generator<{ readonly index: number; readonly character: string }> {
  let quote: string | undefined;
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
    } else if (character === '"' || character === "'") quote = character;
    else yield { index, character };
  }
}
