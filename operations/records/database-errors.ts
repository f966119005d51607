/**
 * The one place where constraints of the database become answers. What is not listed here stays as it is: the api layer needs
 * the SQLSTATE of everything that smells of a stale schema, also behind an answer made here (it is the `cause`).
 */
import pg from 'pg';
import { AppError, type ErrorDetail } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { accessOf, type Write } from './write-state.ts';

const UNIQUE = '23505';
const FOREIGN_KEY = '23503';
const NOT_NULL = '23502';

/** The answer to a violated constraint; any other error as it was. */
export function explainDatabaseError(error: unknown, write: Pick<Write, 'ctx' | 'authority'>): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  const entity = entityOfTable(error, write);
  switch (error.code) {
    case UNIQUE:
      return uniqueViolation(error, write, entity);
    case FOREIGN_KEY:
      return referenceViolation(error, write, entity);
    case NOT_NULL:
      return notNull(error, write, entity);
    default:
      return error;
  }
}

const entityOfTable = (error: pg.DatabaseError, { ctx }: Pick<Write, 'ctx'>): EntityModel | undefined =>
  error.schema === ctx.app.storage ? [...ctx.app.model.entities.values()].find((entity) => entity.table === error.table) : undefined;

/** The columns Postgres names in "Key (a, b)=(...) already exists." */
export function columnsOf(error: pg.DatabaseError): readonly string[] {
  const match = /^Key \((.*?)\)=\(/.exec(error.detail ?? '');
  return (match?.[1] ?? '')
    .split(', ')
    .map((column) => column.replaceAll('"', '').replace(/^lower\((.*)\)$/, '$1'))
    .filter((column) => column !== '');
}

/** The fields behind columns, hidden ones left out. */
function visibleFields(
  columns: readonly string[],
  entity: EntityModel | undefined,
  write: Pick<Write, 'ctx' | 'authority'>,
): readonly string[] {
  if (entity === undefined) return [];
  const [read, create] = [accessOf(write, entity, 'read'), accessOf(write, entity, 'create')];
  return columns.flatMap((column) => {
    const field = [...entity.fields.values()].find((candidate) => candidate.column === column);
    const isOpen = field !== undefined && (read.field(field.name).mode !== 'never' || create.field(field.name).mode !== 'never');
    return isOpen ? [field.name] : [];
  });
}

function uniqueViolation(error: pg.DatabaseError, write: Pick<Write, 'ctx' | 'authority'>, entity: EntityModel | undefined): AppError {
  const fields = visibleFields(columnsOf(error), entity, write);
  const [first] = fields;
  const what = entity?.name ?? 'record';
  if (first === undefined) return new AppError('CONFLICT', `Another ${what} has the same values already.`, { cause: error });
  const names = fields.map((name) => `"${name}"`).join(' and ');
  const detail: ErrorDetail = {
    field: first,
    rule: 'unique',
    message: `${fields.join(', ')} must be unique`,
    ...(fields.length > 1 ? { fields } : {}),
  };
  return new AppError('CONFLICT', `Another ${what} has the same ${names} already.`, { details: [detail], cause: error });
}

function referenceViolation(error: pg.DatabaseError, write: Pick<Write, 'ctx' | 'authority'>, entity: EntityModel | undefined): AppError {
  if (/still referenced/.test(error.detail ?? '')) {
    return new AppError('CONFLICT', 'Other records still refer to this one.', {
      cause: error,
      hint: 'Delete or change them first.',
      details: [{ rule: 'restrict', message: 'still referenced by other records' }],
    });
  }
  const fields = visibleFields(columnsOf(error), entity, write);
  return missingReferences(fields.length === 0 ? [] : fields, error);
}

/** References to records that do not exist. */
export function missingReferences(fields: readonly string[], cause?: unknown): AppError {
  const details = fields.map((field) => ({ field, rule: 'reference', message: `${field} refers to a record that does not exist` }));
  return new AppError('VALIDATION_FAILED', 'A reference leads to a record that does not exist.', {
    details,
    ...(cause === undefined ? {} : { cause }),
  });
}

function notNull(error: pg.DatabaseError, write: Pick<Write, 'ctx' | 'authority'>, entity: EntityModel | undefined): AppError {
  const fields = visibleFields(error.column === undefined ? [] : [error.column], entity, write);
  const details = fields.map((field) => ({ field, rule: 'required', message: `${field} is required` }));
  return new AppError('VALIDATION_FAILED', 'A required field is empty.', { details, cause: error });
}
