/**
 * Many new rows of one shape in one statement. Only where nothing has to be asked or done per row in between: rules that need no
 * database, no actions, no nested rows, no synchronous webhooks, no slug to make up, and keys that are known beforehand.
 */
import { AppError, isAppError } from '../../core/errors.ts';
import type { EntityModel, FieldModel } from '../../core/model/model.ts';
import { DELETED_COLUMN, VERSION_COLUMN } from '../../core/model/model.ts';
import { COLUMN_TYPES } from '../../core/sql/columns.ts';
import { and, empty, id, join, literal, raw, render, sql, type Sql, type SqlType } from '../../core/sql/sql.ts';
import { run } from '../../adapters/postgres/run.ts';
import { applyFunctions } from '../functions/in-write.ts';
import { runChain } from '../rules/chain.ts';
import { hasSyncWebhooks } from '../webhooks/call-sync.ts';
import { forbidden, hasNested, readBody } from './body.ts';
import { assignments, missingComputed, refuseForbidden } from './create-one.ts';
import { initialValues, plainRecord } from './initial-values.ts';
import type { Failure, Operation, Outcome } from './operation.ts';
import {
  as,
  createdEvent,
  failing,
  idText,
  isHolding,
  jsonText,
  judging,
  namesArray,
  readableJson,
  Shape,
  tableOf,
  type Assignment,
  type Frame,
  type StatementOptions,
  type StatementResult,
} from './statements.ts';
import { checkWritten, refuseInvalid, writtenRecord } from './write-result.ts';
import { accessOf, prepared, rulesOf, statementOptions, type Write } from './write-state.ts';

/** True when rows of this entity can be inserted together. */
export function canInsertMany(write: Write, entity: EntityModel): boolean {
  const plan = rulesOf(write.ctx, entity);
  const hasActions = plan.machines.some((machine) =>
    machine.definition.definition.transitions.some((transition) => transition.actions.some((action) => action.type === 'create_record')),
  );
  const isKeyMade = [...entity.fields.values()].every(({ isGenerated, type }) => !isGenerated || type === 'uuid' || type === 'string');
  return (
    isKeyMade &&
    !plan.needsDatabase &&
    plan.afterWrite.length === 0 &&
    !hasActions &&
    !hasSyncWebhooks(entity, 'create') &&
    (entity.slugField === undefined || entity.definition.slug?.source === undefined)
  );
}

/**
 * The references whose check may see what earlier rows of the same request wrote: those of an entity to itself, and those to
 * records that the caller may read for the sake of this entity's rows. One statement would look at all of them as of its start.
 */
export const lookingBack = (write: Write, entity: EntityModel): readonly FieldModel[] =>
  [...entity.fields.values()].filter(({ references }) => {
    const { storage, model } = write.ctx.app;
    const target = references === undefined ? undefined : model.entities.get(references);
    if (target === undefined) return false;
    const scope = accessOf(write, target, 'read').where('_p');
    if (target === entity) return target.hasSoftDelete || scope !== undefined;
    return scope !== undefined && render(scope).text.includes(render(id(storage, entity.rows)).text);
  });

/** True when this operation can be one row of such a statement: it gives none of the references that look back. */
export const isPlainCreate = ({ kind, entity, body, ref, needs }: Operation, back: readonly FieldModel[]): boolean =>
  kind === 'create' &&
  ref === undefined &&
  needs.length === 0 &&
  !hasNested(entity, body) &&
  !Object.entries(body).some(([key, given]) => (given ?? null) !== null && back.some((field) => field === referenceOf(entity, key)));

/** A reference goes by its field's name or by that of the relation. */
function referenceOf(entity: EntityModel, key: string): FieldModel | undefined {
  const end = entity.ends.get(key);
  return entity.fields.get(key) ?? (end?.direction === 'forward' ? entity.fields.get(end.localField) : undefined);
}

interface Judged {
  readonly operation: Operation;
  readonly assigned: readonly Assignment[];
}

export interface ManyResult {
  readonly outcomes: Map<Operation, Outcome>;
  readonly failures: Failure[];
}

/** Judges all rows, then writes those of equal shape together: also when a row was found wrong, so that clashes of others are named. */
export async function insertMany(write: Write, entity: EntityModel, operations: readonly Operation[]): Promise<ManyResult> {
  const result: ManyResult = { outcomes: new Map(), failures: [] };
  const shapes = new Map<string, Judged[]>();
  for (const operation of operations) {
    try {
      const judged = { operation, assigned: await judge(write, entity, operation) };
      const shape = judged.assigned.map(({ field, byEngine }) => `${field.name}${byEngine === true ? '*' : ''}`).join();
      const same = shapes.get(shape);
      if (same === undefined) shapes.set(shape, [judged]);
      else same.push(judged);
    } catch (error) {
      if (!isAppError(error)) throw error;
      result.failures.push({ operation, error });
    }
  }
  for (const rows of shapes.values()) await insertShape(write, entity, rows, result);
  return result;
}

async function judge(write: Write, entity: EntityModel, { body }: Operation): Promise<Assignment[]> {
  const access = accessOf(write, entity, 'create');
  if (!access.isGranted) throw forbidden(entity, 'create');
  const draft = readBody({ write, entity, action: 'create', body });
  const { values, errors: fillErrors } = initialValues(write, draft, access, undefined);
  const record = plainRecord(entity, values);
  const made = await applyFunctions(write, entity, 'create', { record, old: null, values, bad: draft.bad });
  const errors = [...draft.errors, ...fillErrors, ...made];
  const plan = rulesOf(write.ctx, entity);
  const chain = await runChain({ ctx: write.ctx, db: write.db, entity, plan, action: 'create', record, old: null, bad: draft.bad }, errors);
  refuseInvalid(draft, [...errors, ...chain.errors, ...missingComputed(entity, chain, record, errors)], true);
  refuseForbidden(chain);
  return assignments(draft, values, chain, record);
}

async function insertShape(write: Write, entity: EntityModel, rows: readonly Judged[], result: ManyResult): Promise<void> {
  const options = statementOptions(write, entity, 'create', { record: false });
  const statement = insertManyStatement(
    options,
    rows.map((row) => row.assigned),
  );
  const written = await run<StatementResult & { nth: number } & Record<string, unknown>>(write.db, statement, prepared(write));
  if (written.length !== rows.length) throw new AppError('INTERNAL_ERROR', 'The records were not written.');
  for (const row of written) {
    const operation = rows[row.nth - 1]?.operation;
    if (operation === undefined) continue;
    try {
      checkWritten(row, entity, 'create');
      result.outcomes.set(operation, { ...writtenRecord(row), isCreated: true });
    } catch (error) {
      if (!isAppError(error)) throw error;
      result.failures.push({ operation, error });
    }
  }
}

// --- the statement ---------------------------------------------------------------------------------------------------

/** The values travel as one array per column, so that any number of rows is the same text. Answers a row for each, in no order. */
function insertManyStatement(options: StatementOptions, rows: readonly (readonly Assignment[])[]): Sql {
  const [first = []] = rows;
  const shape = new Shape('insert-many', options);
  shape.also(first.map(({ field, byEngine }) => `${field.name}${byEngine === true ? '!' : ''}`).join(' '));
  for (const { field, byEngine } of first) if (byEngine !== true) shape.refer(field);
  const columns = first.map(({ field, byEngine }, index) => ({
    field,
    byEngine: byEngine === true,
    values: shape.place(
      rows.map((row) => row[index]?.value ?? null),
      `${COLUMN_TYPES[field.type]}[]` as SqlType,
    ),
  }));
  return shape.statement((frame) => insertManySql(frame, columns));
}

interface ManyColumn {
  readonly field: FieldModel;
  readonly byEngine: boolean;
  readonly values: Sql;
}

function insertManySql(frame: Frame, columns: readonly ManyColumn[]): Sql {
  const { access, entity } = frame;
  const names = columns.map(({ field }) => id(field.column));
  const clients = columns.flatMap(({ field, byEngine }) => (byEngine ? [] : [field]));
  const references = referencesOf(frame, columns);
  const policy = access.where('c');
  const passed = policy === undefined ? undefined : isHolding(policy);
  const refused = failing(clients, access, 'c');
  const absent = missing(references);
  const { judged, gates, answers: verdicts } = judging({ passed, refused, absent });
  const answers = [
    raw('"j"."_nth"::integer as nth'),
    sql`${idText(frame, 'i')} as id`,
    sql`${id('i', VERSION_COLUMN)}::text as version`,
    sql`${jsonText(readableJson(frame, 'i'))} as text`,
    ...as(failing(entity.fields.values(), frame.read, 'i'), 'hidden'),
    ...verdicts,
  ];
  const key = and(entity.key.map((field) => sql`${id('i', field.column)} = ${id('j', field.column)}`));
  return sql`with "_candidate" as (select ${candidate(entity, columns)}, "_nth"
      from unnest(${join(columns.map(({ values }) => values))}) with ordinality as "v"(${join([...names, raw('"_nth"')])}))${join(
        references.map(({ name, query }) => sql`, ${id(name)} as ${query}`),
        '',
      )},
  "_judged" as (select ${judged} from "_candidate" "c"),
  "i" as (insert into ${tableOf(frame)} (${join([...names, id(VERSION_COLUMN)])})
    select ${join([...columns.map(({ field }) => id('j', field.column)), raw('1')])} from "_judged" "j"
    ${gates.length === 0 ? empty : sql`where ${and(gates)}`} order by "j"."_nth" returning *)${createdEvent(frame, 'i')}
  select ${join(answers)} from "_judged" "j" left join "i" on ${key}`;
}

/** Rows with every column of the entity, so that a policy can be asked about them before they exist. */
function candidate(entity: EntityModel, given: readonly ManyColumn[]): Sql {
  const known = new Set(given.map(({ field }) => field.column));
  const columns = [...entity.fields.values()].map((field) =>
    known.has(field.column) ? id('v', field.column) : sql`${raw(`null::${COLUMN_TYPES[field.type]}`)} as ${id(field.column)}`,
  );
  columns.push(sql`1::bigint as ${id(VERSION_COLUMN)}`);
  if (entity.hasSoftDelete && !entity.fields.has(DELETED_COLUMN)) columns.push(sql`null::timestamptz as ${id(DELETED_COLUMN)}`);
  return join(columns);
}

interface ReferenceCheck {
  readonly name: string;
  readonly field: FieldModel;
  readonly query: Sql;
}

/** Parents that may vanish softly or are not all readable, and files, are locked and looked at; for all else the foreign key watches. */
function referencesOf({ app, entity, targets }: Frame, columns: readonly ManyColumn[]): ReferenceCheck[] {
  return columns.flatMap(({ field, byEngine }, index) => {
    const name = `_p${String(index)}`;
    const wanted = sql`(select ${id('c', field.column)} from "_candidate" "c")`;
    if (field.type === 'file') {
      return [{ name, field, query: sql`(select id as "_key" from ${id(app.storage, '_files')} where id in ${wanted} for key share)` }];
    }
    const target = field.references === undefined ? undefined : app.model.entities.get(field.references);
    const scope = target === undefined || byEngine ? undefined : targets.get(target)?.where('_p');
    if (target === undefined || (!target.hasSoftDelete && scope === undefined)) return [];
    const end = entity.relations.find((one) => one.direction === 'forward' && one.localColumn === field.column);
    const key = id('_p', end?.targetColumn ?? target.key[0]?.column ?? 'id');
    const live = target.hasSoftDelete ? [sql`${id('_p', DELETED_COLUMN)} is null`] : [];
    const parents = sql`select ${key} as "_key" from ${id(app.storage, target.rows)} "_p"
      where ${and([sql`${key} in ${wanted}`, ...live, ...(scope === undefined ? [] : [scope])])} order by 1 for key share`;
    return [{ name, field, query: sql`(${parents})` }];
  });
}

function missing(references: readonly ReferenceCheck[]): Sql | undefined {
  return namesArray(
    references.map(({ name, field }) => {
      const given = id('c', field.column);
      const isThere = sql`${given} is null or exists (select 1 from ${id(name)} where "_key" = ${given})`;
      return sql`case when ${isThere} then null else ${literal(field.name)} end`;
    }),
  );
}
