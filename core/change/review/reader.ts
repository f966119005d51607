/** Walks the tokens of one statement, or of a part of it. */
import type { Token } from './tokens.ts';

/** What a statement is about: a table, an index, a type. */
export interface ObjectName {
  readonly schema: string | undefined;
  readonly name: string;
}

/** As facts and messages say it: `app_x.ticket`. */
export const nameText = (name: ObjectName): string => (name.schema === undefined ? name.name : `${name.schema}.${name.name}`);

export class Reader {
  private at = 0;
  private readonly tokens: readonly Token[];

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.at >= this.tokens.length;
  }

  peek(offset = 0): Token | undefined {
    return this.tokens[this.at + offset];
  }

  next(): Token | undefined {
    return this.tokens[this.at++];
  }

  rest(): readonly Token[] {
    return this.tokens.slice(this.at);
  }

  /** Bare words and symbols only: a quoted "table" is a name. */
  is(...words: readonly string[]): boolean {
    return words.every((word, offset) => {
      const token = this.peek(offset);
      return (token?.kind === 'word' || token?.kind === 'symbol') && token.text === word;
    });
  }

  take(...words: readonly string[]): boolean {
    if (!this.is(...words)) return false;
    this.at += words.length;
    return true;
  }

  /** Takes every given phrase once, in any order; for noise words. */
  skip(...phrases: readonly (readonly string[])[]): void {
    while (phrases.some((phrase) => this.take(...phrase)));
  }

  identifier(): string {
    const token = this.peek();
    if (token?.kind !== 'word' && token?.kind !== 'name') return '';
    this.at += 1;
    return token.text;
  }

  objectName(): ObjectName {
    const first = this.identifier();
    if (!this.take('.')) return { schema: undefined, name: first };
    return { schema: first, name: this.identifier() };
  }

  /** The inside of the parentheses that begin here; nothing when none do. */
  group(): Token[] {
    if (!this.take('(')) return [];
    const inside: Token[] = [];
    for (let depth = 1; !this.isAtEnd;) {
      const token = this.next();
      if (token === undefined) break;
      if (token.kind === 'symbol' && token.text === '(') depth += 1;
      if (token.kind === 'symbol' && token.text === ')') depth -= 1;
      if (depth === 0) break;
      inside.push(token);
    }
    return inside;
  }

  /** Moves on to the first of these words outside of parentheses; false, and at the end, when there is none. */
  seek(...words: readonly string[]): boolean {
    while (!this.isAtEnd) {
      if (words.some((word) => this.is(word))) return true;
      if (this.is('(')) this.group();
      else this.at += 1;
    }
    return false;
  }
}

/** Are these words anywhere in the tokens, one after the other? */
export const hasPhrase = (tokens: readonly Token[], ...words: readonly string[]): boolean =>
  tokens.some((_, at) => words.every((word, offset) => tokens[at + offset]?.kind === 'word' && tokens[at + offset]?.text === word));

/** The names of a list like `a, "b" desc`. */
export const firstNames = (pieces: readonly (readonly Token[])[]): string[] =>
  pieces.flatMap((piece) => (piece[0]?.kind === 'word' || piece[0]?.kind === 'name' ? [piece[0].text] : []));
