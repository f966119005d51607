/** `POST /:entity/_bulk`: many records of one entity, created, changed, upserted and deleted in one request. */
import { AppError, type ErrorDetail } from '../../core/errors.ts';
import { isObject } from '../../core/is-object.ts';
import { entityOf, type EntityModel } from '../../core/model/model.ts';
import type { AppContext } from '../context.ts';
import { readMembers, unknownMembers } from '../payload.ts';
import { MAX_OPERATIONS, runOperations, type ManyOptions } from './many.ts';
import type { Operation, OperationKind, Settled } from './operation.ts';
import { upsertFields } from './upsert-one.ts';

type Body = Readonly<Record<string, unknown>>;

const PARTS = ['create', 'update', 'upsert', 'delete'] as const;

/** Parts are done in this order, whatever their order in the body: create, update, upsert, delete. */
export async function bulkRecords(ctx: AppContext, entityName: string, body: Body, options: ManyOptions): Promise<readonly Settled[]> {
  const entity = entityOf(ctx.app.model, entityName);
  const parts = readMembers(body, '_bulk', PARTS);
  const rows = PARTS.flatMap((part) => rowsOf(ctx, entity, part, parts[part]));
  if (rows.length > MAX_OPERATIONS) throw tooMany(rows.length);
  return runOperations(ctx, rows, options);
}

export const tooMany = (count: number): AppError =>
  new AppError('TOO_LARGE', `One request may write at most ${String(MAX_OPERATIONS)} records, not ${String(count)}.`, {
    hint: 'Send them in several requests.',
  });

export const malformed = (path: string, message: string, rule = 'type'): AppError => {
  const detail: ErrorDetail = { field: path, path, rule, message };
  return new AppError('INVALID_PAYLOAD', `${message}.`, { details: [detail] });
};

function rowsOf(ctx: AppContext, entity: EntityModel, part: (typeof PARTS)[number], given: unknown): Operation[] {
  if (given === undefined) return [];
  if (part === 'upsert') return upsertsOf(ctx, entity, given);
  if (!Array.isArray(given)) throw malformed(part, `${part} must be a list`);
  if (given.length > MAX_OPERATIONS) throw tooMany(given.length);
  return given.map((row: unknown, index) => {
    const path = `${part}[${String(index)}]`;
    if (part === 'delete' && !isObject(row)) return operation(entity, 'delete', path, index, {}, row);
    if (!isObject(row)) throw malformed(path, `${path} must be an object`);
    if (part === 'create') return operation(entity, 'create', path, index, row, undefined);
    return keyedRow(entity, part, path, index, row);
  });
}

const operation = (entity: EntityModel, kind: OperationKind, path: string, index: number, body: Body, id: unknown): Operation => ({
  kind,
  entity,
  path,
  bodyPath: path,
  index,
  body,
  id,
  needs: [],
});

/** A row that names its record by its key, or by `id`, and may say which version it must have. */
function keyedRow(entity: EntityModel, part: 'update' | 'delete', path: string, index: number, row: Body): Operation {
  const { _version: version, if_match: ifMatch, ...rest } = row;
  const names = entity.key.map((field) => field.name);
  const given = names.map((name) => rest[name]);
  const isNamed = given.every((one) => one !== undefined);
  const wrong = given.find((one) => typeof one === 'object');
  const id = !isNamed ? rest['id'] : given.length === 1 ? given[0] : (wrong ?? given.join(','));
  const keys = new Set(isNamed || entity.fields.has('id') ? names : [...names, 'id']);
  const body = Object.fromEntries(Object.entries(rest).filter(([name]) => !keys.has(name)));
  const [extra] = part === 'delete' ? Object.keys(body) : [];
  if (extra !== undefined) throw unknownMembers(`A row of "delete"`, [extra], [...keys, '_version', 'if_match'], path);
  return { ...operation(entity, part, path, index, body, id), ifMatch: preconditionOf(path, version ?? ifMatch) };
}

/** `3`, `"3"` and an ETag as it was answered all mean version 3. */
export function preconditionOf(path: string, given: unknown): string | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'string' || typeof given === 'number') return String(given);
  throw malformed(`${path}.if_match`, `${path}.if_match must be the version or ETag of the record`);
}

function upsertsOf(ctx: AppContext, entity: EntityModel, given: unknown): Operation[] {
  if (!isObject(given) || !Array.isArray(given['rows'])) throw malformed('upsert', 'upsert must be {"on": field, "rows": [...]}');
  const unknown = Object.keys(given).filter((key) => key !== 'on' && key !== 'rows');
  if (unknown.length > 0) throw unknownMembers('"upsert"', unknown, ['on', 'rows'], 'upsert');
  const on = upsertFields({ ctx, authority: ctx.actor }, entity, given['on'], 'upsert.on');
  const rows: unknown[] = given['rows'];
  if (rows.length > MAX_OPERATIONS) throw tooMany(rows.length);
  return rows.map((row, index) => {
    const path = `upsert.rows[${String(index)}]`;
    if (!isObject(row)) throw malformed(path, `${path} must be an object`);
    const { _version: version, if_match: ifMatch, ...body } = row;
    return { ...operation(entity, 'upsert', path, index, body, undefined), on, ifMatch: preconditionOf(path, version ?? ifMatch) };
  });
}
