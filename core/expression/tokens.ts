/** The words of an expression, with the place each came from, so that a rewritten text can still point into what was typed. */
import { AppError } from '../errors.ts';

export interface Token {
  readonly kind: 'name' | 'variable' | 'text' | 'number' | 'operator';
  /** As it will be written: texts re-escaped for JSONata, quoted names with their backticks. */
  readonly text: string;
  /** Offset into the source. */
  readonly start: number;
  readonly end: number;
}

export const MAX_EXPRESSION_LENGTH = 10_000;
const MAX_BRACKET_DEPTH = 60;
/** JSONata reads the left side of these twice, so each one on the right of another doubles the tree. */
const DOUBLING = new Set(['??', '?:']);
const MAX_DOUBLING = 6;

/** Longest first: the scanner takes the first that fits. */
const OPERATORS = [
  '===',
  '!==',
  '==',
  '!=',
  '<=',
  '>=',
  '<>',
  '&&',
  '||',
  '??',
  '?:',
  '?.',
  '**',
  '..',
  ':=',
  '~>',
  '.',
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  ',',
  '@',
  '#',
  ';',
  ':',
  '?',
  '+',
  '-',
  '*',
  '/',
  '%',
  '|',
  '=',
  '<',
  '>',
  '^',
  '&',
  '!',
] as const;

const NAME = /[\p{L}_][\p{L}\p{N}\p{M}_]*/uy;
const VARIABLE = /\$(?:\$|[\p{L}\p{N}_]*)/uy;
const NUMBER = /(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const BLANK = /(?:\s|\/\*[\s\S]*?\*\/)+/y;

/** A mistake in an expression, at an offset of the text the author typed. */
export function expressionError(message: string, position: number, hint?: string): AppError {
  return new AppError('VALIDATION_FAILED', `The expression is not valid at position ${position + 1}: ${message}`, {
    details: [{ rule: 'expression', message, position: position + 1 }],
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Recursion over what an author nested: an overflow is the author's mistake, not ours. */
export function withinStack<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw expressionError('it is nested too deep.', 0);
    throw error;
  }
}

export function tokenize(source: string): Token[] {
  if (source.length > MAX_EXPRESSION_LENGTH) {
    throw expressionError(`it is longer than ${MAX_EXPRESSION_LENGTH} characters.`, MAX_EXPRESSION_LENGTH);
  }
  refuseUnstorable(source, 0, source);
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const blank = match(BLANK, source, at);
    if (blank !== undefined) {
      at += blank.length;
      continue;
    }
    const token = readToken(source, at, tokens.at(-1));
    tokens.push(token);
    at = token.end;
  }
  checkBrackets(tokens, source.length);
  return tokens;
}

function readToken(source: string, at: number, previous: Token | undefined): Token {
  const first = source.charAt(at);
  if (first === '"' || first === "'") return readText(source, at);
  if (first === '`') return readQuotedName(source, at);
  const variable = match(VARIABLE, source, at);
  if (variable !== undefined) return { kind: 'variable', text: variable, start: at, end: at + variable.length };
  const number = match(NUMBER, source, at);
  if (number !== undefined) return { kind: 'number', text: number, start: at, end: at + number.length };
  const name = match(NAME, source, at);
  if (name !== undefined) return { kind: 'name', text: name, start: at, end: at + name.length };
  const operator = OPERATORS.find((candidate) => source.startsWith(candidate, at));
  if (operator === undefined)
    throw expressionError(`the character "${String.fromCodePoint(source.codePointAt(at) ?? 0)}" has no meaning here.`, at);
  if (operator === '/' && !endsOperand(previous)) {
    throw expressionError('a pattern between slashes is not allowed.', at, "Give the pattern as a text: $match(record.code, '^[A-Z]+$').");
  }
  // `a ?.5 : 1` is a choice of .5, not a member.
  if (operator === '?.' && /\d/.test(source.charAt(at + 2))) return { kind: 'operator', text: '?', start: at, end: at + 1 };
  return { kind: 'operator', text: operator, start: at, end: at + operator.length };
}

/** True when a value ends with this token, so that what follows is an infix operator. */
export function endsOperand(token: Token | undefined): boolean {
  if (token === undefined) return false;
  if (token.kind === 'operator') return token.text === ')' || token.text === ']' || token.text === '}';
  return !(token.kind === 'name' && ['and', 'or', 'in', 'not', 'new'].includes(token.text));
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '0': '\0' };

/** Accepts the escapes of JSON and of JavaScript (`\'`), and writes those of JSONata. */
function readText(source: string, start: number): Token {
  const quote = source.charAt(start);
  let value = '';
  let at = start + 1;
  for (;;) {
    const char = source.charAt(at);
    if (char === '') throw expressionError('the text that begins here is not closed.', start);
    if (char === quote) break;
    if (char !== '\\') {
      value += char;
      at += 1;
      continue;
    }
    const escape = source.charAt(at + 1);
    if (escape === 'u') {
      const digits = source.slice(at + 2, at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw expressionError('\\u needs four hexadecimal digits.', at);
      value += String.fromCharCode(parseInt(digits, 16));
      at += 6;
    } else {
      value += SIMPLE_ESCAPES[escape] ?? escape;
      at += 2;
    }
  }
  refuseUnstorable(value, start);
  return { kind: 'text', text: writeText(value, quote), start, end: at + 1 };
}

const UNSTORABLE = /\0|\p{Surrogate}/u;

/** What Postgres can hold in no text: NUL, and half of a surrogate pair. `source`: where to find the place in. */
function refuseUnstorable(text: string, start: number, source?: string): void {
  if (UNSTORABLE.test(text))
    throw expressionError('NUL and half a surrogate pair are no characters.', source === undefined ? start : source.search(UNSTORABLE));
}

function writeText(value: string, quote: string): string {
  const body = value.replaceAll('\\', '\\\\').replaceAll(quote, quote === '"' ? '\\"' : '\\u0027');
  return `${quote}${body}${quote}`;
}

function readQuotedName(source: string, start: number): Token {
  const end = source.indexOf('`', start + 1);
  if (end < 0) throw expressionError('the name that begins here is not closed.', start);
  return { kind: 'name', text: source.slice(start, end + 1), start, end: end + 1 };
}

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  const found = pattern.exec(source)?.[0];
  return found === '' ? undefined : found;
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Said here because the offset is better than the parser's, and because the parser recurses. */
function checkBrackets(tokens: readonly Token[], end: number): void {
  const open: Token[] = [];
  let doublings = 0;
  for (const token of tokens) {
    if (token.kind !== 'operator') continue;
    if (DOUBLING.has(token.text) && ++doublings > MAX_DOUBLING) {
      throw expressionError(`"${token.text}" stands here more than ${MAX_DOUBLING} times.`, token.start, 'Choose with a ? b : c.');
    }
    if (token.text in CLOSING) {
      open.push(token);
      if (open.length > MAX_BRACKET_DEPTH) throw expressionError(`brackets are nested deeper than ${MAX_BRACKET_DEPTH}.`, token.start);
    } else if (token.text === ')' || token.text === ']' || token.text === '}') {
      const opened = open.pop();
      if (opened === undefined || CLOSING[opened.text] !== token.text)
        throw expressionError(`"${token.text}" closes nothing.`, token.start);
    }
  }
  const left = open.pop();
  if (left !== undefined) throw expressionError(`"${left.text}" opened at position ${left.start + 1} is not closed.`, end);
}
