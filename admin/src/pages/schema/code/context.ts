/**
 * Where the cursor stands in a text that is being written, and so need not be readable: the names above it (`*` for an item of a
 * list), and whether a name or a value is being typed. YAML goes by indentation, JSON and flow collections by their brackets.
 */
import type { Format } from '../../../document/text.ts';

export interface Context {
  /** Of the object or list in which something is typed: `['entities', '*', 'fields', '*']`. */
  readonly path: readonly string[];
  readonly mode: 'key' | 'value';
  /** Of the value; undefined for an item of a list. */
  readonly key?: string;
  /** Where the word under the cursor begins. */
  readonly from: number;
  /** What is typed of it. */
  readonly word: string;
}

export const contextAt = (text: string, at: number, format: Format): Context =>
  format === 'json' ? inBrackets(text.slice(0, at), [], at) : inYaml(text, at);

interface Line {
  readonly indent: number;
  /** Column of what follows the dashes. */
  readonly column: number;
  readonly hasDash: boolean;
  readonly key: string | undefined;
  readonly rest: string;
}

function lineOf(text: string): Line | undefined {
  const [, spaces = '', dashes = '', rest = ''] = /^(\s*)((?:-\s+|-$)*)(.*)$/.exec(text) ?? [];
  if (rest === '' && dashes === '') return undefined;
  if (rest.startsWith('#')) return undefined;
  const key = /^(?:"([^"]*)"|'([^']*)'|([\w$-]+))\s*:(?:\s|$)/.exec(rest);
  return {
    indent: spaces.length,
    column: spaces.length + dashes.length,
    hasDash: dashes !== '',
    key: key?.[1] ?? key?.[2] ?? key?.[3],
    rest: key === null ? rest : rest.slice(key[0].length),
  };
}

function inYaml(text: string, at: number): Context {
  const before = text.slice(0, at);
  const lines = before.split('\n');
  const current = lines.at(-1) ?? '';
  const line = lineOf(current) ?? { indent: current.length, column: current.length, hasDash: false, key: undefined, rest: '' };
  const path = parents(lines.slice(0, -1), line);
  const start = at - line.rest.length;
  if (/[[{]/.test(line.rest) && opens(line.rest)) return inBrackets(line.rest, line.key === undefined ? path : [...path, line.key], at);
  const word = /\S*$/.exec(line.rest)?.[0] ?? '';
  if (line.key !== undefined)
    return { path, mode: 'value', key: line.key, from: at - line.rest.trimStart().length, word: line.rest.trimStart() };
  // A dash alone may begin an object or a plain value; the meta-schema says which.
  return { path, mode: 'key', from: Math.max(start, at - word.length), word };
}

/** True when more brackets are opened than closed. */
function opens(text: string): boolean {
  const bare = text.replace(/"(?:[^"\\]|\\.)*"?|'[^']*'?/g, '');
  return (bare.match(/[[{]/g)?.length ?? 0) > (bare.match(/[\]}]/g)?.length ?? 0);
}

function parents(above: readonly string[], line: Line): string[] {
  const path: string[] = line.hasDash ? ['*'] : [];
  let limit = line.hasDash ? line.indent : line.column;
  // A list may stand at the column of its key.
  let mayEqual = line.hasDash;
  for (let at = above.length - 1; at >= 0 && limit >= 0; at -= 1) {
    const other = lineOf(above[at] ?? '');
    if (other === undefined) continue;
    const isOwner = other.key !== undefined && (other.column < limit || (mayEqual && other.column === limit && !other.hasDash));
    const isFirstOfItem = other.hasDash && other.column === limit && !mayEqual;
    if (isOwner) path.unshift(other.key ?? '');
    else if (!isFirstOfItem) continue;
    limit = other.column;
    mayEqual = false;
    if (!other.hasDash) continue;
    path.unshift('*');
    limit = other.indent;
    mayEqual = true;
  }
  return path;
}

interface Open {
  readonly kind: '{' | '[';
  readonly key: string | undefined;
}

/** `text` ends at the cursor and begins within `path`. */
function inBrackets(text: string, path: readonly string[], at: number): Context {
  const stack: Open[] = [];
  let key: string | undefined;
  let token = '';
  let tokenAt = 0;
  for (let i = 0; i < text.length; i += 1) {
    const letter = text[i] ?? '';
    if (letter === '"' || letter === "'") {
      const end = text.indexOf(letter, i + 1);
      if (token.trim() === '') tokenAt = i;
      token += text.slice(i, end === -1 ? undefined : end + 1);
      if (end === -1) break;
      i = end;
    } else if (letter === '{' || letter === '[') {
      stack.push({ kind: letter, key });
      key = undefined;
      token = '';
    } else if (letter === '}' || letter === ']') {
      key = stack.pop()?.key;
      token = '';
    } else if (letter === ',') {
      key = undefined;
      token = '';
    } else if (letter === ':' && stack.at(-1)?.kind === '{') {
      key = bare(token);
      token = '';
    } else {
      if (token.trim() === '') tokenAt = i;
      token += letter;
    }
  }
  const word = token.trimStart();
  const steps = stack.flatMap(({ kind, key: own }, depth) => {
    const isInList = stack[depth - 1]?.kind === '[';
    return [
      ...(own === undefined ? [] : [own]),
      ...(own === undefined && isInList && kind === '{' ? [] : []),
      ...(kind === '[' ? ['*'] : []),
    ];
  });
  const where = [...path, ...steps];
  const from = word === '' ? at : at - text.length + tokenAt;
  if (stack.at(-1)?.kind === '{' && key === undefined) return { path: where, mode: 'key', from, word };
  return { path: where, mode: 'value', from, word, ...(key === undefined ? {} : { key }) };
}

const bare = (token: string): string => token.trim().replace(/^["']|["']$/g, '');
