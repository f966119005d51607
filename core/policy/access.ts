/** What a caller may do with the records of one entity: the answer of a policy, asked by reads and writes alike. */
import { sql, type Sql } from '../sql/sql.ts';

export const RECORD_ACTIONS = ['read', 'create', 'update', 'delete'] as const;
export type RecordAction = (typeof RECORD_ACTIONS)[number];

/** One field under one action: readable for `read`, writable for the others. */
export interface FieldAccess {
  readonly mode: 'always' | 'never' | 'conditional';
  /** With `conditional`: a predicate over a row, true where the field is open. */
  when?(alias: string): Sql;
}

export interface Access {
  /** False: the action is refused as a whole (403). */
  readonly isGranted: boolean;
  /**
   * The row predicate over any relation aliased `alias` that has all columns of the entity: a stored row or a candidate row.
   * Undefined means every row.
   */
  where(alias: string): Sql | undefined;
  /** The same text promises the same field rules for the same entity; parts of statements are kept under it. */
  readonly key: string;
  /** Holds for rows that pass `where`. */
  field(name: string): FieldAccess;
  /** Values put into a created record, dynamic ones resolved. */
  readonly presets: Readonly<Record<string, unknown>>;
}

/** What an API key leaves of its permissions. */
export interface Scopes {
  /** Equal texts allow the same: for what is kept per caller. */
  readonly key: string;
  /** Whether records of this entity may be touched in this way. */
  allowsRecords(entity: string, action: RecordAction): boolean;
  /** Whether a part of the API beside the records (`_admin`, `_workflows`, `_platform`) may be used. `*` does not cover these. */
  allowsPart(part: string, action: 'read' | 'write'): boolean;
}

/** Who asks, as far as policies and dynamic values know. */
export interface PolicyActor {
  readonly id: string | null;
  readonly email: string | null;
  readonly roles: readonly string[];
  readonly isAdmin: boolean;
  /** What an API key leaves of all this; without it nothing is cut. */
  readonly scopes?: Scopes;
}

/** A row predicate as a value, never null; without one every row passes. */
export const holding = (condition: Sql | undefined): Sql => (condition === undefined ? sql`true` : sql`coalesce(${condition}, false)`);

const ALWAYS: FieldAccess = { mode: 'always' };
const NEVER: FieldAccess = { mode: 'never' };

/** Everything: admins, the system, and the references of policies themselves. */
export const FULL_ACCESS: Access = { key: 'full', isGranted: true, where: () => undefined, field: () => ALWAYS, presets: {} };
/** Nothing: no row, even for code that forgets to ask `isGranted`. */
export const NO_ACCESS: Access = { key: 'none', isGranted: false, where: () => sql`false`, field: () => NEVER, presets: {} };

export const fieldAlways = (): FieldAccess => ALWAYS;
export const fieldNever = (): FieldAccess => NEVER;
