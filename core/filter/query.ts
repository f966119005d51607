/**
 * What a reading request asks for, before any name in it was looked up. Vocabulary: a *path* is a field reference cut at its
 * dots (`customer.company` is `['customer', 'company']`); a *leaf* compares one path with a value; a *walk* reads a list from
 * cursor to cursor instead of page by page.
 */
import { AppError } from '../errors.ts';

export const MAX_FILTER_NODES = 200;
export const MAX_LIST_VALUES = 1000;
export const MAX_INCLUDES = 20;
export const MAX_DEPTH = 3;
export const MAX_INCLUDED_ROWS = 1000;
export const DEFAULT_PER_PAGE = 25;
/** Records a page may skip. Skipping costs as much as reading them, so what lies deeper is walked to. */
export const MAX_SKIPPED = 100_000;
/** Ranking reads the text of every record found: above as many, the order of the key takes its place. */
export const MAX_RANKED = 5000;

/** A value as it arrived: text of the query string still to be read by the field's type, or a JSON value. */
export type Operand = { readonly kind: 'text'; readonly texts: readonly string[] } | { readonly kind: 'json'; readonly value: unknown };

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly items: readonly Filter[] }
  | { readonly kind: 'not'; readonly item: Filter }
  /** `operator` undefined: the last segment of the path may be one, or it is `eq`. */
  | { readonly kind: 'leaf'; readonly path: readonly string[]; readonly operator: string | undefined; readonly operand: Operand }
  /** One related row that holds all of `item` (`some`), or none that does. */
  | { readonly kind: 'related'; readonly path: readonly string[]; readonly quantifier: 'some' | 'none'; readonly item: Filter };

export interface SortItem {
  readonly path: readonly string[];
  readonly descending: boolean;
}

/** A relation to show with each record, and which of its records. */
export interface IncludeItem {
  readonly path: readonly string[];
  readonly filter?: Filter;
  readonly sort?: readonly SortItem[];
  readonly limit?: number;
  /** Paths from the related entity. */
  readonly fields?: readonly (readonly string[])[];
}

/** A word or a quoted phrase to find. */
export interface SearchTerm {
  readonly text: string;
  readonly isPhrase: boolean;
}

export interface ListQuery {
  readonly filter: Filter | undefined;
  /** Undefined: nothing is searched for. An empty list finds nothing. */
  readonly search: readonly SearchTerm[] | undefined;
  readonly sort: readonly SortItem[];
  readonly page: number;
  /** Undefined: the default. Capped by the app's maximum when it is used. */
  readonly perPage: number | undefined;
  /** Given: the list is walked. `cursor` undefined is its beginning. */
  readonly walk: { readonly limit: number | undefined; readonly cursor: string | undefined } | undefined;
  readonly count: 'exact' | 'estimated' | 'none';
  /** Undefined: every readable field. */
  readonly fields: readonly (readonly string[])[] | undefined;
  readonly include: readonly IncludeItem[];
  readonly withDeleted: boolean;
  /** Nothing but softly deleted records: what can be restored. */
  readonly onlyDeleted: boolean;
}

/** A 400 that names the parameter or field, the rule, and the way out. */
export const invalidValue = (field: string, message: string, hint?: string): AppError =>
  new AppError('INVALID_VALUE', message, { details: [{ field, rule: 'value', message }], ...(hint === undefined ? {} : { hint }) });

/** 413: a limit of docs/limits.md was passed. */
export const tooLarge = (field: string, message: string, hint?: string): AppError =>
  new AppError('TOO_LARGE', message, { details: [{ field, rule: 'limit', message }], ...(hint === undefined ? {} : { hint }) });
