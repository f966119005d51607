/** Related records for rules and computed fields: what `related.<name>` holds. Read without the caller's policy: a rule needs the truth. */
import { checkFilter } from '../../core/filter/check.ts';
import { filterSql } from '../../core/filter/compile.ts';
import type { ReadScope } from '../../core/filter/scope.ts';
import type { EntityModel, RelationEnd } from '../../core/model/model.ts';
import { FULL_ACCESS } from '../../core/policy/access.ts';
import type { PlainRecord } from '../../core/rules/field-rule.ts';
import type { RelatedLoads } from '../../core/rules/plan.ts';
import { COLUMN_TYPES, recordJson } from '../../core/sql/columns.ts';
import { and, id, join, literal, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import { runText, type Db } from '../../adapters/postgres/run.ts';
import type { AppContext } from '../context.ts';
import { isLive } from '../records/record-key.ts';

/** More than these are not loaded; a rule over so many belongs into a view. */
const MAX_RELATED_ROWS = 10_000;

/** All loads in one statement: `{items: [...], customer: {...} | null}`. */
export async function loadRelated(
  db: Db,
  ctx: AppContext,
  entity: EntityModel,
  record: PlainRecord,
  loads: RelatedLoads,
): Promise<PlainRecord> {
  const parts: Sql[] = [];
  for (const load of loads) {
    const end = entity.ends.get(load.relation);
    if (end === undefined) continue;
    parts.push(sql`${literal(load.relation)}::text, ${relatedRows(ctx, entity, end, record, load.filter)}`);
  }
  if (parts.length === 0) return {};
  const text = await runText(db, sql`select json_build_object(${join(parts)})::text`, { prepared: true, generation: ctx.app.generation });
  return JSON.parse(text ?? '{}') as PlainRecord;
}

function relatedRows(ctx: AppContext, entity: EntityModel, end: RelationEnd, record: PlainRecord, filter: PlainRecord): Sql {
  const { app } = ctx;
  const target = app.model.entities.get(end.target);
  const local = fieldOf(entity, end.localColumn);
  const key = local === undefined ? undefined : record[local.name];
  const none = end.cardinality === 'many' ? raw(`'[]'::json`) : raw('null::json');
  if (target === undefined || local === undefined || key === null || key === undefined) return none;
  const bound = value(key, COLUMN_TYPES[local.type]);
  const linked =
    end.join === undefined
      ? sql`${id('t0', end.targetColumn)} = ${bound}`
      : sql`${id('t0', end.targetColumn)} in (select ${id('_l', end.join.targetColumn)} from ${id(app.storage, end.join.table)} "_l" where ${id('_l', end.join.localColumn)} = ${bound})`;
  const live = isLive(target, 't0');
  const condition = and([linked, ...(live === undefined ? [] : [live]), ...filterParts(ctx, target, filter)]);
  const rows = sql`select t0.* from ${id(app.storage, target.rows)} "t0" where ${condition} order by ${join(target.key.map((field) => id('t0', field.column)))} limit ${raw(String(end.cardinality === 'one' ? 1 : MAX_RELATED_ROWS))}`;
  const json = recordJson(target, app.storage, 't0', app.model.settings);
  return end.cardinality === 'one'
    ? sql`(select ${json} from (${rows}) "t0")`
    : sql`(select coalesce(json_agg(${json}), '[]'::json) from (${rows}) "t0")`;
}

const fieldOf = (entity: EntityModel, column: string) => [...entity.fields.values()].find((field) => field.column === column);

/** `{"status.in": ["open"], "total.gt": 3}`: the same names and operators as the filters of a list. */
function filterParts(ctx: AppContext, target: EntityModel, filter: PlainRecord): Sql[] {
  const { app, actor, now } = ctx;
  const scope: ReadScope = { model: app.model, storage: app.storage, access: () => FULL_ACCESS, withDeleted: false, keepsSubplans: false };
  const bindings = { actor, now };
  return Object.entries(filter).map(([path, operand]) => {
    const leaf = { kind: 'leaf', path: path.split('.'), operator: undefined, operand: { kind: 'json', value: operand } } as const;
    return filterSql(scope, checkFilter(scope, target, leaf, bindings), 't0', bindings);
  });
}
