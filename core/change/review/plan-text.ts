/** A plan as the rules see it: its steps read into acts, what they make on the way, and what is known of the stored tables. */
import type { Act, ActOf } from './acts.ts';
import { hasPhrase, nameText, type ObjectName } from './reader.ts';
import { readStatement } from './read-statement.ts';
import { splitAt, tokensOf, UnreadableSql, type Token } from './tokens.ts';

/** A step as data: its SQL is the text that runs. */
export interface ReviewedStep {
  readonly key: string;
  /** `settle` and `contract` are after the switch; `contract` when nobody asks for the old shape any more. */
  readonly phase: string;
  /** `brief`: all statements in one transaction. `long`: each outside of any. */
  readonly mode: 'brief' | 'long';
  readonly statements: readonly string[];
  /** The question to the catalogue whether the step is done; `false` when there is none to ask. */
  readonly isDone: string;
  /** What the session that runs the step sets; undefined for no bound. */
  readonly lockTimeoutMs: number | undefined;
  readonly statementTimeoutMs: number | undefined;
}

export interface TableFacts {
  readonly rows: number;
  /** False when the number of rows is Postgres' estimate. */
  readonly isCounted: boolean;
  readonly bytes: number;
  /** Types of stored columns, as Postgres writes them; they decide whether a new type rewrites the table. */
  readonly columns?: ReadonlyMap<string, string>;
}

export interface ReviewFacts {
  /** Stored tables by `schema.table`. */
  readonly tables: ReadonlyMap<string, TableFacts>;
  /** What the version after the switch reads and writes: `schema.table` and `schema.table.column`. */
  readonly used: ReadonlySet<string>;
  /** More rows than this want a second approver. */
  readonly rowBound: number;
  /** Age of the newest backup; undefined for none. */
  readonly backupAgeHours: number | undefined;
  readonly backupHours: number;
}

export interface PlacedAct {
  readonly act: Act;
  /** Counts over the whole plan: a lower one runs earlier. */
  readonly at: number;
  /** Acts of one statement share this; an ALTER TABLE has many. */
  readonly statement: number;
}

export interface ReadStep extends ReviewedStep {
  readonly acts: readonly PlacedAct[];
  /** The tokens of each statement. */
  readonly texts: readonly (readonly Token[])[];
  /** How many statements each given text holds. */
  readonly counts: readonly number[];
  readonly unreadable: string | undefined;
}

export class PlanText {
  readonly steps: readonly ReadStep[];
  readonly facts: ReviewFacts;
  private readonly acts: readonly PlacedAct[];

  constructor(steps: readonly ReviewedStep[], facts: ReviewFacts) {
    const count = { act: 0, statement: 0 };
    this.steps = steps.map((step) => readStep(step, count));
    this.facts = facts;
    this.acts = this.steps.flatMap((step) => step.acts);
  }

  /** Acts of a kind, in order; `before` leaves out what runs at that place or later. */
  all<Kind extends Act['kind']>(kind: Kind, before = Infinity): (PlacedAct & { readonly act: ActOf<Kind> })[] {
    return this.acts.filter(
      (placed): placed is PlacedAct & { readonly act: ActOf<Kind> } => placed.act.kind === kind && placed.at < before,
    );
  }

  /** Clients use it already: the plan did not make it. */
  isLive(table: ObjectName, at: number): boolean {
    if (this.facts.tables.has(nameText(table))) return true;
    return !this.all('create_table', at).some(({ act }) => isSameName(act.table, table));
  }

  isLiveColumn(table: ObjectName, column: string, at: number): boolean {
    const isMade = this.all('add_column', at).some(({ act }) => isSameName(act.table, table) && act.column.name === column);
    return !isMade && this.isLive(table, at);
  }

  /** For messages: the table and how many rows wait behind its lock. */
  place(table: ObjectName): string {
    const known = this.facts.tables.get(nameText(table));
    return `"${nameText(table)}" (${known === undefined ? 'rows unknown' : `${known.isCounted ? '' : 'about '}${rowsText(known.rows)}`})`;
  }
}

export const rowsText = (rows: number): string => (rows === 1 ? '1 row' : `${rows.toLocaleString('en-US')} rows`);

export const isSameName = (a: ObjectName, b: ObjectName): boolean => nameText(a) === nameText(b);

function readStep(step: ReviewedStep, count: { act: number; statement: number }): ReadStep {
  try {
    const texts = step.statements.map((text) => splitAt(tokensOf(text), ';'));
    const acts = texts.flat().flatMap((tokens) => {
      const statement = count.statement++;
      return readStatement(tokens).map((act): PlacedAct => ({ act, at: count.act++, statement }));
    });
    return { ...step, acts, texts: texts.flat(), counts: texts.map((statements) => statements.length), unreadable: undefined };
  } catch (error) {
    if (!(error instanceof UnreadableSql)) throw error;
    return { ...step, acts: [], texts: [], counts: [], unreadable: error.message };
  }
}

/** The value of a SET in the step, in milliseconds; undefined when it sets none or switches the bound off. */
export function timeoutSet(step: ReadStep, name: string): number | undefined {
  const found = step.acts.flatMap(({ act }) => (act.kind === 'set' && act.name === name ? [act.value] : [])).at(-1);
  const [, digits, unit] = /^(\d+)(ms|s|min|h)?$/.exec(found ?? '') ?? [];
  const ms = Number(digits ?? 0) * ({ s: 1_000, min: 60_000, h: 3_600_000 }[unit ?? ''] ?? 1);
  return ms > 0 ? ms : undefined;
}

export const saysCascade = (tokens: readonly Token[]): boolean =>
  hasPhrase(tokens, 'on', 'delete', 'cascade') ||
  hasPhrase(tokens, 'on', 'update', 'cascade') ||
  splitAt(tokens, ',').some((piece) => endsInCascade(piece));

/** The last word of a DROP or TRUNCATE; as the name of a column it has a type or more behind it. */
function endsInCascade(piece: readonly Token[]): boolean {
  const last = piece.at(-1);
  const isRemoval = piece.some((token) => token.kind === 'word' && (token.text === 'drop' || token.text === 'truncate'));
  const before = piece.at(-2);
  const isName = before?.kind === 'word' && (before.text === 'column' || before.text === 'exists' || before.text === 'constraint');
  return last?.kind === 'word' && last.text === 'cascade' && isRemoval && !isName;
}
