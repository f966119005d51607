/**
 * The triggers that keep two shapes of the same values in step while both are written. They go by what a statement *assigned*, then
 * by what it changed: a null set over a null is a write, and our statements list only what they assign. See ADR 19.
 *
 * Of one UPDATE they run in the order of their names: `1_old` notes that the old side was assigned (the marker becomes null for a
 * moment), `2_new` acts when the new side was, `3_old` when only the old side was. `4_fill` is the backfill, which assigns nothing
 * but the marker.
 */
import type { FieldModel } from '../../model/model.ts';
import { and, id, join, or, raw, sql, type Sql } from '../../sql/sql.ts';
import { plpgsql } from '../function.ts';
import type { MadeNames } from '../names.ts';
import { clear, isQuarantined, lacksValue, report, reportConflict, type QuarantineOf } from './quarantine.ts';
import { declarations, errorVariable, resultVariable, workOut, type Place, type Side } from './side.ts';

export interface TwoWay {
  readonly storage: string;
  readonly table: string;
  readonly names: MadeNames;
  readonly place: Place;
  readonly quarantine: QuarantineOf;
  /** Writes the new fields of what the old shape has. */
  readonly up: Side;
  /** Writes the old fields of what the new shape has. */
  readonly down: Side;
}

const NEW = 'new';
const OLD = 'old';

const columnsOf = (row: string, fields: readonly FieldModel[]): Sql => join(fields.map((field) => id(row, field.column)));
const anyGiven = (row: string, fields: readonly FieldModel[]): Sql => or(fields.map((field) => sql`${id(row, field.column)} is not null`));
const allGiven = (row: string, fields: readonly FieldModel[]): Sql => and(fields.map((field) => sql`${id(row, field.column)} is not null`));
const isUnchanged = (fields: readonly FieldModel[]): Sql =>
  sql`(row(${columnsOf(NEW, fields)}) is not distinct from row(${columnsOf(OLD, fields)}))`;
const written = (side: Side): FieldModel[] => side.targets.map((target) => target.field);

/** In the order in which they must come up: what others call, first. */
export function functionsOf(way: TwoWay): Sql[] {
  return [agrees(way), inserted(way), assigned(way), newSide(way), oldSide(way), gone(way)];
}

export function triggersOf(way: TwoWay): Sql[] {
  const { marker, object } = way.names;
  const at = id(way.storage, way.table);
  const of = (fields: readonly FieldModel[]): Sql => join(fields.map((field) => id(field.column)));
  const trigger = (verb: string, event: Sql, runs: string, when?: Sql): Sql =>
    sql`create or replace trigger ${id(object(verb))} ${event} on ${at} for each row${when === undefined ? sql`` : sql` when (${when})`} execute function ${id(way.storage, object(runs))}()`;
  const oldAssigned = sql`before update of ${of(way.up.reads)}`;
  return [
    trigger('0_insert', sql`before insert`, 'insert'),
    trigger('1_old', oldAssigned, 'assigned'),
    trigger('2_new', sql`before update of ${of(way.down.reads)}`, 'new'),
    trigger('3_old', oldAssigned, 'old', sql`${id(NEW, marker)} is null`),
    trigger(
      '4_fill',
      sql`before update of ${id(marker)}`,
      'old',
      sql`${id(OLD, marker)} is false and ${id(NEW, marker)} is true and ${isUntouched(way)}`,
    ),
    trigger('gone', sql`after delete`, 'gone'),
  ];
}

/** A statement that names the marker besides values is no backfill. */
const isUntouched = (way: TwoWay): Sql => isUnchanged([...way.up.reads, ...way.down.reads]);

export const TRIGGERS = ['0_insert', '1_old', '2_new', '3_old', '4_fill', 'gone'] as const;
const FUNCTIONS = ['insert', 'assigned', 'new', 'old', 'gone'] as const;

export function dropTriggers(way: TwoWay): Sql[] {
  const { object } = way.names;
  return [
    ...TRIGGERS.map((verb) => sql`drop trigger if exists ${id(object(verb))} on ${id(way.storage, way.table)}`),
    ...FUNCTIONS.map((verb) => sql`drop function if exists ${id(way.storage, object(verb))}()`),
    sql`drop function if exists ${id(way.storage, object('agrees'))}(${id(way.storage, way.table)})`,
  ];
}

const nameOf = (way: TwoWay, verb: string): Sql => id(way.storage, way.names.object(verb));

const triggerFunction = (way: TwoWay, verb: string, declared: Sql, body: Sql): Sql =>
  plpgsql(
    { name: nameOf(way, verb), returns: sql`trigger`, inUtc: true },
    sql`
  declare ${declared}
  begin
    ${body}
  end`,
  );

/** True of a row whose two sides belong together: the one is made of the other, or what was in the way is in the quarantine. */
function agrees(way: TwoWay): Sql {
  const row = 'r';
  const comes = (side: Side): Sql => sql`
    ${workOut(side, row, way.place)}
    if ${and(side.targets.map((target, n) => sql`${errorVariable(n)} is null and ${resultVariable(n)} is not distinct from ${id(row, target.field.column)}`))} then
      return true;
    end if;`;
  const nested = (side: Side): Sql => sql`
    declare ${declarations(side)}
    begin ${comes(side)}
    end;`;
  return plpgsql(
    {
      name: nameOf(way, 'agrees'),
      takes: sql`${raw(row)} ${id(way.storage, way.table)}`,
      returns: sql`boolean`,
      is: 'stable',
      inUtc: true,
    },
    sql`
  begin
    ${nested(way.up)}
    ${way.down.targets.length === 0 ? sql`` : nested(way.down)}
    return ${isQuarantined(way.quarantine, row)};
  end`,
  );
}

/** Which side a new row was given in is told by where it has values: neither side has a default meanwhile. */
function inserted(way: TwoWay): Sql {
  const { up, down } = way;
  const agreeing = sql`${id(way.storage, way.names.object('agrees'))}(new)`;
  return triggerFunction(
    way,
    'insert',
    sql`${declarations(up)}`,
    sql`if ${anyGiven(NEW, written(up))} then
      ${
        down.targets.length === 0
          ? sql``
          : sql`
      if ${anyGiven(NEW, written(down))} then
        if ${agreeing} then
          ${id(NEW, way.names.marker)} := true;
          return new;
        end if;
        ${reportConflict(way.quarantine, written(down), NEW)}
      end if;`
      }
      ${inBlock(way, down)}
    else
      ${compute(way, up)}
    end if;
    ${id(NEW, way.names.marker)} := true;
    return new;`,
  );
}

/** The value of each target, or null and a row in the quarantine. */
const compute = (way: TwoWay, side: Side): Sql => sql`
    ${workOut(side, NEW, way.place)}
    ${join(
      side.targets.map((target, n) => sql`${id(NEW, target.field.column)} := ${resultVariable(n)};`),
      ' ',
    )}
    ${report(way.quarantine, side, NEW)}`;

const inBlock = (way: TwoWay, side: Side): Sql =>
  side.targets.length === 0
    ? sql``
    : sql`
      declare ${declarations(side)}
      begin ${compute(way, side)}
      end;`;

const assigned = (way: TwoWay): Sql => triggerFunction(way, 'assigned', sql``, sql`${id(NEW, way.names.marker)} := null; return new;`);

function oldSide(way: TwoWay): Sql {
  return triggerFunction(
    way,
    'old',
    declarations(way.up),
    sql`${unlessIdle(way, way.up)}
    ${compute(way, way.up)}
    ${id(NEW, way.names.marker)} := true;
    return new;`,
  );
}

function newSide(way: TwoWay): Sql {
  const { up, down } = way;
  const { marker, object } = way.names;
  return triggerFunction(
    way,
    'new',
    declarations(down),
    sql`if ${id(NEW, marker)} is null then
      if ${isUnchanged(down.reads)} then return new; end if;
      if not ${isUnchanged(up.reads)} and not ${id(way.storage, object('agrees'))}(new) then
        ${reportConflict(way.quarantine, written(down), NEW)}
      end if;
    end if;
    ${up.targets.length > 1 ? completed(way) : sql``}
    ${unlessIdle(way, down)}
    ${compute(way, down)}
    ${id(NEW, marker)} := true;
    return new;`,
  );
}

/** A row not filled yet of which the new shape writes a part: the other parts are what the old values give. */
const completed = (way: TwoWay): Sql => sql`if not ${id(OLD, way.names.marker)} then
      declare ${declarations(way.up)}
      begin ${workOut(way.up, NEW, way.place)}
        ${join(
          way.up.targets.map(({ field }, n) => sql`${id(NEW, field.column)} := coalesce(${id(NEW, field.column)}, ${resultVariable(n)});`),
          ' ',
        )}
      end;
    end if;`;

/**
 * Leaves when there is nothing to carry over. A filled row whose assigned side did not change keeps the other side, which may know
 * more (1.25 behind 1); a side that lacks one of its parts, because it is in the quarantine, must not overwrite the whole it came from.
 */
function unlessIdle(way: TwoWay, side: Side): Sql {
  const { reads } = side;
  const all = [...reads, ...written(side)];
  const leave = sql`${id(NEW, way.names.marker)} := true; return new;`;
  return sql`if ${id(OLD, way.names.marker)} then
      if ${isUnchanged(reads)} and (${allGiven(NEW, reads)} or not ${isQuarantined(way.quarantine, NEW)}) then ${leave} end if;
      if not ${allGiven(OLD, all)} then
        ${reads.length > 1 ? sql`if ${lacksValue(way.quarantine, NEW, reads)} then ${leave} end if;` : sql``}
        ${clear(way.quarantine, NEW)}
      end if;
    end if;`;
}

const gone = (way: TwoWay): Sql => triggerFunction(way, 'gone', sql``, sql`${clear(way.quarantine, OLD)} return null;`);
