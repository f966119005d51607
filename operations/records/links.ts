/** Links of a many-to-many, given by the keys of existing records. Join rows have no events: the record they hang on has. */
import type { ErrorDetail } from '../../core/errors.ts';
import { coerceValue } from '../../core/model/field-types.ts';
import type { EntityModel, FieldModel, RelationEnd } from '../../core/model/model.ts';
import { COLUMN_TYPES, LIST_TYPES } from '../../core/sql/columns.ts';
import { and, id, join, sql, value, type Sql } from '../../core/sql/sql.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { uuidv7 } from '../../adapters/ids.ts';
import { within } from './body.ts';
import type { NestedPart, NestedRow } from './draft.ts';
import { visibility } from './dependents.ts';
import { isLive } from './record-key.ts';
import { accessOf, prepared, type PlainRecord, type Write } from './write-state.ts';

interface LinkSet {
  readonly write: Write;
  readonly end: RelationEnd;
  readonly join: NonNullable<RelationEnd['join']>;
  readonly target: EntityModel;
  /** The target's field that links hold, and this record's value of its own. */
  readonly key: FieldModel;
  readonly local: Sql;
}

type LinkRow = Extract<NestedRow, { kind: 'link' | 'unlink' }>;

/** Answers whether any link was made or removed. */
export async function writeLinks(
  write: Write,
  entity: EntityModel,
  record: PlainRecord,
  part: NestedPart,
  failures: ErrorDetail[],
): Promise<boolean> {
  const target = write.ctx.app.model.entities.get(part.end.target);
  const local = entity.fields.get(part.end.localField);
  const key = target === undefined ? undefined : target.fields.get(part.end.targetField);
  if (target === undefined || local === undefined || key === undefined || part.end.join === undefined) return false;
  const set: LinkSet = {
    write,
    end: part.end,
    join: part.end.join,
    target,
    key,
    local: value(record[local.name], COLUMN_TYPES[local.type]),
  };
  const rows = part.rows.filter((row): row is LinkRow => row.kind === 'link' || row.kind === 'unlink');
  const wanted = await known(
    set,
    part,
    rows.filter((row) => row.kind === 'link'),
    failures,
  );
  const unwanted = keysOf(
    set,
    rows.filter((row) => row.kind === 'unlink'),
  ).map(({ bound }) => bound);
  if (failures.length > 0) return false;
  const removed =
    part.mode === 'replace' ? await unlink(set, wanted, 'others') : unwanted.length > 0 ? await unlink(set, unwanted, 'these') : 0;
  const added = wanted.length > 0 ? await link(set, wanted) : 0;
  return removed + added > 0;
}

function keysOf({ key }: LinkSet, rows: readonly LinkRow[]): { row: LinkRow; bound: unknown }[] {
  return rows.flatMap((row) => {
    const coerced = coerceValue(key, key.type === 'int' ? Number(row.key) : row.key);
    return coerced.ok && coerced.value !== null ? [{ row, bound: coerced.value }] : [];
  });
}

/** The keys of records that exist, are live and may be read; they stay until this transaction ends. Others are mistakes. */
async function known(set: LinkSet, part: NestedPart, rows: readonly LinkRow[], failures: ErrorDetail[]): Promise<unknown[]> {
  if (rows.length === 0) return [];
  const { write, target, key } = set;
  const keys = keysOf(set, rows);
  const read = accessOf(write, target, 'read');
  const live = isLive(target, 't');
  const scope = read.where('t');
  const conditions = [
    sql`${id('t', key.column)} = any(${value(
      keys.map(({ bound }) => bound),
      LIST_TYPES[key.type],
    )})`,
    ...(live === undefined ? [] : [live]),
    ...(scope === undefined ? [] : [scope]),
  ];
  const found = read.isGranted
    ? await run<{ key: string }>(
        write.db,
        sql`select ${id('t', key.column)}::text as key from ${id(write.ctx.app.storage, target.rows)} "t" where ${and(conditions)} order by 1 for key share`,
        prepared(write),
      )
    : [];
  const existing = new Set(found.map((row) => row.key));
  for (const row of rows) {
    const bound = keys.find((candidate) => candidate.row === row)?.bound;
    if (bound !== undefined && existing.has(String(bound))) continue;
    failures.push(
      within(part.name, row.index, { field: key.name, rule: 'unknown', message: `there is no ${target.name} "${row.key.slice(0, 100)}"` }),
    );
  }
  return [...new Map(keys.map(({ bound }) => [String(bound), bound])).values()].filter((bound) => existing.has(String(bound)));
}

/** Links to records the caller may not read stay: removing them would tell that they were there. */
async function unlink(set: LinkSet, keys: readonly unknown[], which: 'these' | 'others'): Promise<number> {
  const { write, join: table, key, local, target } = set;
  const visible = visibility(accessOf(write, target, 'read'), key.name);
  const isVisible =
    visible === undefined
      ? sql``
      : sql` and exists (select 1 from ${id(write.ctx.app.storage, target.rows)} "t" where ${id('t', key.column)} = ${id('l', table.targetColumn)} and ${visible})`;
  const listed = sql`${id('l', table.targetColumn)} = any(${value(keys, LIST_TYPES[key.type])})`;
  return execute(
    write.db,
    sql`delete from ${id(write.ctx.app.storage, table.table)} "l"
    where ${id('l', table.localColumn)} = ${local} and ${which === 'these' ? listed : sql`not ${listed}`}${isVisible}`,
    prepared(write),
  );
}

/** Links that exist already are left alone, also when somebody else makes them at the same moment. */
async function link(set: LinkSet, keys: readonly unknown[]): Promise<number> {
  const { write, join: table, key, local } = set;
  const storage = write.ctx.app.storage;
  const made = generatedKey(set);
  const columns = [id(table.localColumn), id(table.targetColumn), ...(made === undefined ? [] : [id(made.column)])];
  const ids =
    made === undefined
      ? undefined
      : value(
          keys.map(() => uuidv7()),
          'uuid[]',
        );
  const source =
    ids === undefined
      ? sql`unnest(${value(keys, LIST_TYPES[key.type])}) as "k" (key)`
      : sql`unnest(${value(keys, LIST_TYPES[key.type])}, ${ids}) as "k" (key, made)`;
  const selected = [local, id('k', 'key'), ...(made === undefined ? [] : [id('k', 'made')])];
  return execute(
    write.db,
    sql`insert into ${id(storage, table.table)} (${join(columns)}) select ${join(selected)} from ${source}
    where not exists (select 1 from ${id(storage, table.table)} "l" where ${id('l', table.localColumn)} = ${local} and ${id('l', table.targetColumn)} = ${id('k', 'key')})
    on conflict do nothing`,
    prepared(write),
  );
}

/** A join table that the document also declares as an entity has a key of its own to fill. */
function generatedKey({ write, join: table }: LinkSet): FieldModel | undefined {
  const entity = [...write.ctx.app.model.entities.values()].find((candidate) => candidate.table === table.table);
  return entity?.isKeyGenerated === true ? entity.key.find((field) => field.type === 'uuid') : undefined;
}
