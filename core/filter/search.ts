/**
 * Full-text search: what `q` asks for, which fields it looks at, and the tsvector they make. The same expression stands behind
 * a full-text index, so that Postgres can answer by the index. Every word must be found; the last one may be a beginning.
 */
import { hasUnstorable } from '../model/fields/field-kind.ts';
import type { EntityModel, FieldModel } from '../model/model.ts';
import { id, join, literal, or, sql, value, type Sql } from '../sql/sql.ts';
import { invalidValue, type SearchTerm } from './query.ts';
import { columnOf, columnSql, type Column, type ReadScope } from './scope.ts';

const MAX_LENGTH = 500;
const MAX_TERMS = 20;
/** A tsvector holds 1 MB; of longer texts the beginning is found. */
const SEARCHED_CHARACTERS = literal('100000');
const CONFIGURATION = sql`'pg_catalog.simple'::regconfig`;
/**
 * Signs that Postgres' parser gives a meaning (addresses, paths, signed numbers, markup), taken as blanks on both sides: a word
 * is a run of letters and digits, and half an email address is found like half a word.
 */
const SIGNS = '-+./@_<>&:~\\';
const SIGN = new RegExp(`[${SIGNS.replace(/[-\\]/g, '\\$&')}]`, 'g');

/** The words and phrases of `q`; undefined when it is left out or blank. */
export function readSearch(text: string | undefined): readonly SearchTerm[] | undefined {
  if (text === undefined) return undefined;
  if (text.length > MAX_LENGTH) throw invalidValue('q', `The parameter "q" may have at most ${MAX_LENGTH} characters.`);
  if (hasUnstorable(text)) throw invalidValue('q', 'The parameter "q" must not contain the NUL character or half a surrogate pair.');
  if (text.trim() === '') return undefined;
  const terms = [...text.matchAll(/"([^"]*)(?:"|$)|[^\s"]+/g)].flatMap(([whole, phrase]): SearchTerm[] => {
    const words = (phrase ?? whole).replace(SIGN, ' ').trim();
    return /[\p{L}\p{N}]/u.test(words) ? [{ text: words, isPhrase: phrase !== undefined }] : [];
  });
  if (terms.length > MAX_TERMS) throw invalidValue('q', `The parameter "q" may have at most ${MAX_TERMS} words and phrases.`);
  return terms;
}

/** A checked search as SQL: which rows are found, and how well. */
export interface Search {
  /** True for the rows that are found. Postgres knows how many that will be, and may walk along an order until it has enough. */
  condition(alias: string): Sql;
  /**
   * The same for statements that need all of them. Postgres charges the making of a text's words far too little and checks every find
   * of the index again in its sums, so that for a word of nearly every record it would rather read the table and make the words of
   * each: some fifty times as dear. Of a word that is not known when it plans it expects few finds, and takes the index.
   */
  ofAll(alias: string): Sql;
  /** Double precision, higher is better. */
  rank(alias: string): Sql;
  /** True when no searched field depends on the row. */
  readonly isOpen: boolean;
}

/** The search over the fields of `entity` that the caller may read. */
export function checkSearch(scope: ReadScope, entity: EntityModel, terms: readonly SearchTerm[]): Search {
  const documents = searchedFields(entity)
    .map((names) => names.flatMap((name) => columnOf(scope, entity, name) ?? []))
    .filter((columns) => columns.length > 0);
  const wanted = sql`to_tsquery(${CONFIGURATION}, ${value(queryText(terms), 'text')})`;
  const found = (alias: string, query: Sql): Sql =>
    terms.length === 0 ? sql`false` : or(documents.map((columns) => sql`${textOf(columns, alias)} @@ ${query}`));
  const textOf = (columns: readonly Column[], alias: string): Sql => documentSql(columns.map((column) => columnSql(alias, column)));
  return {
    condition: (alias) => found(alias, wanted),
    ofAll: (alias) => found(alias, sql`(select ${wanted})`),
    rank: (alias) =>
      documents.length === 0
        ? sql`0::double precision`
        : sql`greatest(${join(documents.map((columns) => sql`ts_rank(${textOf(columns, alias)}, ${wanted})::double precision`))})`,
    isOpen: documents.every((columns) => columns.every((column) => column.access.mode === 'always')),
  };
}

/** Each text that is searched, as its fields: those of the entity's full-text indexes, or all its texts as one. */
function searchedFields(entity: EntityModel): (readonly string[])[] {
  const indexes = fulltextIndexes(entity);
  if (indexes.length > 0) return indexes;
  return [[...entity.fields.values()].filter((field) => SEARCHED_TYPES.has(field.type)).map((field) => field.name)];
}

/** Types that are searched when no index names its fields. */
const SEARCHED_TYPES: ReadonlySet<FieldModel['type']> = new Set(['string', 'text', 'email']);

/** The field names of each full-text index. */
export const fulltextIndexes = (entity: EntityModel): (readonly string[])[] =>
  entity.definition.indexes.filter((index) => index.type === 'fulltext').map((index) => index.fields);

/** The tsvector of some text columns, read one after the other. Immutable, and letter for letter what the index is made of. */
export function documentSql(columns: readonly Sql[]): Sql {
  const text = join(
    columns.map((column) => sql`coalesce(${column}, '')`),
    ` || ' ' || `,
  );
  const words = sql`translate(left(${text}, ${SEARCHED_CHARACTERS}::integer), ${literal(SIGNS)}, ${literal(' '.repeat(SIGNS.length))})`;
  return sql`to_tsvector(${CONFIGURATION}, ${words})`;
}

/** The expression a full-text index is made of. */
export const indexedDocument = (columns: readonly string[]): Sql => documentSql(columns.map((column) => id(column)));

/** Text for to_tsquery: quoted words are taken literally, and several in one pair of quotes as a phrase. */
function queryText(terms: readonly SearchTerm[]): string {
  return terms
    .map(({ text, isPhrase }, index) => {
      const isBeginning = !isPhrase && index === terms.length - 1;
      return `'${text.replaceAll("'", "''")}'${isBeginning ? ':*' : ''}`;
    })
    .join(' & ');
}
