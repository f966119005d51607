/**
 * What a load is about: the records of one entity, what a client of any shape says to write one, and how one is read from an answer and
 * from the tables. A *shape* is the set of changes that have been made; a *state* is what a record means in all of them.
 */

export const CHANGES = ['add', 'rename', 'split', 'convert', 'fill', 'link', 'move', 'key', 'split-entity', 'merge-entity'] as const;
export type ChangeName = (typeof CHANGES)[number];
export type Shape = ReadonlySet<ChangeName>;
export type Body = Readonly<Record<string, unknown>>;
export type State = Readonly<Record<string, string | number | null>>;

export interface Request {
  readonly method: string;
  /** Below the app's. */
  readonly path: string;
  readonly body?: Body;
  /** 200 if left out. */
  readonly status?: number;
}

export interface Write extends Request {
  /** What it makes of the record. */
  readonly apply: (state: State) => State;
  /** Its answer says what the record is. */
  readonly tells: boolean;
}

/** Chance and values that nobody had before. */
export interface Inventor {
  readonly chance: () => number;
  readonly text: (letter: string) => string;
  readonly number: () => number;
}

/** Where a version of the document stores each field of the entity. */
export type Columns = ReadonlyMap<string, string>;
/** By member of the state, over the row `t`. */
export type Expressions = Readonly<Record<string, string>>;

export interface Subject {
  /** It has the fields `ref`, the record's number, and `hits`. What has a number below zero is no record of the load. */
  readonly entity: string;
  documentOf(shape: Shape): Body;
  /** They lead from any shape without the change to the one with it. */
  instructions(change: ChangeName): readonly object[];
  /** Makes the rows from 1 to so many, by SQL; may be repeated. */
  seedSql(storage: string, rows: number): readonly string[];
  seeded(ref: number): State;
  /** How the load knows the record: what `born` and `idOf` answer of others. */
  seededId(ref: number): string;
  insert(shape: Shape, ref: number, invent: Inventor): { readonly write: Request & Pick<Write, 'tells'>; readonly after: State };
  /** From the answer to an insert. */
  born(data: unknown): string;
  /** `tried` is the newest shape that clients speak. */
  update(given: { shape: Shape; tried: Shape; id: string; state: State; invent: Inventor }): Write;
  /** The path of one record, for its reading and for writes of its own fields. */
  path(shape: Shape, id: string): string;
  readPath(shape: Shape, id: string): string;
  listPath(shape: Shape, ids: readonly string[]): string;
  idOf(shape: Shape, body: Body): string;
  /** What an answer says. A value of a kind the shape does not have comes back as text that no record has. */
  said(shape: Shape, body: Body): State;
  /** The members in which what is found is not what is expected; `tried` as above. */
  differences(expected: State, found: State, shape: Shape, tried: Shape): string[];
  /** What is stored, by the columns of a shape. */
  storedSql(shape: Shape, columns: Columns, storage: string): Expressions;
  /** The same of a row that nobody has written to. */
  untouchedSql(shape: Shape): Expressions;
  /** What such a row is in the shape. */
  untouched(ref: number, shape: Shape): State;
  /** Where the row `t` says different things in two shapes. */
  disagreementSql(left: readonly [Shape, Columns], right: readonly [Shape, Columns], storage: string): string;
  /** It may disagree between two commits, for an instant. */
  readonly isBehindAtTimes: boolean;
}

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : `no text: ${JSON.stringify(value)}`);
