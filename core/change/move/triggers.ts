/**
 * The triggers that keep a child's old field and its parent's new one in step while both are written (ADR 22). One value belongs to
 * a parent and all its children. Whoever changes it has the parent's row first, then writes the others.
 *
 * They act when a transaction commits. A child's writer has its row by then and asks for the parent's, whose writer asks for
 * the children's: so he who must wait for the parent first makes a promise, an advisory lock of his row, and whoever has the parent
 * leaves rows with a promise alone. The promise is kept as soon as the parent is free.
 */
import { VERSION_COLUMN, type FieldModel } from '../../model/model.ts';
import { and, id, join, literal, sql, type Sql } from '../../sql/sql.ts';
import { typeOf } from '../conversion/stored.ts';
import { plpgsql } from '../function.ts';
import { agreesUnless, PROMISED } from '../promises.ts';
import type { Moved } from './moved.ts';

const FUNCTIONS = ['promised', 'spread', 'told', 'attached', 'taken', 'moved', 'found', 'agrees'] as const;
type Verb = (typeof FUNCTIONS)[number];

const columns = (row: string, fields: readonly FieldModel[]): Sql => join(fields.map((field) => id(row, field.column)));
const childOf = ({ storage, child }: Moved): Sql => sql`${id(storage, child.table)} "c"`;
const parentOf = ({ storage, parent }: Moved): Sql => sql`${id(storage, parent.table)} "p"`;
const call = ({ storage, names }: Moved, verb: Verb): Sql => id(storage, names.object(verb));
const valueType = ({ parent }: Moved): Sql => typeOf(parent.field);
const linkType = ({ parent }: Moved): Sql => typeOf(parent.linked);
const raised = (row: string): Sql => sql`${id(VERSION_COLUMN)} = ${id(row, VERSION_COLUMN)} + 1`;

/** The children of a parent that count. */
export const isChildOf = ({ child }: Moved, link: Sql): Sql =>
  and([sql`${id('c', child.link)} = ${link}`, ...(child.deletedAt === undefined ? [] : [sql`${id('c', child.deletedAt)} is null`])]);

const signatures = (moved: Moved): Readonly<Record<Verb, Sql>> => ({
  promised: sql`bigint`,
  spread: sql`${linkType(moved)}, ${valueType(moved)}`,
  told: sql``,
  attached: sql``,
  taken: sql``,
  moved: sql``,
  found: linkType(moved),
  agrees: linkType(moved),
});

const made = (moved: Moved, verb: Verb, returns: Sql, body: Sql): Sql =>
  plpgsql({ name: call(moved, verb), takes: signatures(moved)[verb], returns }, body);

/** In the order in which they must come up: what others call, first. */
export const functionsOf = (moved: Moved): Sql[] => [
  promised(moved),
  spread(moved),
  told(moved),
  attached(moved),
  taken(moved),
  parentMoved(moved),
  found(moved),
  agrees(moved),
];

/** What our own triggers write is written from within one. */
const BY_CLIENT = sql`pg_trigger_depth() = 0`;
const AT_COMMIT = sql`deferrable initially deferred`;

/** `given` and `told` are one function: a value of a new row, and one that changed. */
export function triggersOf(moved: Moved): Sql[] {
  const { storage, child, parent, names } = moved;
  const [value, link] = [id(child.column.name), id(child.link)];
  const isNew = (column: Sql): Sql => sql`old.${column} is distinct from new.${column}`;
  const atCommit = (verb: string, event: Sql, on: string, when: readonly Sql[], runs: Verb): Sql =>
    sql`create constraint trigger ${id(names.object(verb))} after ${event} on ${id(storage, on)} ${AT_COMMIT}
    for each row when (${and([BY_CLIENT, ...when])}) execute function ${call(moved, runs)}()`;
  // An older process puts the default in where its client gave nothing.
  const nothing = sql`(new.${value} is null${child.column.default === undefined ? sql`` : sql` or new.${value} = ${literal(child.column.default)}`})`;
  const restored = child.deletedAt === undefined ? undefined : id(child.deletedAt);
  const arrives = restored === undefined ? isNew(link) : sql`(${isNew(link)} or (old.${restored} is not null and new.${restored} is null))`;
  const attachedOf = join([link, ...(restored === undefined ? [] : [restored])]);
  return [
    sql`create trigger ${id(names.object('taken'))} before insert on ${id(storage, child.table)}
    for each row when (${and([sql`new.${link} is not null`, nothing])}) execute function ${call(moved, 'taken')}()`,
    atCommit('given', sql`insert`, child.table, [sql`new.${value} is not null`], 'told'),
    atCommit('told', sql`update of ${value}`, child.table, [isNew(value)], 'told'),
    atCommit(
      'attached',
      sql`update of ${attachedOf}`,
      child.table,
      [arrives, sql`old.${value} is not distinct from new.${value}`],
      'attached',
    ),
    atCommit('moved', sql`update of ${id(parent.column.name)}`, parent.table, [isNew(id(parent.column.name))], 'moved'),
  ];
}

const CHILD_TRIGGERS = ['taken', 'given', 'told', 'attached'] as const;

export const lastTrigger = ({ names }: Moved): string => names.object('moved');

export function dropTriggers(moved: Moved): Sql[] {
  const { storage, child, parent, names } = moved;
  const drop = (verb: string, table: string): Sql => sql`drop trigger if exists ${id(names.object(verb))} on ${id(storage, table)}`;
  return [
    drop('moved', parent.table),
    ...CHILD_TRIGGERS.map((verb) => drop(verb, child.table)),
    ...[...FUNCTIONS].reverse().map((verb) => sql`drop function if exists ${call(moved, verb)}(${signatures(moved)[verb]})`),
  ];
}

// --- promises --------------------------------------------------------------------------------------------------------

/** One of all rows of all tables. */
const promiseOf = ({ names, child }: Moved, row: string): Sql =>
  sql`hashtextextended(${literal(names.object(''))} || jsonb_build_array(${columns(row, child.key)})::text, 0)`;

const promised = (moved: Moved): Sql => made(moved, 'promised', sql`boolean`, PROMISED);

/** Gives all children of a parent the value; whoever calls it has the parent's row. */
function spread(moved: Moved): Sql {
  const { child } = moved;
  const value = child.column.name;
  const others = and([isChildOf(moved, sql`$1`), sql`${id('c', value)} is distinct from $2`]);
  const waited = sql`${others} and not ${call(moved, 'promised')}(${promiseOf(moved, 'c')})`;
  return made(
    moved,
    'spread',
    sql`void`,
    sql`
  declare began timestamptz := clock_timestamp();
  begin
    loop
      with "l" as materialized (select ${columns('c', child.key)} from ${childOf(moved)} where ${others} for no key update skip locked)
      update ${childOf(moved)} set ${id(value)} = $2, ${raised('c')} from "l" where (${columns('c', child.key)}) = (${columns('l', child.key)});
      -- Others have those that are left: soon they write them, promise to, or let them go.
      if not exists (select from ${childOf(moved)} where ${waited}) then
        return;
      elsif clock_timestamp() < began + interval '500 milliseconds' then
        perform pg_sleep(0.002);
      else
        -- A wait that Postgres sees, and ends if it goes round in a circle.
        perform from ${childOf(moved)} where ${waited} for no key update;
      end if;
    end loop;
  end`,
  );
}

// --- writes ----------------------------------------------------------------------------------------------------------

/** Reads something of the parent under its lock. No parent: there is nobody to be in step with. */
function locked(moved: Moved, what: Sql, into: Sql): Sql {
  const { child, parent } = moved;
  const row = sql`${parentOf(moved)} where ${id('p', parent.linked.column)} = ${id('new', child.link)} for no key update`;
  return sql`
    select ${what} into ${into} from ${row} skip locked;
    if not found then
      perform pg_advisory_xact_lock(${promiseOf(moved, 'new')});
      select ${what} into ${into} from ${row};
      if not found then return null; end if;
    end if;`;
}

const tellParent = (moved: Moved): Sql => {
  const { child, parent } = moved;
  return sql`update ${parentOf(moved)} set ${id(parent.column.name)} = ${id('new', child.column.name)}, ${raised('p')}
        where ${id('p', parent.linked.column)} = ${id('new', child.link)};`;
};

const tellOthers = (moved: Moved): Sql =>
  sql`perform ${call(moved, 'spread')}(${id('new', moved.child.link)}, ${id('new', moved.child.column.name)});`;

/** A child got a value. */
function told(moved: Moved): Sql {
  const { child, parent } = moved;
  const value = id('new', child.column.name);
  return made(
    moved,
    'told',
    sql`trigger`,
    sql`
  declare same boolean;
  begin
    if ${id('new', child.link)} is null then return null; end if;
    ${locked(moved, sql`${id('p', parent.column.name)} is not distinct from ${value}`, sql`same`)}
    if not same then
      ${tellParent(moved)}
    end if;
    -- A parent that is not filled yet has null, and children with values.
    if not same or ${value} is null then
      ${tellOthers(moved)}
    end if;
    return null;
  end`,
  );
}

/** A child comes to another parent, or back from the deleted, without a value said: it takes the parent's. One that was nobody's stays. */
function attached(moved: Moved): Sql {
  const { child, parent } = moved;
  const value = id('new', child.column.name);
  const link = (row: string): Sql => id(row, child.link);
  const own = sql`${value} is not null and ${link('old')} is distinct from ${link('new')} and not exists (select from ${parentOf(moved)}
        where ${id('p', parent.linked.column)} = ${link('old')} and ${id('p', parent.column.name)} = ${value})`;
  const itself = sql`(${columns('c', child.key)}) = (${columns('new', child.key)})`;
  return made(
    moved,
    'attached',
    sql`trigger`,
    sql`
  declare theirs ${valueType(moved)};
  begin
    if ${link('new')} is null then return null; end if;
    ${locked(moved, id('p', parent.column.name), sql`theirs`)}
    if theirs is null and ${own} then
      ${tellParent(moved)}
      ${tellOthers(moved)}
    else
      update ${childOf(moved)} set ${id(child.column.name)} = theirs, ${raised('c')} where ${itself} and ${id('c', child.column.name)} is distinct from theirs;
    end if;
    return null;
  end`,
  );
}

/** A new child without a value is born with its parent's. */
function taken(moved: Moved): Sql {
  const { child, parent } = moved;
  return made(
    moved,
    'taken',
    sql`trigger`,
    sql`
  declare theirs ${valueType(moved)};
  begin
    select ${id('p', parent.column.name)} into theirs from ${parentOf(moved)}
      where ${id('p', parent.linked.column)} = ${id('new', child.link)} for no key update;
    ${id('new', child.column.name)} := coalesce(theirs, ${id('new', child.column.name)});
    return new;
  end`,
  );
}

/** The parent got a value. */
const parentMoved = (moved: Moved): Sql =>
  made(
    moved,
    'moved',
    sql`trigger`,
    sql`
  begin
    perform ${call(moved, 'spread')}(${id('new', moved.parent.linked.column)}, ${id('new', moved.parent.column.name)});
    return null;
  end`,
  );

// --- backfill --------------------------------------------------------------------------------------------------------

/** The one value of a parent's children; none where they differ. A required field has its default where there is none. */
function found(moved: Moved): Sql {
  const { child, parent } = moved;
  const value = id('c', child.column.name);
  const { default: standard, isRequired } = parent.column;
  return made(
    moved,
    'found',
    valueType(moved),
    sql`
  declare theirs ${valueType(moved)};
  begin
    select ${value} into theirs from ${childOf(moved)} where ${isChildOf(moved, sql`$1`)} and ${value} is not null limit 1;
    if exists (select from ${childOf(moved)} where ${isChildOf(moved, sql`$1`)} and ${value} <> theirs) then
      return null;
    end if;
    return ${isRequired && standard !== undefined ? sql`coalesce(theirs, ${literal(standard)})` : sql`theirs`};
  end`,
  );
}

export const foundFor = (moved: Moved, row: string): Sql => sql`${call(moved, 'found')}(${id(row, moved.parent.linked.column)})`;

function agrees(moved: Moved): Sql {
  const { child, parent } = moved;
  return made(
    moved,
    'agrees',
    sql`boolean`,
    agreesUnless(sql`select from ${parentOf(moved)} join ${childOf(moved)} on ${isChildOf(moved, id('p', parent.linked.column))}
        where ${id('p', parent.linked.column)} = $1 and ${id('c', child.column.name)} is distinct from ${id('p', parent.column.name)}`),
  );
}

export const agreesFor = (moved: Moved, row: string): Sql => sql`${call(moved, 'agrees')}(${id(row, moved.parent.linked.column)})`;
