/**
 * NOT NULL on a table with records and writers. The proof comes first: a CHECK that is validated while writers go on, after which
 * SET NOT NULL reads no row. The CHECK is dropped by a statement of its own, since one ALTER would drop it before it is needed.
 */
import { and, id, join, or, sql, type Sql } from '../../sql/sql.ts';
import { derivedName } from '../names.ts';
import type { ColumnShape, TableShape } from '../shape.ts';
import { columnIsRequired, constraintExists, LOCKS, type Check, type Phase, type Step } from '../step.ts';

/**
 * One scan proves all columns. After the switch it is optional: rows that refuse it are left as they are, and the CHECK goes, for
 * it would refuse every later write to them.
 */
export function provenNotNull(storage: string, table: string, columns: readonly string[], phase: Phase): Step[] {
  const name = derivedName(table, columns, 'nn');
  const at = id(storage, table);
  const areRequired = and(columns.map((column) => columnIsRequired(storage, table, column)));
  const isProven = constraintExists(storage, name, true);
  const dropCheck = sql`alter table if exists ${at} drop constraint if exists ${id(name)}`;
  const present = join(
    columns.map((column) => sql`${id(column)} is not null`),
    ' and ',
  );
  const step = (verb: string, facts: Pick<Step, 'mode' | 'statements' | 'isDone' | 'undo' | 'lock'>): Step => ({
    key: `${verb}/${table}.${columns.join('.')}`,
    phase,
    table,
    rewrite: false,
    ...(phase === 'settle' || phase === 'contract' || phase === 'purge' ? { isOptional: true } : {}),
    ...facts,
  });
  return [
    step('check-not-null', {
      mode: 'brief',
      statements: [sql`alter table ${at} add constraint ${id(name)} check (${present}) not valid`],
      isDone: or([areRequired, constraintExists(storage, name, false)]),
      undo: [dropCheck],
      lock: LOCKS.brief,
    }),
    step('validate-not-null', {
      mode: 'long',
      statements: [sql`alter table ${at} validate constraint ${id(name)}`],
      isDone: or([areRequired, isProven]),
      undo: [],
      lock: LOCKS.concurrent,
    }),
    step('set-not-null', {
      mode: 'brief',
      statements: [sql`alter table ${at} ${alterEach(columns, sql`set not null`)}`],
      // Without its proof it would scan the table under its lock: then it is left out.
      isDone: or([areRequired, sql`not ${isProven}`]),
      undo: [sql`alter table if exists ${at} ${alterEach(columns, sql`drop not null`)}`],
      lock: LOCKS.brief,
    }),
    step('uncheck-not-null', {
      mode: 'brief',
      statements: [dropCheck],
      isDone: sql`not ${constraintExists(storage, name, false)}`,
      undo: [],
      lock: LOCKS.brief,
    }),
  ];
}

export const alterEach = (columns: readonly string[], action: Sql): Sql =>
  join(columns.map((column) => sql`alter column ${id(column)} ${action}`));

/** For a field that becomes required without a fill: records without it are named before anything begins. */
export function hasNoNulls(storage: string, table: TableShape, column: ColumnShape): Check {
  return {
    kind: 'set_required',
    entity: table.owner,
    field: column.name,
    count: sql`select count(*)::integer as count
      from (select from ${id(storage, table.table)} where ${id(column.name)} is null limit ${COUNTED}) found`,
    message: (count) =>
      `Field "${table.owner}.${column.name}" cannot become required: ${count === MOST_COUNTED ? `${count} or more records lack` : count === 1 ? '1 record lacks' : `${count} records lack`} a value.`,
    hint: `Say how they get one: migrate: [{"fill": {"entity": "${table.owner}", "field": "${column.name}", "expression": "..."}}].`,
  };
}

/** Enough for a message. */
const MOST_COUNTED = 1000;
const COUNTED = sql`1000`;
