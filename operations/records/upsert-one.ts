/**
 * Insert or update by a unique value. The record is looked for among the live ones; a create that loses the race for the value is
 * taken back to its savepoint and becomes an update. A record the caller may not see stays a conflict, as it is for a create.
 */
import pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { AppError, type ErrorDetail } from '../../core/errors.ts';
import { coerceValue } from '../../core/model/field-types.ts';
import type { EntityModel, FieldModel } from '../../core/model/model.ts';
import { COLUMN_TYPES, recordIdText } from '../../core/sql/columns.ts';
import { and, id, sql, value, type Sql } from '../../core/sql/sql.ts';
import { isEmpty } from '../../core/rules/field-rule.ts';
import { forbidden, readableField, readBody, requiredError } from './body.ts';
import { isLive } from './record-key.ts';
import { invalid } from './write-result.ts';
import { accessOf, prepared, type Write, type WrittenRecord } from './write-state.ts';

export interface UpsertStep {
  readonly body: Readonly<Record<string, unknown>>;
  /** The fields that name the record. */
  readonly on: readonly FieldModel[];
  readonly ifMatch?: string | undefined;
}

export interface Upserted extends WrittenRecord {
  readonly isCreated: boolean;
}

const MAX_TRIES = 4;

/** The unique fields `on` names: the key, a unique field, or all fields of a compound uniqueness. */
export function upsertFields(
  write: Pick<Write, 'ctx' | 'authority'>,
  entity: EntityModel,
  on: unknown,
  path: string,
): readonly FieldModel[] {
  const names: readonly unknown[] = on === undefined ? entity.key.map((field) => field.name) : Array.isArray(on) ? on : [on];
  const sets = uniquesOf(entity).filter((fields) => fields.every((name) => readableField(write, entity, name) !== undefined));
  const wanted = new Set(names);
  const found = sets.find((fields) => fields.length === names.length && fields.every((name) => wanted.has(name)));
  if (found !== undefined) return found.flatMap((name) => entity.fields.get(name) ?? []);
  throw new AppError('VALIDATION_FAILED', `"on" must name a unique field, or a compound uniqueness, of ${entity.name}.`, {
    details: [
      { field: 'on', rule: 'unique', path, message: `on must be one of ${sets.map((fields) => fields.join('+')).join(', ') || 'none'}` },
    ],
  });
}

/** What no two live records have alike: the key, unique fields, compound uniquenesses; by the names of their fields. */
export function uniquesOf(entity: EntityModel): (readonly string[])[] {
  return [
    entity.key.map((field) => field.name),
    ...[...entity.fields.values()].filter((field) => field.unique).map((field) => [field.name]),
    ...entity.definition.unique.map((names) => names.map((name) => fieldName(entity, name))),
    ...entity.definition.indexes.filter((index) => index.unique).map((index) => index.fields.map((name) => fieldName(entity, name))),
  ];
}

const fieldName = (entity: EntityModel, name: string): string => (entity.fields.has(name) ? name : `${name}_id`);

/** Call it inside a transaction. */
export async function upsertOne(write: Write, entity: EntityModel, step: UpsertStep): Promise<Upserted> {
  if (!accessOf(write, entity, 'create').isGranted && !accessOf(write, entity, 'update').isGranted) throw forbidden(entity, 'create');
  const condition = conditionOf(entity, step);
  for (let attempt = 1; ; attempt++) {
    const found = await findVisible(write, entity, step.on, condition);
    if (found !== undefined) return { ...(await update(write, entity, step, found)), isCreated: false };
    if (step.ifMatch !== undefined) {
      throw new AppError('PRECONDITION_FAILED', `There is no ${entity.name} to have that version.`, {
        details: [{ rule: 'if_match', message: 'there is no such record', version: null }],
      });
    }
    await run(write.db, sql`savepoint upsert`);
    try {
      const draft = readBody({ write, entity, action: 'create', body: step.body });
      const created = await write.steps.create(write, entity, { draft, isTop: true });
      await run(write.db, sql`release savepoint upsert`);
      return { ...created, isCreated: true };
    } catch (error) {
      if (!isUniqueClash(error)) throw error;
      await run(write.db, sql`rollback to savepoint upsert`);
      // Somebody else's record of this very moment can be seen now; any other clash stays one.
      if (attempt >= MAX_TRIES || (await findVisible(write, entity, step.on, condition)) === undefined) throw error;
    }
  }
}

function update(write: Write, entity: EntityModel, step: UpsertStep, recordId: string): Promise<WrittenRecord> {
  const draft = readBody({ write, entity, action: 'update', body: step.body });
  return write.steps.update(write, entity, {
    recordId,
    draft,
    isTop: true,
    ...(step.ifMatch === undefined ? {} : { ifMatch: step.ifMatch }),
  });
}

const isUniqueClash = (error: unknown): boolean => {
  const cause = error instanceof pg.DatabaseError ? error : (error as { cause?: unknown }).cause;
  return cause instanceof pg.DatabaseError && cause.code === '23505';
};

function conditionOf(entity: EntityModel, { body, on }: UpsertStep): Sql {
  const errors: ErrorDetail[] = [];
  const parts: Sql[] = [];
  for (const field of on) {
    const given = body[field.name];
    const coerced = coerceValue(field, given);
    if (isEmpty(given)) errors.push({ ...requiredError(field), message: `${field.name} is required to find the record` });
    else if (!coerced.ok) errors.push({ field: field.name, rule: coerced.rule, message: coerced.message });
    else parts.push(sql`${id('t', field.column)} = ${value(coerced.value, COLUMN_TYPES[field.type])}`);
  }
  if (errors.length > 0) throw invalid(entity, errors);
  const live = isLive(entity, 't');
  return and(live === undefined ? parts : [...parts, live]);
}

/** Only a record whose naming fields the caller may read in this very row; any other is as hidden as it is to a create. */
async function findVisible(write: Write, entity: EntityModel, on: readonly FieldModel[], condition: Sql): Promise<string | undefined> {
  const read = accessOf(write, entity, 'read');
  const scope = read.where('t');
  const fields = on.flatMap((field) => read.field(field.name).when?.('t') ?? []);
  const conditions = [condition, ...(scope === undefined ? [] : [sql`coalesce(${scope}, false)`]), ...fields];
  const rows = await run<{ id: string }>(
    write.db,
    sql`select ${recordIdText(entity, 't')} as id from ${id(write.ctx.app.storage, entity.rows)} "t"
    where ${and(conditions)}`,
    prepared(write),
  );
  return rows[0]?.id;
}
