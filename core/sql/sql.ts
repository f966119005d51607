/**
 * SQL as data. A statement is an immutable tree of raw text, identifiers and values; `run` in adapters/postgres takes only
 * this type, so a string never passes for SQL. `raw` is for literal text of our own files: the security suite lists its call sites.
 */
const BRAND: unique symbol = Symbol('durabase.sql');

type Node =
  | { readonly kind: 'raw'; readonly text: string }
  | { readonly kind: 'value'; readonly value: unknown; readonly cast: string | undefined }
  | { readonly kind: 'list'; readonly parts: readonly Sql[] };

export interface Sql {
  readonly [BRAND]: Node;
}

export interface RenderedSql {
  readonly text: string;
  readonly values: readonly unknown[];
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
  const values: unknown[] = [];
  const walk = (part: Sql): string => {
    const node = part[BRAND];
    switch (node.kind) {
      case 'raw':
        return node.text;
      case 'value':
        values.push(node.value);
        return node.cast === undefined ? `$${values.length}` : `$${values.length}::${node.cast}`;
      case 'list': {
        let text = '';
        for (const child of node.parts) text += walk(child);
        return text;
      }
    }
  };
  return { text: walk(statement), values };
}
