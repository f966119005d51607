/** Definitions of columns and constraints, as CREATE TABLE and ALTER TABLE share them. */
import type { ColumnText, ConstraintText } from './acts.ts';
import { firstNames, Reader, type ObjectName } from './reader.ts';
import { splitAt, type Token } from './tokens.ts';

const COLUMN_WORDS = [
  'constraint',
  'not',
  'null',
  'default',
  'check',
  'unique',
  'primary',
  'references',
  'generated',
  'collate',
  'deferrable',
  'initially',
  'storage',
  'compression',
];
const CONSTRAINT_WORDS = ['constraint', 'check', 'unique', 'primary', 'foreign', 'exclude'];

const isColumnWord = (reader: Reader): boolean => COLUMN_WORDS.some((word) => reader.is(word));

export const isConstraint = (reader: Reader): boolean => CONSTRAINT_WORDS.some((word) => reader.is(word)) || reader.is('not', 'null');

/** `character varying ( 10 )`, up to the first word that is no type's. */
export function readType(reader: Reader): { readonly type: string; readonly typeArguments: string } {
  const words: string[] = [];
  let typeArguments = '';
  while (!reader.isAtEnd && !isColumnWord(reader) && !reader.is('using') && !reader.is(',')) {
    if (reader.is('(')) {
      typeArguments = reader
        .group()
        .map((token) => token.text)
        .join('');
      continue;
    }
    const token = reader.next();
    // "char", quoted, is another type than char.
    words.push(token?.kind === 'name' && token.text === 'char' ? '"char"' : (token?.text ?? ''));
  }
  return { type: words.join(' ').replace(/^pg_catalog \. /, ''), typeArguments };
}

type ColumnDraft = { -readonly [Key in keyof ColumnText]: ColumnText[Key] };

/** What nothing is said of. */
export const PLAIN_COLUMN = {
  isRequired: false,
  isKey: false,
  isUnique: false,
  hasCheck: false,
  hasReference: false,
  isIdentity: false,
  isStored: false,
} as const;

export function readColumn(reader: Reader): { readonly column: ColumnText; readonly references: readonly ObjectName[] } {
  const column: ColumnDraft = {
    name: reader.identifier(),
    ...readType(reader),
    ...PLAIN_COLUMN,
    default: undefined,
  };
  const references: ObjectName[] = [];
  while (!reader.isAtEnd) {
    const target = readColumnPart(reader, column);
    if (target !== undefined) references.push(target);
  }
  return { column, references };
}

/** One property of a column. Answers the table a foreign key refers to. */
function readColumnPart(reader: Reader, column: ColumnDraft): ObjectName | undefined {
  if (reader.take('not', 'null')) column.isRequired = true;
  else if (reader.take('default')) column.default = readDefault(reader);
  else if (reader.take('primary', 'key')) column.isKey = true;
  else if (reader.take('unique')) column.isUnique = true;
  else if (reader.take('check')) column.hasCheck = reader.group().length > 0;
  else if (reader.take('generated')) readGenerated(reader, column);
  else if (reader.take('references')) {
    column.hasReference = true;
    return reader.objectName();
  } else if (reader.is('(')) reader.group();
  else reader.next();
  return undefined;
}

function readGenerated(reader: Reader, column: ColumnDraft): void {
  reader.seek('as');
  reader.take('as');
  if (reader.take('identity')) {
    column.isIdentity = true;
    return;
  }
  reader.group();
  column.isStored = !reader.take('virtual');
  reader.take('stored');
}

/** Up to the next property of the column. The first token belongs to the default in any case: it may be `null`. */
function readDefault(reader: Reader): Token[] {
  const tokens: Token[] = [];
  while (!reader.isAtEnd && (tokens.length === 0 || !isColumnWord(reader))) {
    if (reader.is('(')) {
      tokens.push({ kind: 'symbol', text: '(' }, ...reader.group(), { kind: 'symbol', text: ')' });
      continue;
    }
    const token = reader.next();
    if (token !== undefined) tokens.push(token);
  }
  return tokens;
}

export function readConstraint(reader: Reader): ConstraintText {
  const name = reader.take('constraint') ? reader.identifier() : undefined;
  const body = readConstraintBody(reader);
  let isNotValid = false;
  while (!reader.isAtEnd) {
    if (reader.take('not', 'valid')) isNotValid = true;
    else if (reader.is('(')) reader.group();
    else reader.next();
  }
  return { name, usesIndex: false, references: undefined, proves: [], ...body, isNotValid };
}

function readConstraintBody(
  reader: Reader,
): Pick<ConstraintText, 'kind' | 'columns'> & Partial<Pick<ConstraintText, 'usesIndex' | 'references' | 'proves'>> {
  if (reader.take('check')) return { kind: 'check', columns: [], proves: notNullColumns(reader.group()) };
  if (reader.take('not', 'null')) return { kind: 'not_null', columns: [reader.identifier()] };
  if (reader.take('exclude')) return { kind: 'exclude', columns: [] };
  if (reader.take('foreign', 'key')) {
    const columns = firstNames(splitAt(reader.group(), ','));
    reader.take('references');
    return { kind: 'foreign_key', columns, references: reader.objectName() };
  }
  const isKey = reader.take('primary', 'key');
  if (!isKey && !reader.take('unique')) return { kind: 'other', columns: [] };
  reader.skip(['nulls', 'not', 'distinct'], ['nulls', 'distinct']);
  const kind = isKey ? 'primary_key' : 'unique';
  if (reader.take('using', 'index')) return { kind, columns: [], usesIndex: true };
  return { kind, columns: firstNames(splitAt(reader.group(), ',')) };
}

/** The columns of `a is not null and (b is not null)`; what is joined by anything but AND proves nothing. */
function notNullColumns(tokens: readonly Token[]): string[] {
  const columns: string[] = [];
  const reader = new Reader(tokens);
  while (!reader.isAtEnd) {
    if (reader.is('(')) columns.push(...notNullColumns(reader.group()));
    else {
      const column = reader.identifier();
      if (column !== '' && reader.take('is', 'not', 'null')) columns.push(column);
      else if (!skipCondition(reader)) return [];
    }
    if (!reader.isAtEnd && !reader.take('and')) return [];
  }
  return columns;
}

/** Past one condition of another kind; false when an OR stands beside it. */
function skipCondition(reader: Reader): boolean {
  reader.seek('and', 'or', 'between');
  if (!reader.take('between')) return !reader.is('or');
  reader.seek('and');
  reader.take('and');
  reader.seek('and', 'or');
  return !reader.is('or');
}
