/**
 * The steps of another key. Before the switch a full unique index is built under the name that the key will have; when the older shape
 * is served no more the constraint goes over to it, with every foreign key that rests on an index which goes. See ADR 32.
 */
import { id, literal, sql, type Sql } from '../../sql/sql.ts';
import { DELETED_COLUMN } from '../../model/model.ts';
import { derivedName } from '../names.ts';
import { addIndex } from '../ops/add-index.ts';
import { dropIndex } from '../ops/drop-index.ts';
import { hasNoNulls } from '../ops/not-null.ts';
import type { ForeignKeyShape, IndexShape, Shape, TableShape } from '../shape.ts';
import { columnIsRequired, constraintExists, LOCKS, type Check, type Step } from '../step.ts';

export interface KeyChange {
  readonly storage: string;
  readonly before: TableShape;
  readonly after: TableShape;
  /** After the change, those that refer to the table. */
  readonly foreignKeys: readonly ForeignKeyShape[];
}

export const keyChangeOf = (storage: string, before: TableShape, after: TableShape, shape: Shape): KeyChange => ({
  storage,
  before,
  after,
  foreignKeys: [...shape.foreignKeys.values()].filter(({ targetTable }) => targetTable === after.table),
});

const keyName = ({ table, key }: TableShape): string => derivedName(table, key, 'pkey');

const keyIndex = (table: TableShape): IndexShape => ({
  name: keyName(table),
  columns: table.key,
  isUnique: true,
  liveOnly: false,
  isFulltext: false,
});

export function keySteps(change: KeyChange): Step[] {
  const { storage, after } = change;
  return [
    addIndex(storage, after.table, keyIndex(after), 'expand'),
    swapKey(change),
    ...change.foreignKeys.map((key) => validated(storage, key)),
  ];
}

/** The constraint has not moved yet: what is taken back is the index that was built for it. */
export const keyTakenBack = ({ storage, before }: KeyChange): Step[] => [dropIndex(storage, before.table, keyIndex(before), 'contract')];

/**
 * A foreign key rests on the index that was there first when it was made, so all of them are made anew. Those of the new key name no
 * column: so Postgres takes the primary key, not an older index of the same column, which goes next.
 */
function swapKey({ storage, before, after, foreignKeys }: KeyChange): Step {
  const at = id(storage, after.table);
  const [key] = after.key;
  const made = (one: ForeignKeyShape): Sql => {
    const place = one.targetColumn === key ? empty : sql` (${id(one.targetColumn)})`;
    return sql`alter table ${id(storage, one.table)} add constraint ${id(one.name)} foreign key (${id(one.column)}) references ${at}${place} deferrable initially immediate not valid`;
  };
  return {
    key: `swap-key/${after.table}`,
    phase: 'contract',
    mode: 'brief',
    table: after.table,
    statements: [
      ...foreignKeys.map((one) => sql`alter table ${id(storage, one.table)} drop constraint if exists ${id(one.name)}`),
      sql`alter table ${at} drop constraint if exists ${id(keyName(before))}`,
      sql`alter table ${at} add constraint ${id(keyName(after))} primary key using index ${id(keyName(after))}`,
      ...foreignKeys.map(made),
    ],
    isDone: constraintExists(storage, keyName(after), false),
    undo: [],
    lock: LOCKS.brief,
    rewrite: false,
  };
}

const empty = sql``;

function validated(storage: string, key: ForeignKeyShape): Step {
  return {
    key: `validate-foreign-key/${key.name}/contract`,
    phase: 'contract',
    mode: 'long',
    table: key.table,
    statements: [sql`alter table ${id(storage, key.table)} validate constraint ${id(key.name)}`],
    isDone: constraintExists(storage, key.name, true),
    undo: [],
    lock: LOCKS.concurrent,
    rewrite: false,
    isOptional: true,
  };
}

/** What stored records may be in the way of: values that are or may be missing, that a deleted record has too, or that no path can hold. */
export function keyChecks({ storage, after }: KeyChange): Check[] {
  const [key] = after.key;
  const column = after.columns.get(key ?? '');
  if (column === undefined) return [];
  const at = id(storage, after.table);
  const title = `"${after.owner}.${column.name}"`;
  const facts = { kind: 'set_primary_key' as const, entity: after.owner, field: column.name };
  return [
    hasNoNulls(storage, after, column),
    {
      ...facts,
      // Else Postgres would read every row for it under the lock of the swap.
      count: sql`select (not ${columnIsRequired(storage, after.table, column.name)})::integer as count`,
      message: () => `${title} cannot become the key: its column still takes null, because records without a value were in the way once.`,
      hint: 'Publish the field without `required`, then with it, and make it the key after that.',
    },
    ...(after.columns.has(DELETED_COLUMN)
      ? [
          {
            ...facts,
            count: sql`select count(*)::integer as count from (select from ${at} group by ${id(column.name)} having count(*) > 1 limit 1000) found`,
            message: (count: number) =>
              `${title} cannot become the key: ${some(count, 'value is', 'values are')} held by deleted records as well, which keep their key.`,
            hint: 'Restore those deleted records, give them another value, and delete them again.',
          },
        ]
      : []),
    ...(column.type === 'text'
      ? [
          {
            ...facts,
            count: sql`select count(*)::integer as count from (select from ${at} where ${id(column.name)} in ('', '.', '..')
              or left(${id(column.name)}, 1) = ${literal('_')} limit 1000) found`,
            message: (count: number) =>
              `${title} cannot become the key: ${some(count, 'record has', 'records have')} a value that no path can hold (empty, "." or "..", or beginning with "_").`,
            hint: 'Give those records another value, and the field a `pattern` that keeps such values out.',
          },
        ]
      : []),
  ];
}

const some = (count: number, one: string, many: string): string =>
  count === 1 ? `1 ${one}` : `${count === 1000 ? 'a thousand or more' : String(count)} ${many}`;
