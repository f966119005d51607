/**
 * SQL text as tokens: enough to tell a keyword from the same letters in a string, a quoted name or a comment, and no more.
 * A parser of all of Postgres' grammar would know what our plans never say (docs/adr/0018-plans-are-read-by-tokens.md).
 */
export interface Token {
  /** `word`: bare, in small letters. `name`: a quoted identifier. `text`: a string constant of any form. */
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'symbol';
  readonly text: string;
}

/** Raised where a string, a quoted name or a comment does not end. */
export class UnreadableSql extends Error {
  override readonly name = 'UnreadableSql';
}

type Scan = (source: string, at: number) => { readonly token?: Token; readonly end: number } | undefined;

/** A pattern tried at one place only. */
const matchAt = (pattern: RegExp, source: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at;
  return pattern.exec(source);
};

const SPACE = /[\s\u00a0]+|--[^\n]*/y;
const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const NUMBER = /(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?/iy;
const DOLLAR = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;
const PLACEHOLDER = /\$\d+/y;
const OPERATOR = /::|:=|<=|>=|<>|!=|->>|->|\|\||[^\s]/uy;
const QUOTED_NAME = /(?:u&)?"((?:[^"]|"")*)"/iy;
const ESCAPED_TEXT = /e'((?:[^'\\]|''|\\[^])*)'/iy;
const PLAIN_TEXT = /(?:u&|[bnx])?'((?:[^']|'')*)'/iy;

const space: Scan = (source, at) => {
  const found = matchAt(SPACE, source, at);
  return found === null ? undefined : { end: at + found[0].length };
};

/** Block comments nest in Postgres. */
const comment: Scan = (source, at) => {
  if (!source.startsWith('/*', at)) return undefined;
  let depth = 0;
  for (let place = at; place < source.length; place++) {
    if (source.startsWith('/*', place)) {
      depth += 1;
      place += 1;
    } else if (source.startsWith('*/', place)) {
      depth -= 1;
      place += 1;
      if (depth === 0) return { end: place + 1 };
    }
  }
  throw new UnreadableSql('A comment does not end.');
};

const dollarText: Scan = (source, at) => {
  const tag = matchAt(DOLLAR, source, at)?.[0];
  if (tag === undefined) return undefined;
  const close = source.indexOf(tag, at + tag.length);
  if (close < 0) throw new UnreadableSql(`The string that begins with ${tag} does not end.`);
  return { token: { kind: 'text', text: source.slice(at + tag.length, close) }, end: close + tag.length };
};

const by = (kind: Token['kind'], pattern: RegExp, read: (found: RegExpExecArray) => string = (found) => found[0]): Scan => {
  return (source, at) => {
    const found = matchAt(pattern, source, at);
    return found === null ? undefined : { token: { kind, text: read(found) }, end: at + found[0].length };
  };
};

/** In this order: what begins a string must be seen before the word or the operator it also looks like. */
const SCANS: readonly Scan[] = [
  space,
  comment,
  by('name', QUOTED_NAME, (found) => (found[1] ?? '').replaceAll('""', '"')),
  by('text', ESCAPED_TEXT, (found) => found[1] ?? ''),
  by('text', PLAIN_TEXT, (found) => (found[1] ?? '').replaceAll("''", "'")),
  dollarText,
  by('symbol', PLACEHOLDER),
  by('word', WORD, (found) => found[0].toLowerCase()),
  by('number', NUMBER),
  by('symbol', OPERATOR),
];

export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < source.length;) {
    const found = firstScan(source, at);
    if (found.token?.kind === 'symbol' && (found.token.text === "'" || found.token.text === '"')) {
      throw new UnreadableSql(`What begins with ${found.token.text} does not end.`);
    }
    if (found.token !== undefined) tokens.push(found.token);
    at = found.end;
  }
  return tokens;
}

function firstScan(source: string, at: number): { readonly token?: Token; readonly end: number } {
  for (const scan of SCANS) {
    const found = scan(source, at);
    if (found !== undefined) return found;
  }
  return { end: at + 1 };
}

/** Splits at a symbol outside of all parentheses; empty pieces are left out. */
export function splitAt(tokens: readonly Token[], symbol: ',' | ';'): Token[][] {
  const pieces: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'symbol') {
      if (token.text === '(' || token.text === '[') depth += 1;
      if (token.text === ')' || token.text === ']') depth -= 1;
      if (depth === 0 && token.text === symbol) {
        pieces.push([]);
        continue;
      }
    }
    pieces.at(-1)?.push(token);
  }
  return pieces.filter((piece) => piece.length > 0);
}
