/**
 * A user's pattern (RE2, see `core/model/fields/pattern.ts`) as a regular expression of Postgres that matches the very same texts.
 * Only the part both know and read alike is carried over; whatever else gives undefined. What differs where both have it: `.` and a line
 * break, `\d \w \s` (ASCII in RE2, by the locale in Postgres), bounds (255 in Postgres).
 * Syntaxes: https://github.com/google/re2/wiki/Syntax and chapter 9.7.3 of the Postgres manual.
 */

/** What Postgres allows in `{n,m}`, and how large an expression may become when its bounds are written out. */
const MOST_REPEATS = 255;
const MOST_STATES = 5_000;

const CLASSES: Readonly<Record<string, string>> = { d: '0-9', w: 'A-Za-z0-9_', s: '\\t\\n\\f\\r ' };
const POSIX: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  xdigit: '0-9A-Fa-f',
  word: 'A-Za-z0-9_',
};
const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

class Unknown extends Error {}

/** The text of the expression for `~`, or undefined where Postgres has no equal one. The pattern is one that RE2 compiles. */
export function postgresPattern(pattern: string): string | undefined {
  try {
    const reader = new Reader([...pattern]);
    const { text } = reader.alternatives();
    return reader.isAtEnd ? text : undefined;
  } catch (error) {
    if (error instanceof Unknown) return undefined;
    throw error;
  }
}

interface Part {
  readonly text: string;
  readonly states: number;
}

class Reader {
  private at = 0;
  private readonly signs: readonly string[];

  constructor(signs: readonly string[]) {
    this.signs = signs;
  }

  get isAtEnd(): boolean {
    return this.at === this.signs.length;
  }

  alternatives(): Part {
    const branches = [this.branch()];
    while (this.takes('|')) branches.push(this.branch());
    return { text: branches.map(({ text }) => text).join('|'), states: sum(branches) };
  }

  private branch(): Part {
    const parts: Part[] = [];
    while (!this.isAtEnd && this.sign !== '|' && this.sign !== ')') parts.push(this.piece());
    return { text: parts.map(({ text }) => text).join(''), states: sum(parts) };
  }

  private piece(): Part {
    const anchor = this.anchor();
    if (anchor !== undefined) {
      if (this.bound() !== undefined) throw new Unknown();
      return { text: anchor, states: 1 };
    }
    const { text, states } = this.atom();
    const bound = this.bound();
    if (bound === undefined) return { text, states };
    if (this.bound() !== undefined) throw new Unknown();
    const repeated = states * bound.times;
    if (repeated > MOST_STATES) throw new Unknown();
    return { text: text + bound.text, states: repeated };
  }

  private anchor(): string | undefined {
    if (this.takes('^') || this.takes('\\A')) return '^';
    return this.takes('$') || this.takes('\\z') ? '$' : undefined;
  }

  private atom(): Part {
    if (this.takes('(')) return this.group();
    if (this.takes('[')) return { text: this.bracket(), states: 1 };
    if (this.takes('.')) return { text: '[^\\n]', states: 1 };
    if (this.sign === '\\') {
      const set = this.shorthand();
      if (set !== undefined) return { text: set, states: 1 };
    }
    return { text: written(this.character()), states: 1 };
  }

  private group(): Part {
    if (this.takes('?')) {
      if (this.takes('P<') || this.takes('<')) this.until('>');
      else if (!this.takes(':')) throw new Unknown();
    }
    const { text, states } = this.alternatives();
    if (!this.takes(')')) throw new Unknown();
    return { text: `(?:${text})`, states: states + 1 };
  }

  /** `\d` and its like, and their opposites, outside brackets. */
  private shorthand(): string | undefined {
    const letter = this.signs[this.at + 1] ?? '';
    const set = CLASSES[letter.toLowerCase()];
    if (set === undefined) return undefined;
    this.at += 2;
    return letter === letter.toLowerCase() ? `[${set}]` : `[^${set}]`;
  }

  private bracket(): string {
    const opposite = this.takes('^') ? '^' : '';
    const items: string[] = [];
    while (items.length === 0 || this.sign !== ']') items.push(this.item());
    this.at++;
    return `[${opposite}${items.join('')}]`;
  }

  private item(): string {
    if (this.takes('[:')) return POSIX[this.until(':]')] ?? unknown();
    const letter = this.sign === '\\' ? this.signs[this.at + 1] : undefined;
    const set = letter === undefined ? undefined : CLASSES[letter];
    if (set !== undefined) {
      this.at += 2;
      return set;
    }
    const from = this.character();
    if (this.sign !== '-' || this.signs[this.at + 1] === ']') return written(from);
    this.at++;
    // No text of Postgres holds NUL, so a range may as well begin after it.
    return `${written(Math.max(1, from))}-${written(this.character())}`;
  }

  /** One character, escaped or not, as its code point. */
  private character(): number {
    const sign = this.sign ?? unknown();
    this.at++;
    if (sign !== '\\') return sign.codePointAt(0) ?? 0;
    const escaped = this.sign ?? unknown();
    this.at++;
    if (escaped === 'x') return this.hexadecimal();
    const control = CONTROLS[escaped];
    if (control !== undefined) return control;
    if (/[0-9A-Za-z]/.test(escaped)) throw new Unknown();
    return escaped.codePointAt(0) ?? 0;
  }

  private hexadecimal(): number {
    const digits = this.takes('{') ? this.until('}') : this.signs.slice(this.at, (this.at += 2)).join('');
    return /^[0-9A-Fa-f]+$/.test(digits) ? Number.parseInt(digits, 16) : unknown();
  }

  /** `*`, `+`, `?` or `{n,m}`; whether it is lazy makes no difference to whether a text matches. */
  private bound(): { text: string; times: number } | undefined {
    const sign = this.sign;
    if (sign === '*' || sign === '+' || sign === '?') {
      this.at++;
      this.takes('?');
      return { text: sign, times: sign === '?' ? 1 : 2 };
    }
    const found = sign === '{' ? /^\{(\d+)(,(\d*))?\}/.exec(this.signs.slice(this.at, this.at + 16).join('')) : null;
    if (found === null) return undefined;
    this.at += found[0].length;
    this.takes('?');
    const times = Math.max(Number(found[1]), Number(found[3] ?? 0));
    if (times > MOST_REPEATS) throw new Unknown();
    return { text: found[0], times: times + 1 };
  }

  private get sign(): string | undefined {
    return this.signs[this.at];
  }

  private takes(text: string): boolean {
    if (this.signs.slice(this.at, this.at + text.length).join('') !== text) return false;
    this.at += text.length;
    return true;
  }

  private until(end: string): string {
    const start = this.at;
    while (!this.takes(end)) {
      if (this.isAtEnd) throw new Unknown();
      this.at++;
    }
    return this.signs.slice(start, this.at - end.length).join('');
  }
}

const sum = (parts: readonly Part[]): number => parts.reduce((total, { states }) => total + states, 0);

function unknown(): never {
  throw new Unknown();
}

/** Letters, digits and what is not ASCII stand for themselves everywhere; the rest is written by its number. */
function written(code: number): string {
  if (code === 0 || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) throw new Unknown();
  const sign = String.fromCodePoint(code);
  if (/[0-9A-Za-z]/.test(sign) || code > 0xa0) return sign;
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
