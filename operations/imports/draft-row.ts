/** A row of a file as the body of a write. */
import type { ErrorCode, ErrorDetail } from '../../core/errors.ts';
import { isAppError, type AppError } from '../../core/errors.ts';
import { valueOfCell } from '../../core/import/convert.ts';
import type { Target } from '../../core/import/mapping.ts';
import { coerceValue } from '../../core/model/field-types.ts';
import type { FieldModel } from '../../core/model/model.ts';
import type { ImportPlan } from './import-plan.ts';

/** A row as it was read. */
export interface FileRow {
  /** From 0. */
  readonly row: number;
  /** Of the file, from 1. */
  readonly line: number;
  /** Cells in the order of the columns, or the one object of a line of NDJSON. */
  readonly cells: readonly unknown[];
}

/** One mistake of a row. */
export interface RowError {
  /** Of the file; null where it is the row as a whole. */
  readonly column: string | null;
  readonly field: string | null;
  readonly code: ErrorCode;
  readonly rule: string | null;
  readonly message: string;
}

/** A cell that names another record by one of its fields. */
export interface Lookup {
  readonly column: string;
  readonly by: NonNullable<Target['by']>;
  /** Own field that gets the other record's key. */
  readonly field: FieldModel;
  /** As it is bound. */
  readonly value: unknown;
  /** As it was read, to say in a refusal. */
  readonly text: string;
}

export interface DraftRow extends FileRow {
  readonly body: Record<string, unknown>;
  readonly errors: RowError[];
  readonly lookups: Lookup[];
}

/** Names of columns are found again by it, once for all rows. */
export interface RowReader {
  readonly plan: ImportPlan;
  readonly columns: readonly string[];
  readonly isCsv: boolean;
  readonly columnOf: ReadonlyMap<string, string>;
}

export const rowReader = (plan: ImportPlan, columns: readonly string[], isCsv: boolean): RowReader => ({
  plan,
  columns,
  isCsv,
  columnOf: new Map([...plan.targets].map(([column, { field }]) => [field.name, column])),
});

const MAX_ERRORS = 10;
const MAX_SHOWN = 100;

export function draftRow(reader: RowReader, file: FileRow): DraftRow {
  const draft: DraftRow = { ...file, body: {}, errors: [], lookups: [] };
  const { columns, isCsv, plan } = reader;
  if (isCsv) {
    const extra = file.cells.slice(columns.length).filter((cell) => cell !== null).length;
    if (extra > 0) {
      const message = `the row has ${String(file.cells.length)} cells, and the header ${String(columns.length)}`;
      draft.errors.push({ column: null, field: null, code: 'INVALID_VALUE', rule: 'csv', message });
    }
    for (const [index, column] of columns.entries()) {
      const target = plan.targets.get(column);
      if (target !== undefined) take(reader, draft, column, target, file.cells[index] ?? null);
    }
    return draft;
  }
  const [record] = file.cells as readonly [Readonly<Record<string, unknown>>];
  for (const [column, target] of plan.targets) {
    if (Object.hasOwn(record, column)) take(reader, draft, column, target, record[column]);
  }
  return draft;
}

function take({ plan, isCsv }: RowReader, draft: DraftRow, column: string, target: Target, cell: unknown): void {
  const { options } = plan;
  const isEmpty = cell === null || (typeof cell === 'string' && cell !== '' && options.trim && cell.trim() === '');
  if (isEmpty) {
    // A null of JSON was written on purpose.
    if (options.empty === 'null' || !isCsv) draft.body[target.field.name] = null;
    return;
  }
  const field = target.by?.field ?? target.field;
  const given = typeof cell === 'string' && cell !== '' ? valueOfCell(field, cell, options) : cell;
  if (target.by === undefined) draft.body[target.field.name] = given;
  else look(draft, column, { by: target.by, field: target.field }, given);
}

function look(draft: DraftRow, column: string, { by, field }: Pick<Lookup, 'by' | 'field'>, given: unknown): void {
  const coerced = coerceValue({ ...by.field, definition: { ...by.field.definition, required: false } }, given);
  if (coerced.ok) draft.lookups.push({ column, by, field, value: coerced.value, text: String(given).slice(0, MAX_SHOWN) });
  else draft.errors.push({ column, field: field.name, code: 'VALIDATION_FAILED', rule: coerced.rule, message: coerced.message });
}

/** What a write refused, said of the row's columns. */
export function rowErrors({ columnOf }: RowReader, error: AppError): RowError[] {
  const details: readonly ErrorDetail[] = error.details.length > 0 ? error.details : [{ message: error.message }];
  return details.slice(0, MAX_ERRORS).map(({ field, rule, message }) => ({
    column: field === undefined ? null : (columnOf.get(field) ?? null),
    field: field ?? null,
    code: error.code,
    rule: rule ?? null,
    message,
  }));
}

/** Whether it is the row that is wrong, and not everything around it. */
export const isOfRow = (error: unknown): error is AppError => isAppError(error) && error.status < 500 && error.code !== 'RATE_LIMITED';
