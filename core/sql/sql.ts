/**
 * SQL as data. A statement is an immutable tree of raw text, identifiers and values; `run` in adapters/postgres takes only
 * this type, so a string never passes for SQL. `raw` is for literal text of our own files: the security suite lists its call sites.
 */
const BRAND: unique symbol = Symbol('durabase.sql');

type Node =
  | { readonly kind: 'raw'; readonly text: string }
  | { readonly kind: 'value'; readonly value: unknown; readonly cast: string | undefined }
  | { readonly kind: 'slot'; readonly position: number; readonly cast: string | undefined }
  | { readonly kind: 'list'; readonly parts: readonly Sql[] }
  | { readonly kind: 'filled'; readonly kept: KeptSql; readonly given: readonly unknown[] };

export interface Sql {
  readonly [BRAND]: Node;
}

export interface RenderedSql {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Set when the text was made earlier: the same object always has the same text. */
  readonly kept?: KeptSql;
}

/** A statement's text, made once, and which of the values it is given stand behind its placeholders. It holds no value itself. */
export interface KeptSql {
  readonly text: string;
  readonly positions: readonly number[];
}

/** Not frozen: freezing every part cost six times what making and rendering it does, and nothing else can name the property. */
class Part implements Sql {
  readonly [BRAND]: Node;

  constructor(node: Node) {
    this[BRAND] = node;
  }
}

const make = (node: Node): Sql => new Part(node);

/** Literal text of our own. Never call it with anything a caller, a document or the database supplied. */
export const raw = (text: string): Sql => make({ kind: 'raw', text });

/** A bound parameter. `cast` is a type name of ours (for instance `uuid`, `text[]`). */
export const value = (bound: unknown, cast?: SqlType): Sql => make({ kind: 'value', value: bound, cast });

/** The Postgres types we bind parameters as. */
export type SqlType =
  | 'text'
  | 'integer'
  | 'bigint'
  | 'double precision'
  | 'numeric'
  | 'boolean'
  | 'uuid'
  | 'timestamptz'
  | 'date'
  | 'time'
  | 'jsonb'
  | 'interval'
  | 'xid8'
  | 'text[]'
  | 'integer[]'
  | 'bigint[]'
  | 'double precision[]'
  | 'numeric[]'
  | 'boolean[]'
  | 'uuid[]'
  | 'timestamptz[]'
  | 'date[]'
  | 'time[]'
  | 'jsonb[]'
  | 'pg_snapshot';

const PLAIN_NAME = /^[a-z_][a-z0-9_]{0,62}$/;
const utf8 = new TextEncoder();

const quoted = new Map<string, string>();

/** The only place that quotes. Postgres cuts names at 63 bytes silently, so a longer one is refused here. */
export function quoteIdentifier(name: string): string {
  const known = quoted.get(name);
  if (known !== undefined) return known;
  const text = quoteNew(name);
  // Names of the documents in use, over and over; the bound is for names that only errors bring here.
  if (quoted.size >= 50_000) quoted.clear();
  quoted.set(name, text);
  return text;
}

function quoteNew(name: string): string {
  // Nearly every name; a request quotes dozens of them.
  if (PLAIN_NAME.test(name)) return `"${name}"`;
  if (name.length === 0 || name.includes('\0')) throw new TypeError('An SQL identifier may not be empty or hold NUL.');
  if (utf8.encode(name).length > 63) throw new TypeError(`The SQL identifier "${name}" is longer than 63 bytes.`);
  return `"${name.replaceAll('"', '""')}"`;
}

/** A quoted, possibly qualified name: `id('app_x', 'ticket')` is `"app_x"."ticket"`. */
export function id(...names: readonly string[]): Sql {
  const [first = '', second] = names;
  if (names.length === 1) return raw(quoteIdentifier(first));
  if (names.length === 2 && second !== undefined) return raw(`${quoteIdentifier(first)}.${quoteIdentifier(second)}`);
  return raw(names.map(quoteIdentifier).join('.'));
}

/** A quoted string constant, for the few places where Postgres takes no parameter (DDL defaults, JSON keys). */
export const literal = (text: string): Sql => {
  if (text.includes('\0')) throw new TypeError('An SQL literal may not hold NUL.');
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return raw(text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted);
};

/** Tagged template: only `Sql` may be interpolated, so every value says that it is one. */
export function sql(strings: TemplateStringsArray, ...parts: readonly Sql[]): Sql {
  const fixed = textsOf(strings);
  const nodes: Sql[] = [];
  for (let index = 0; index < fixed.length; index++) {
    const text = fixed[index];
    if (text !== undefined) nodes.push(text);
    const part = parts[index];
    if (part !== undefined) nodes.push(part);
  }
  return make({ kind: 'list', parts: nodes });
}

/** The texts of each template in our code, made once: a template is the same array at every call. */
const templates = new WeakMap<TemplateStringsArray, readonly (Sql | undefined)[]>();

function textsOf(strings: TemplateStringsArray): readonly (Sql | undefined)[] {
  let fixed = templates.get(strings);
  if (fixed === undefined) templates.set(strings, (fixed = strings.map((text) => (text === '' ? undefined : raw(text)))));
  return fixed;
}

export const empty: Sql = raw('');

/** Joins with literal text of ours between the parts. */
export function join(parts: readonly Sql[], separator = ', '): Sql {
  const nodes: Sql[] = [];
  parts.forEach((part, index) => {
    if (index > 0) nodes.push(raw(separator));
    nodes.push(part);
  });
  return make({ kind: 'list', parts: nodes });
}

export function and(conditions: readonly Sql[]): Sql {
  if (conditions.length === 0) return raw('true');
  return conditions.length === 1 ? (conditions[0] ?? raw('true')) : sql`(${join(conditions, ' and ')})`;
}

export function or(conditions: readonly Sql[]): Sql {
  if (conditions.length === 0) return raw('false');
  return conditions.length === 1 ? (conditions[0] ?? raw('false')) : sql`(${join(conditions, ' or ')})`;
}

/** The same in one piece, for parts that many statements share. Parts with values stay as they are. */
export function flattened(part: Sql): Sql {
  const { text, values } = render(part);
  return values.length === 0 ? raw(text) : part;
}

/** Text with $1.. placeholders and its values, in order. */
export function render(statement: Sql): RenderedSql {
  const whole = statement[BRAND];
  if (whole.kind === 'filled') {
    const { kept, given } = whole;
    return { text: kept.text, values: kept.positions.map((position) => given[position]), kept };
  }
  const values: unknown[] = [];
  const text = textOf(statement, (node) => {
    if (node.kind !== 'value') throw new TypeError('A statement to run may not have open places.');
    values.push(node.value);
    return values.length;
  });
  return { text, values };
}

type Leaf = Extract<Node, { kind: 'value' | 'slot' }>;

/** `number` says which placeholder a leaf is. */
function textOf(part: Sql, number: (node: Leaf) => number): string {
  const node = part[BRAND];
  switch (node.kind) {
    case 'raw':
      return node.text;
    case 'value':
    case 'slot':
      return node.cast === undefined ? `$${number(node)}` : `$${number(node)}::${node.cast}`;
    case 'list': {
      let text = '';
      for (const child of node.parts) text += textOf(child, number);
      return text;
    }
    case 'filled':
      throw new TypeError('A kept statement is no part of another.');
  }
}

// --- kept statements -------------------------------------------------------------------------------------------------

/** An open place: the value comes with each use, the one at `position` of those given. */
export const slot = (position: number, cast?: SqlType): Sql => make({ kind: 'slot', position, cast });

/**
 * The statement without values. One that still holds a value is refused: a kept text must not carry what belongs to one
 * request. A place used twice as the same type is one placeholder.
 */
export function keep(statement: Sql): KeptSql {
  const positions: number[] = [];
  const numbers = new Map<string, number>();
  const text = textOf(statement, (node) => {
    if (node.kind !== 'slot') throw new TypeError('A kept statement may not hold a value.');
    const use = `${node.position} ${node.cast ?? ''}`;
    const known = node.cast === undefined ? undefined : numbers.get(use);
    if (known !== undefined) return known;
    const number = positions.push(node.position);
    numbers.set(use, number);
    return number;
  });
  return { text, positions };
}

/** The statement with the values of one use. */
export const fill = (kept: KeptSql, given: readonly unknown[]): Sql => make({ kind: 'filled', kept, given });

/** The same part with open places instead of its values: the first takes `from`, the next `from + 1`, as `render` orders them. */
export function opened(part: Sql, from: number): Sql {
  let position = from;
  const walk = (one: Sql): Sql => {
    const node = one[BRAND];
    switch (node.kind) {
      case 'value':
        return make({ kind: 'slot', position: position++, cast: node.cast });
      case 'list':
        return make({ kind: 'list', parts: node.parts.map(walk) });
      case 'raw':
        return one;
      case 'slot':
      case 'filled':
        throw new TypeError('Only a part with its values can be opened.');
    }
  };
  return walk(part);
}

// --- without parameters ----------------------------------------------------------------------------------------------

/** The same part with quoted constants instead of its values, for the body of a function, which takes no parameters. */
export function inlined(part: Sql): Sql {
  const node = part[BRAND];
  switch (node.kind) {
    case 'value':
      return node.cast === undefined ? constant(node.value) : sql`${constant(node.value)}::${raw(node.cast)}`;
    case 'list':
      return make({ kind: 'list', parts: node.parts.map(inlined) });
    case 'raw':
      return part;
    case 'slot':
    case 'filled':
      throw new TypeError('Only a part with its values can be written without parameters.');
  }
}

function constant(bound: unknown): Sql {
  if (bound === null || bound === undefined) return raw('null');
  if (Array.isArray(bound)) return sql`array[${join(bound.map(constant))}]`;
  if (typeof bound === 'string' || typeof bound === 'number' || typeof bound === 'boolean' || typeof bound === 'bigint') {
    return literal(String(bound));
  }
  throw new TypeError('Only plain values can be written into SQL.');
}
