/** What one caller sees of the records of one entity, for many events at once: the policies and field rules of lists. */
import { run, sqlState } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { commentRights } from '../../core/comments.ts';
import { checkFilter, type CheckedFilter } from '../../core/filter/check.ts';
import { filterSql, visibleRows } from '../../core/filter/compile.ts';
import { ConditionReader } from '../../core/filter/conditions.ts';
import { checkKnown } from '../../core/filter/parse-lists.ts';
import { checkProjection, projectionColumns, rowJson } from '../../core/filter/projection.ts';
import { invalidValue, type Filter } from '../../core/filter/query.ts';
import { columnOf, type ReadScope } from '../../core/filter/scope.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { shapeOf } from '../../core/policy/shape.ts';
import { LIST_TYPES, recordIdText } from '../../core/sql/columns.ts';
import { and, id, or, render, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { named } from '../records/read-run.ts';
import { bindingsOf, readableEntity, readScope } from '../records/read-scope.ts';
import { keyCondition } from '../records/record-key.ts';
import type { PlainRecord } from '../records/write-state.ts';

/** What a stream or a page is asked for. */
export interface Wish {
  /** Undefined: every entity the caller may read. */
  readonly entities: readonly string[] | undefined;
  readonly filter: Filter | undefined;
  readonly includeRecord: boolean;
  readonly after: string | undefined;
  readonly limit: number;
}

const PARAMETERS = ['entities', 'filter', 'include_record', 'after', 'limit', 'ticket'] as const;
const MOST_ENTITIES = 50;
export const MOST_EVENTS = 500;

export function readWish(query: URLSearchParams): Wish {
  const conditions = new ConditionReader('filter');
  const given = new Map<string, string>();
  for (const [key, text] of query) {
    if (conditions.take(key, text)) continue;
    checkKnown(key, PARAMETERS);
    given.set(key, key === 'entities' && given.has(key) ? `${given.get(key) ?? ''},${text}` : text);
  }
  return {
    entities: readEntities(given.get('entities')),
    filter: conditions.result(),
    includeRecord: readFlag('include_record', given.get('include_record')),
    after: given.get('after') === '' ? undefined : given.get('after'),
    limit: readLimit(given.get('limit')),
  };
}

function readEntities(text: string | undefined): readonly string[] | undefined {
  const names = [...new Set((text ?? '').split(',').map((name) => name.trim()))].filter((name) => name !== '');
  if (names.length > MOST_ENTITIES) throw invalidValue('entities', `At most ${MOST_ENTITIES} entities can be named.`);
  return names.length === 0 ? undefined : names;
}

function readFlag(name: string, text: string | undefined): boolean {
  if (text === undefined || text === 'false' || text === '0') return false;
  if (text === 'true' || text === '1' || text === '') return true;
  throw invalidValue(name, `The parameter "${name}" must be true or false.`);
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return 100;
  if (!/^[1-9]\d{0,2}$/.test(text) || Number(text) > MOST_EVENTS)
    throw invalidValue('limit', `"limit" must be a whole number from 1 to ${MOST_EVENTS}.`);
  return Number(text);
}

/** One entity as one caller asked for it. */
export interface View {
  readonly entity: EntityModel;
  readonly filter: Filter | undefined;
  readonly includeRecord: boolean;
  /** Callers with equal texts are told the same: they are asked for once. */
  readonly key: string;
}

/** Checks what is asked for and who asks. Throws 400s and 403s. */
export function viewsOf(ctx: AppContext, wish: Wish): readonly View[] {
  if (ctx.app.beside !== undefined) {
    throw new AppError('UNSUPPORTED', 'Events are told in the shape that is served now.', {
      hint: `Ask without Schema-Version, or with ${String(ctx.app.beside.served.version)}.`,
    });
  }
  const scope = readScope(ctx);
  const open = (): EntityModel[] => [...ctx.app.model.entities.values()].filter((entity) => scope.access(entity).isGranted);
  const entities = wish.entities?.map((name) => readableEntity(ctx, scope, name)) ?? open();
  if (entities.length === 0) throw new AppError('FORBIDDEN', 'There are no records you may read.');
  return entities.map((entity) => ({
    entity,
    filter: wish.filter,
    includeRecord: wish.includeRecord,
    key: keyOf(ctx, scope, entity, wish),
  }));
}

/** A filter that goes over relations, or says `$user`, depends on the caller beyond the policy of the entity. */
function keyOf(ctx: AppContext, scope: ReadScope, entity: EntityModel, { filter, includeRecord }: Wish): string {
  const { actor } = ctx;
  const shape = shapeOf(scope.access(entity), entity);
  const checked = filter === undefined ? undefined : checkFilter(scope, entity, filter, bindingsOf(ctx));
  const isSame = checked === undefined || (isLocal(checked) && !JSON.stringify(filter).includes('$'));
  const caller = isSame ? [] : [actor.kind, actor.id, actor.email, actor.roles, actor.isAdmin, actor.scopes?.key];
  const { sees } = commentRights(entity.definition, actor.isAdmin, actor.roles);
  return JSON.stringify([entity.name, shape.key, shape.values, filter, includeRecord, sees, caller]);
}

function isLocal(filter: CheckedFilter): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.items.every(isLocal);
    case 'not':
      return isLocal(filter.item);
    case 'related':
      return false;
    case 'compare':
      return true;
  }
}

/** The caller's eyes at one moment. */
export interface Eyes {
  readonly ctx: AppContext;
  readonly view: View;
  readonly scope: ReadScope;
  readonly where: readonly Sql[];
  /** Deciding needs other tables than the record's own. */
  readonly looksElsewhere: boolean;
}

export function eyesOf(ctx: AppContext, view: View): Eyes {
  const scope = readScope(ctx);
  const bindings = bindingsOf(ctx);
  const { entity, filter } = view;
  const own = entity.hasSoftDelete ? visibleRows(scope, entity, 't').slice(1) : visibleRows(scope, entity, 't');
  if (filter !== undefined) own.push(filterSql(scope, checkFilter(scope, entity, filter, bindings), 't', bindings));
  // Whatever looks at another table is a subquery; a literal that holds the word costs an event of a deleted record, no more.
  return { ctx, view, scope, where: own, looksElsewhere: own.some((part) => /\bselect\b/i.test(render(part).text)) };
}

export interface Seen {
  /** The record's JSON by the caller's field rules; undefined when nobody needs it. */
  readonly text: string | undefined;
  /** The fields of it; undefined: all that are readable at all. */
  readonly fields: ReadonlySet<string> | undefined;
}

/** The records among `ids` that the caller sees now. */
export async function seenNow(eyes: Eyes, ids: readonly string[]): Promise<ReadonlyMap<string, Seen>> {
  const { ctx, scope, view } = eyes;
  const { entity } = view;
  const key = keysCondition(entity, ids);
  if (key === undefined) return new Map();
  const readable = [...entity.fields.keys()].flatMap((name) => columnOf(scope, entity, name) ?? []);
  const isFixed = readable.every(({ access }) => access.mode === 'always');
  const projection = checkProjection(scope, entity, { fields: readable.map(({ field }) => [field.name]), include: [] }, bindingsOf(ctx));
  const settings = ctx.app.model.settings;
  const json = sql`(select ${rowJson(projection, 'x')} from (select ${projectionColumns(scope, projection, 't', settings)}) "x")::text`;
  const data = view.includeRecord || !isFixed ? json : sql`null::text`;
  const rows = await ask<{ id: string; data: string | null }>(
    ctx,
    sql`
    select ${recordIdText(entity, 't')} as id, ${data} as data from ${id(ctx.app.storage, entity.rows)} "t"
    where ${and([key, ...visibleRows(scope, entity, 't').slice(0, entity.hasSoftDelete ? 1 : 0), ...eyes.where])}`,
  );
  return new Map(
    rows.map((row) => [
      row.id,
      {
        text: view.includeRecord ? (row.data ?? undefined) : undefined,
        fields: isFixed || row.data === null ? undefined : new Set(Object.keys(JSON.parse(row.data) as object)),
      },
    ]),
  );
}

/** The indexes of the records, as events have them, that the caller would see if they were stored so. */
export async function wouldSee({ ctx, view: { entity }, where }: Eyes, records: readonly PlainRecord[]): Promise<ReadonlySet<number>> {
  if (records.length === 0) return new Set();
  if (where.length === 0) return new Set(records.keys());
  const rows = records.map((record) => storedForm(entity, record));
  try {
    const found = await ask<{ n: string }>(
      ctx,
      sql`
      select e.n from jsonb_array_elements(${value(JSON.stringify(rows), 'jsonb')}) with ordinality e(j, n)
      cross join lateral jsonb_populate_record(null::${id(ctx.app.storage, entity.table)}, e.j) "t" where ${and(where)}`,
    );
    return new Set(found.map(({ n }) => Number(n) - 1));
  } catch (error) {
    // A value of before a conversion that the column of today does not take: nobody is told of it.
    if (sqlState(error)?.startsWith('22') === true) return new Set();
    throw error;
  }
}

/** By columns, as a row is stored. */
function storedForm(entity: EntityModel, record: PlainRecord): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, member]): [string, unknown][] => {
      const field = entity.fields.get(name);
      if (field === undefined) return [];
      return [[field.column, field.type === 'file' ? ((member as { id?: unknown } | null)?.id ?? null) : member]];
    }),
  );
}

function keysCondition(entity: EntityModel, ids: readonly string[]): Sql | undefined {
  const known = ids.flatMap((recordId) => {
    const condition = recordId.includes('\0') ? undefined : keyCondition(entity, 't', recordId);
    return condition === undefined ? [] : [{ recordId, condition }];
  });
  const [key, more] = entity.key;
  if (known.length === 0 || key === undefined) return undefined;
  if (more !== undefined) return or(known.map(({ condition }) => condition));
  return sql`${id('t', key.column)} = any(${value(
    known.map(({ recordId }) => recordId),
    LIST_TYPES[key.type],
  )})`;
}

async function ask<Row extends Record<string, unknown>>(ctx: AppContext, statement: Sql): Promise<Row[]> {
  try {
    return await run<Row>(ctx.services.pool, statement, { prepared: true, generation: ctx.app.generation });
  } catch (error) {
    throw named(error);
  }
}
