/**
 * Familiar operators become JSONata: `==`, `===`, `!==`, `&&`, `||`, `!`, `not`, `not in`, `nil`, `len(x)`, `new Date(x)`.
 * Works on tokens, never on text, so a quoted "==" stays what it is, and every piece keeps its place in the source.
 */
import { nearestNames } from '../errors.ts';
import { FUNCTION_ALIASES, isKnownFunction, knownFunctionNames } from './function-names.ts';
import { endsOperand, expressionError, tokenize, withinStack, type Token } from './tokens.ts';

/** What is stored: JSONata text, and for each of its pieces where in the source it came from. */
export interface NormalizedExpression {
  readonly text: string;
  /** Turns an offset of `text` into one of the source. */
  sourceOffset(offset: number): number;
}

const RENAMED: Readonly<Record<string, string>> = {
  '==': '=',
  '===': '=',
  '!==': '!=',
  '<>': '!=',
  '&&': 'and',
  '||': 'or',
  '?.': '.',
};
/** Words that stand before a bracket without being called. */
const NOT_FUNCTIONS = new Set(['and', 'or', 'in', 'function', 'λ']);
const EMPTY_NAMES = new Set(['nil', 'undefined']);
/** What ends the operand of `not`, and on the left the operand of `not in`, outside brackets. */
const LOOSE = new Set(['and', 'or', '&&', '||', '?', ':', '??', '?:', ',', ';', ':=']);
const COMPARING = new Set(['=', '==', '===', '!=', '!==', '<>', '<', '<=', '>', '>=', 'in']);

/** Familiar operators become JSONata, the form that is stored. Applying it twice changes nothing. */
export function normalizeExpression(text: string): string {
  return normalize(text).text;
}

export function normalize(source: string): NormalizedExpression {
  const tokens = tokenize(source);
  if (tokens.length === 0) throw expressionError('it is empty.', 0);
  const out = withinStack(() => rewrite(joinNotIn(tokens)));
  const offsets: Piece[] = [];
  let text = '';
  out.forEach((token, index) => {
    if (index > 0 && needsSpace(out[index - 1], token, source)) text += ' ';
    offsets.push({ from: text.length, source: token.start });
    text += token.text;
  });
  return {
    text,
    sourceOffset: (offset) => {
      const piece = lastFrom(offsets, offset);
      return piece === undefined ? 0 : Math.min(piece.source + (offset - piece.from), source.length);
    },
  };
}

interface Piece {
  readonly from: number;
  readonly source: number;
}

/** The last piece that begins at or before `offset`; they are in order, and there is one question per node of the tree. */
function lastFrom(pieces: readonly Piece[], offset: number): Piece | undefined {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pieces[middle]?.from ?? Infinity) <= offset) low = middle + 1;
    else high = middle;
  }
  return pieces[low - 1];
}

/** Keeps the author's spacing, and never lets two words run together. */
function needsSpace(left: Token | undefined, right: Token, source: string): boolean {
  if (left === undefined) return false;
  if (left.end > 0 && left.end < right.start && /\s/.test(source.charAt(left.end))) return true;
  const isWord = (token: Token): boolean => token.kind !== 'operator' || /^\w/.test(token.text);
  return isWord(left) ? isWord(right) : right.kind === 'operator' && OPERATOR_PAIRS.has(left.text + right.text);
}

/** Pairs that would read as another operator. */
const OPERATOR_PAIRS = new Set(['**', '..', '??', '?:', '?.', ':=', '~>', '!=', '<=', '>=']);

const operator = (text: string, like: Token): Token => ({ kind: 'operator', text, start: like.start, end: like.start });
const isOperator = (token: Token | undefined, text: string): boolean => token?.kind === 'operator' && token.text === text;
const isName = (token: Token | undefined, text: string): boolean => token?.kind === 'name' && token.text === text;
const isMember = (tokens: readonly Token[], at: number): boolean => isOperator(tokens[at - 1], '.') || isOperator(tokens[at - 1], '?.');

/** `a not in b` becomes `not a in b`, which the prefix rule then wraps. */
function joinNotIn(tokens: readonly Token[]): Token[] {
  const out = [...tokens];
  for (let at = 1; at < out.length - 1; at++) {
    const not = out[at];
    if (not === undefined || !isName(not, 'not') || !isName(out[at + 1], 'in') || !endsOperand(out[at - 1]) || isMember(out, at)) continue;
    out.splice(at, 1);
    out.splice(startOfOperand(out, at), 0, not);
  }
  return out;
}

function startOfOperand(tokens: readonly Token[], end: number): number {
  let depth = 0;
  for (let at = end - 1; at >= 0; at--) {
    const token = tokens[at];
    if (token === undefined) break;
    if (token.kind === 'operator' && [')', ']', '}'].includes(token.text)) depth += 1;
    else if (token.kind === 'operator' && ['(', '[', '{'].includes(token.text)) {
      if (depth === 0) return at + 1;
      depth -= 1;
    } else if (depth === 0 && !isMember(tokens, at) && endsLoosely(token)) return at + 1;
  }
  return 0;
}

const endsLoosely = (token: Token): boolean =>
  (token.kind === 'operator' || token.kind === 'name') && (LOOSE.has(token.text) || COMPARING.has(token.text));

function rewrite(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  let at = 0;
  while (at < tokens.length) at = rewriteOne(tokens, at, out);
  return out;
}

/** Writes what begins at `at` and answers where to go on. */
function rewriteOne(tokens: readonly Token[], at: number, out: Token[]): number {
  const token = tokens[at];
  if (token === undefined) return at + 1;
  if (token.kind === 'operator') return rewriteOperator(tokens, at, token, out);
  if (token.kind === 'name' && !isMember(tokens, at)) return rewriteName(tokens, at, token, out);
  out.push(token);
  return at + 1;
}

function rewriteOperator(tokens: readonly Token[], at: number, token: Token, out: Token[]): number {
  if (token.text === '!') return wrapNot(tokens, at, endOfUnary(tokens, at + 1), out);
  if (token.text === '+' && joinsText(tokens, at)) {
    out.push({ ...token, text: '&' });
    return at + 1;
  }
  out.push({ ...token, text: RENAMED[token.text] ?? token.text });
  return at + 1;
}

/** `+` beside a quoted text puts texts together, as in JavaScript. */
function joinsText(tokens: readonly Token[], at: number): boolean {
  return endsOperand(tokens[at - 1]) && (tokens[at - 1]?.kind === 'text' || tokens[at + 1]?.kind === 'text');
}

function rewriteName(tokens: readonly Token[], at: number, token: Token, out: Token[]): number {
  const next = tokens[at + 1];
  const isPrefix = !endsOperand(tokens[at - 1]);
  if (EMPTY_NAMES.has(token.text)) {
    out.push({ ...token, text: 'null' });
    return at + 1;
  }
  if (isPrefix && token.text === 'not' && startsOperand(next)) return wrapNot(tokens, at, endOfLoose(tokens, at + 1), out);
  if (isPrefix && token.text === 'new' && next?.kind === 'name') return rewriteNew(tokens, at, token, out);
  if (isPrefix && isOperator(next, '(') && !NOT_FUNCTIONS.has(token.text)) {
    const name = FUNCTION_ALIASES.get(token.text) ?? token.text;
    if (!isKnownFunction(name)) throw unknownFunction(token.text, token.start);
    out.push({ ...token, kind: 'variable', text: `$${name}` });
    return at + 1;
  }
  out.push(token);
  return at + 1;
}

export function unknownFunction(name: string, position: number): Error {
  const near = nearestNames(name, knownFunctionNames())
    .slice(0, 3)
    .map((candidate) => `$${candidate}`);
  return expressionError(`there is no function "${name}".`, position, `Close names: ${near.join(', ')}.`);
}

/** `new Date()` is now, `new Date(x)` is a date; nothing else can be made. */
function rewriteNew(tokens: readonly Token[], at: number, token: Token, out: Token[]): number {
  if (!isName(tokens[at + 1], 'Date') || !isOperator(tokens[at + 2], '(')) {
    throw expressionError('"new" makes dates only: new Date(x).', token.start);
  }
  const isNow = isOperator(tokens[at + 3], ')');
  out.push({ ...token, kind: 'variable', text: isNow ? '$now' : '$date', end: tokens[at + 1]?.end ?? token.end });
  return at + 2;
}

const startsOperand = (token: Token | undefined): boolean =>
  token !== undefined &&
  (token.kind !== 'operator' || ['(', '[', '{', '!', '-'].includes(token.text)) &&
  !isName(token, 'and') &&
  !isName(token, 'or');

function wrapNot(tokens: readonly Token[], at: number, end: number, out: Token[]): number {
  const token = tokens[at];
  const first = tokens[at + 1];
  if (token === undefined || first === undefined || end <= at + 1) throw expressionError('nothing follows "!".', token?.start ?? 0);
  const inner = tokens.slice(at + 1, end);
  const isGroup = isOperator(first, '(') && closingOf(tokens, at + 1) === end - 1;
  out.push({ kind: 'variable', text: '$not', start: token.start, end: token.start }, operator('(', first));
  out.push(...rewrite(isGroup ? inner.slice(1, -1) : inner));
  out.push({ ...operator(')', first), start: tokens[end - 1]?.start ?? first.start, end: tokens[end - 1]?.end ?? first.end });
  return end;
}

/** The end of one operand with its members, filters and calls: what `!` applies to. */
function endOfUnary(tokens: readonly Token[], start: number): number {
  let at = start;
  while (isOperator(tokens[at], '!') || isOperator(tokens[at], '-')) at += 1;
  if (isName(tokens[at], 'new') && isName(tokens[at + 1], 'Date')) at += 1;
  const first = tokens[at];
  if (first === undefined) return start;
  at = first.kind === 'operator' ? closingOf(tokens, at) + 1 : at + 1;
  for (;;) {
    if (isOperator(tokens[at], '[') || isOperator(tokens[at], '(')) at = closingOf(tokens, at) + 1;
    else if ((isOperator(tokens[at], '.') || isOperator(tokens[at], '?.')) && tokens[at + 1] !== undefined) {
      at = isOperator(tokens[at + 1], '(') ? closingOf(tokens, at + 1) + 1 : at + 2;
    } else return at;
  }
}

/** `not` reaches as far as `and`, `or`, `?`, a comma or a closing bracket. */
function endOfLoose(tokens: readonly Token[], start: number): number {
  let at = start;
  while (at < tokens.length) {
    const token = tokens[at];
    if (token === undefined) break;
    if (token.kind === 'operator' && ['(', '[', '{'].includes(token.text)) at = closingOf(tokens, at) + 1;
    else if (token.kind === 'operator' && [')', ']', '}'].includes(token.text)) break;
    else if (!isMember(tokens, at) && token.kind !== 'text' && LOOSE.has(token.text)) break;
    else at += 1;
  }
  return at;
}

/** The bracket that closes the one at `at`; brackets were balanced by the scanner. */
function closingOf(tokens: readonly Token[], at: number): number {
  let depth = 0;
  for (let index = at; index < tokens.length; index++) {
    const token = tokens[index];
    if (token?.kind !== 'operator') continue;
    if (['(', '[', '{'].includes(token.text)) depth += 1;
    else if ([')', ']', '}'].includes(token.text)) depth -= 1;
    if (depth === 0) return index;
  }
  return at;
}
