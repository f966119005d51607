/**
 * The new shape before its switch. Rows that the backfill has not come to hold nothing in their new columns; a view of the table works
 * out meanwhile what they will hold. It comes last of what expand makes and goes when every api process serves the new version.
 */
import type { FilledRows } from '../../model/model.ts';
import { id, join, sql, type Sql } from '../../sql/sql.ts';
import { plpgsql } from '../function.ts';
import { hashOf, type MadeNames } from '../names.ts';
import type { TableShape } from '../shape.ts';
import { LOCKS, viewExists, type Step } from '../step.ts';
import { declarations, resultVariable, workOut, type Place, type Side } from './side.ts';
import { typeOf } from './stored.ts';

/** What a conversion fills of each row, whether or not it has come to it. */
export interface Filling {
  readonly table: string;
  readonly place: Place;
  readonly names: MadeNames;
  readonly side: Side;
  /** True in rows that are filled; undefined where a column that holds something is. */
  readonly marker?: string;
}

export interface EarlyInput {
  readonly storage: string;
  readonly version: number;
  readonly fillings: readonly Filling[];
  readonly before: ReadonlyMap<string, TableShape>;
  readonly after: ReadonlyMap<string, TableShape>;
}

export interface EarlyRows {
  readonly steps: readonly Step[];
  /** By the names of tables. */
  readonly filled: ReadonlyMap<string, FilledRows>;
}

export function earlyRows(input: EarlyInput): EarlyRows {
  const tables = [...new Set(input.fillings.map((filling) => filling.table))];
  const parts = tables.map((table) => ({
    table,
    view: viewName(table, input.version),
    fillings: input.fillings.filter((one) => one.table === table),
  }));
  return {
    steps: parts.flatMap((part) => stepsOf(input, part)),
    filled: new Map(
      parts.map(({ table, view, fillings }) => [table, { rows: view, markers: fillings.flatMap(({ marker }) => marker ?? []) }]),
    ),
  };
}

const MAX_BYTES = 63;

function viewName(table: string, version: number): string {
  const tail = `_v${version}_${hashOf(table)}`;
  return table.slice(0, MAX_BYTES - tail.length) + tail;
}

interface Part {
  readonly table: string;
  readonly view: string;
  readonly fillings: readonly Filling[];
}

function stepsOf(input: EarlyInput, part: Part): Step[] {
  const { storage } = input;
  const { table, view, fillings } = part;
  const functions = fillings.flatMap((filling) => filling.side.targets.map((_target, n) => id(storage, functionName(filling, n))));
  const common = { mode: 'brief', table, lock: LOCKS.view, rewrite: false } as const;
  const dropped = [
    sql`drop view if exists ${id(storage, view)}`,
    ...functions.map((name) => sql`drop function if exists ${name}(${id(storage, table)})`),
  ];
  const isThere = viewExists(storage, view);
  return [
    {
      ...common,
      key: `early-rows/${table}`,
      phase: 'expand',
      statements: [...fillings.flatMap((filling) => functionsOf(storage, filling)), viewOf(input, part)],
      isDone: isThere,
      undo: dropped,
    },
    { ...common, key: `drop-early-rows/${table}`, phase: 'settle', statements: dropped, isDone: sql`not ${isThere}`, undo: [] },
  ];
}

const functionName = ({ names }: Filling, target: number): string => names.object(`early${target}`);

/** One for each value, as a view can use it. */
function functionsOf(storage: string, filling: Filling): Sql[] {
  const { table, side, place } = filling;
  return side.targets.map((target, n) => {
    const one: Side = { ...side, targets: [target] };
    const body = sql`
  declare ${declarations(one)}
  begin
    ${workOut(one, 'r', place)}
    return ${resultVariable(0)};
  end`;
    const takes = sql`${id('r')} ${id(storage, table)}`;
    return plpgsql({ name: id(storage, functionName(filling, n)), takes, returns: typeOf(target.field), is: 'stable', inUtc: true }, body);
  });
}

/** The columns of both shapes: who writes in the new one tells of it in the old one. */
function viewOf({ storage, before, after }: EarlyInput, { table, view, fillings }: Part): Sql {
  const names = new Set([before, after].flatMap((shape) => [...(shape.get(table)?.columns.keys() ?? [])]));
  const worked = new Map(
    fillings.flatMap((filling) =>
      filling.side.targets.map(({ field }, n): [string, Sql] => {
        const stored = id('t', field.column);
        const value = sql`${id(storage, functionName(filling, n))}("t")`;
        const { marker } = filling;
        const filled =
          marker === undefined ? sql`coalesce(${stored}, ${value})` : sql`case when ${id('t', marker)} then ${stored} else ${value} end`;
        return [field.column, sql`${filled} as ${id(field.column)}`];
      }),
    ),
  );
  const columns = [...names].map((name) => worked.get(name) ?? id('t', name));
  return sql`create or replace view ${id(storage, view)} as select ${join(columns)} from ${id(storage, table)} "t"`;
}
