/**
 * The triggers that keep a whole's fields and its part in step while both are written (ADR 31). Whoever has the whole's row writes both.
 *
 * A part's writer has its row and asks for the whole's, whose writer asks for the part's: so he who must wait for the whole makes a
 * promise first, and the whole's writer leaves a part with a promise alone. When the promise is kept, what the whole's writer changed
 * meanwhile is known by what the whole was before the promise was made.
 */
import { VERSION_COLUMN, type FieldModel } from '../../model/model.ts';
import { and, empty, id, join, literal, or, raw, sql, type Sql } from '../../sql/sql.ts';
import { typeOf } from '../conversion/stored.ts';
import { isWrittenHere, plpgsql } from '../function.ts';
import { agreesUnless, PROMISED } from '../promises.ts';
import type { Parts } from './resolve.ts';

type Row = 'new' | 'old' | 't' | 'p' | '_before' | '_whole' | '_part';

const call = ({ storage, names }: Parts, verb: string): Sql => id(storage, names.object(verb));
const wholes = ({ storage, whole }: Parts): Sql => sql`${id(storage, whole.table)} "t"`;
const parts = ({ storage, part }: Parts): Sql => sql`${id(storage, part.table)} "p"`;
const wholeKey = ({ whole }: Parts, row: Row): Sql => id(row, whole.key.column);
const partKey = ({ part }: Parts, row: Row): Sql => id(row, part.key.column);
const link = ({ part }: Parts, row: Row): Sql => id(row, part.link);
const ofWhole = ({ whole }: Parts, row: Row): Sql[] => whole.fields.map(({ column }) => id(row, column));
const ofPart = ({ part }: Parts, row: Row): Sql[] => part.fields.map(({ column }) => id(row, column));
const rowOf = (values: readonly Sql[]): Sql => sql`row(${join(values)})`;
const differ = (one: readonly Sql[], other: readonly Sql[]): Sql => sql`${rowOf(one)} is distinct from ${rowOf(other)}`;
const isLive = ({ deletedAt }: Parts, row: Row): Sql => (deletedAt === undefined ? sql`true` : sql`${id(row, deletedAt)} is null`);

/** The part `p` of a whole. A whole and a part that were deleted together belong together. */
function belongs(the: Parts, row: Row): Sql {
  const together = the.deletedAt === undefined ? empty : sql` and ${id('p', the.deletedAt)} is not distinct from ${id(row, the.deletedAt)}`;
  return sql`${link(the, 'p')} = ${wholeKey(the, row)}${together}`;
}

/** The values let the part be: it has all that it requires. */
function fits({ part }: Parts, values: readonly Sql[]): Sql {
  const required = values.filter((_, at) => part.columns[at]?.isRequired === true);
  return required.length === 0 ? sql`true` : and(required.map((one) => sql`${one} is not null`));
}

/** The values ask for a part where there is none. */
function isDue(the: Parts, values: readonly Sql[]): Sql {
  const hasRequired = the.part.columns.some((column) => column.isRequired);
  return hasRequired ? fits(the, values) : or(values.map((one) => sql`${one} is not null`));
}

/** Who wrote the row in this transaction has raised its version already, and told its client so. */
const raised = (row: Row): Sql =>
  sql`${id(VERSION_COLUMN)} = ${id(row, VERSION_COLUMN)} + case when ${isWrittenHere(row)} then 0 else 1 end`;

const assigned = (fields: readonly FieldModel[], values: readonly Sql[]): Sql =>
  join(fields.map(({ column }, at) => sql`${id(column)} = ${values[at] ?? sql`null`}`));

const toWhole = (the: Parts, key: Sql, values: readonly Sql[]): Sql =>
  sql`update ${wholes(the)} set ${assigned(the.whole.fields, values)}, ${raised('t')}
        where ${wholeKey(the, 't')} = ${key} and ${differ(ofWhole(the, 't'), values)};`;

const toPart = (the: Parts, key: Sql, values: readonly Sql[]): Sql =>
  sql`update ${parts(the)} set ${assigned(the.part.fields, values)}, ${raised('p')}
        where ${partKey(the, 'p')} = ${key} and ${differ(ofPart(the, 'p'), values)};`;

/** By the clock: what is deleted by a statement of its own in this transaction has its beginning as the time. */
const withoutPart = (the: Parts, key: Sql): Sql =>
  the.deletedAt === undefined
    ? sql`delete from ${parts(the)} where ${partKey(the, 'p')} = ${key};`
    : sql`update ${parts(the)} set ${id(the.deletedAt)} = clock_timestamp(), ${raised('p')} where ${partKey(the, 'p')} = ${key};`;

/** Of version 7, as the engine makes them. */
const UUID = sql`encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid`;

function stampOf({ type }: FieldModel): Sql {
  if (type === 'timestamp') return sql`now()`;
  return sql`(now() at time zone 'UTC')::${raw(type === 'date' ? 'date' : 'time')}`;
}

/** A new part for the whole's row; a key that Postgres counts up is left to it. */
function newPart(the: Parts, row: Row): Sql {
  const { part, deletedAt } = the;
  const key = part.key.type === 'uuid' ? [UUID] : part.key.type === 'string' ? [sql`(${UUID})::text`] : [];
  const given: [string, Sql][] = [
    ...key.map((made): [string, Sql] => [part.key.column, made]),
    [part.link, wholeKey(the, row)],
    ...part.fields.map(({ column }, at): [string, Sql] => [column, ofWhole(the, row)[at] ?? sql`null`]),
    ...part.stamps.map((field): [string, Sql] => [field.column, stampOf(field)]),
    ...(deletedAt === undefined ? [] : [[deletedAt, id(row, deletedAt)] as [string, Sql]]),
  ];
  return sql`insert into ${id(the.storage, part.table)} (${join(given.map(([column]) => id(column)))}) values (${join(given.map(([, one]) => one))});`;
}

// --- functions -------------------------------------------------------------------------------------------------------

const keyType = ({ whole }: Parts): Sql => typeOf(whole.key);

type Verb = 'promised' | 'written' | 'left' | 'back' | 'gone' | 'comes' | 'made' | 'told' | 'taken' | 'filled' | 'agrees';
const SOFT_VERBS: readonly Verb[] = ['left', 'back'];

const takes = (the: Parts, verb: Verb): Sql =>
  verb === 'promised' ? sql`bigint` : verb === 'filled' || verb === 'agrees' ? keyType(the) : sql``;

const made = (the: Parts, verb: Verb, returns: Sql, body: Sql): Sql =>
  plpgsql({ name: call(the, verb), takes: takes(the, verb), returns }, body);

const bodies = (the: Parts): Readonly<Record<Verb, () => Sql>> => ({
  promised: () => made(the, 'promised', sql`boolean`, PROMISED),
  written: () => wholeWritten(the),
  left: () => wholeLeft(the),
  back: () => wholeBack(the),
  gone: () => wholeGone(the),
  comes: () => partComes(the),
  made: () => partMade(the),
  told: () => partTold(the),
  taken: () => partTaken(the),
  filled: () => filled(the),
  agrees: () => agrees(the),
});

const verbsOf = (the: Parts): Verb[] =>
  (Object.keys(bodies(the)) as Verb[]).filter((verb) => the.deletedAt !== undefined || !SOFT_VERBS.includes(verb));

/** In the order in which they must come up: what others call, first. */
export const functionsOf = (the: Parts): Sql[] => verbsOf(the).map((verb) => bodies(the)[verb]());

/** One of all rows of all tables. */
const promiseOf = (the: Parts, row: Row): Sql => sql`hashtextextended(${literal(the.names.object(''))} || ${partKey(the, row)}::text, 0)`;

/** A client made or changed a whole, and has its row. A part that another has is waited for, unless he promises to write it himself. */
function wholeWritten(the: Parts): Sql {
  const its = belongs(the, 'new');
  const values = ofWhole(the, 'new');
  return made(
    the,
    'written',
    sql`trigger`,
    sql`
  declare _began timestamptz := clock_timestamp(); _part record;
  begin
    loop
      -- A backfill writes what the part says already.
      if exists (select from ${parts(the)} where ${its} and not ${differ(ofPart(the, 'p'), values)}) then return null; end if;
      select ${partKey(the, 'p')} into _part from ${parts(the)} where ${its} limit 1 for update skip locked;
      if found then
        if ${fits(the, values)} then
          ${toPart(the, partKey(the, '_part'), values)}
        else
          ${withoutPart(the, partKey(the, '_part'))}
        end if;
        return null;
      end if;
      if not exists (select from ${parts(the)} where ${its}) then
        if ${isDue(the, values)} then
          ${newPart(the, 'new')}
        end if;
        return null;
      elsif exists (select from ${parts(the)} where ${its} and ${call(the, 'promised')}(${promiseOf(the, 'p')})) then
        return null;
      elsif clock_timestamp() < _began + interval '500 milliseconds' then
        perform pg_sleep(0.002);
      else
        -- A wait that Postgres sees, and ends if it goes round in a circle.
        perform from ${parts(the)} where ${its} for update;
      end if;
    end loop;
  end`,
  );
}

/** A whole is deleted softly: its part goes along, or went before it and leaves it what it had. */
function wholeLeft(the: Parts): Sql {
  const deletedAt = id(the.deletedAt ?? '');
  return made(
    the,
    'left',
    sql`trigger`,
    sql`
  declare _part record;
  begin
    update ${parts(the)} set ${deletedAt} = ${id('new', the.deletedAt ?? '')}, ${raised('p')} where ${belongs(the, 'old')};
    if not found then
      select ${join(ofPart(the, 'p'))} into _part from ${parts(the)} where ${belongs(the, 'new')} limit 1;
      if found then
        ${toWhole(the, wholeKey(the, 'new'), ofPart(the, '_part'))}
      end if;
    end if;
    return null;
  end`,
  );
}

/** At commit, when whoever restores a whole with its parts has done so: the part that went with it is what counts. */
function wholeBack(the: Parts): Sql {
  const { part } = the;
  const deletedAt = id(the.deletedAt ?? '');
  const isThere = sql`exists (select from ${wholes(the)} where ${wholeKey(the, 't')} = ${wholeKey(the, 'new')} and ${isLive(the, 't')})
      and not exists (select from ${parts(the)} where ${link(the, 'p')} = ${wholeKey(the, 'new')} and ${isLive(the, 'p')})`;
  return made(
    the,
    'back',
    sql`trigger`,
    sql`
  declare _part record;
  begin
    if ${isThere} then
      update ${parts(the)} set ${deletedAt} = null, ${raised('p')} where ${partKey(the, 'p')} =
        (select ${partKey(the, 'p')} from ${parts(the)} where ${belongs(the, 'old')} limit 1) returning ${join([id('p', part.key.column), ...ofPart(the, 'p')])} into _part;
      if found then
        ${toWhole(the, wholeKey(the, 'new'), ofPart(the, '_part'))}
      end if;
    end if;
    return null;
  end`,
  );
}

const wholeGone = (the: Parts): Sql =>
  made(
    the,
    'gone',
    sql`trigger`,
    sql`
  begin
    delete from ${parts(the)} where ${link(the, 'p')} = ${wholeKey(the, 'old')};
    return null;
  end`,
  );

/** Before a part comes to a whole, while nobody can wait for it. */
const partComes = (the: Parts): Sql =>
  made(
    the,
    'comes',
    sql`trigger`,
    sql`
  begin
    perform from ${wholes(the)} where ${wholeKey(the, 't')} = ${link(the, 'new')} for no key update;
    return new;
  end`,
  );

const partMade = (the: Parts): Sql =>
  made(
    the,
    'made',
    sql`trigger`,
    sql`
  begin
    ${toWhole(the, link(the, 'new'), ofPart(the, 'new'))}
    return null;
  end`,
  );

const wholeOf = (the: Parts, key: Sql, into: Row): Sql =>
  sql`select ${join([wholeKey(the, 't'), ...ofWhole(the, 't')])} into ${raw(into)} from ${wholes(the)} where ${wholeKey(the, 't')} = ${key}`;

/** Has the row of the whole that the part was of. `meanwhile` runs where it had to be waited for. */
const locked = (the: Parts, meanwhile: Sql): Sql => sql`
    ${wholeOf(the, link(the, 'old'), '_before')};
    ${wholeOf(the, link(the, 'old'), '_whole')} for no key update skip locked;
    if not found then
      perform pg_advisory_xact_lock(${promiseOf(the, 'old')});
      ${wholeOf(the, link(the, 'old'), '_whole')} for no key update;
      ${meanwhile}
    end if;`;

const nothing = ({ whole }: Parts): Sql[] => whole.fields.map((field) => sql`null::${typeOf(field)}`);

const partTaken = (the: Parts): Sql =>
  made(
    the,
    'taken',
    sql`trigger`,
    sql`
  declare _before record; _whole record;
  begin
    ${locked(the, empty)}
    ${toWhole(the, link(the, 'old'), nothing(the))}
    return null;
  end`,
  );

/** No column begins like these: a bare name in a statement must not mean one. */
const variable = (at: number): Sql => raw(`_v${String(at)}`);

/** A part changed: its values, its whole, or whether it is there. What the whole's writer changed and this one did not is the whole's. */
function partTold(the: Parts): Sql {
  const { part } = the;
  const merged = part.fields.map((_, at) => variable(at));
  const [before, after] = [ofPart(the, 'old'), ofPart(the, 'new')];
  const [was, is] = [ofWhole(the, '_before'), ofWhole(the, '_whole')];
  const pairs = part.fields.map((_, at) => ({
    kept: sql`${after[at] ?? empty} is not distinct from ${before[at] ?? empty}`,
    changed: sql`${is[at] ?? empty} is distinct from ${was[at] ?? empty}`,
    take: sql`${variable(at)} := ${is[at] ?? empty};`,
  }));
  const meanwhile = sql`if found then
        ${join(
          pairs.map(({ kept, changed, take }) => sql`if ${kept} and ${changed} then ${take} end if;`),
          ' ',
        )}
      end if;`;
  const stays = and([isLive(the, 'new'), sql`${link(the, 'new')} is not null`]);
  return made(
    the,
    'told',
    sql`trigger`,
    sql`
  declare _before record; _whole record; ${join(
    part.fields.map((field, at) => sql`${variable(at)} ${typeOf(field)} := ${after[at] ?? empty};`),
    ' ',
  )}
  begin
    if ${and([isLive(the, 'old'), sql`${link(the, 'old')} is not null`])} then
      ${locked(the, meanwhile)}
      if ${link(the, 'new')} is distinct from ${link(the, 'old')} or not ${isLive(the, 'new')} then
        ${toWhole(the, link(the, 'old'), nothing(the))}
      end if;
    end if;
    if ${stays} then
      ${toWhole(the, link(the, 'new'), merged)}
      if not ${fits(the, merged)} then
        ${withoutPart(the, partKey(the, 'new'))}
      elsif ${differ(merged, after)} then
        ${toPart(the, partKey(the, 'new'), merged)}
      end if;
    end if;
    return null;
  end`,
  );
}

// --- backfill and verification ---------------------------------------------------------------------------------------

/** Brings one whole into step by the place that counted so far. What it reads it has locked before. */
function filled(the: Parts): Sql {
  const key = sql`$1`;
  const { deletedAt, direction } = the;
  const columns = join([wholeKey(the, 't'), ...ofWhole(the, 't'), ...(deletedAt === undefined ? [] : [id('t', deletedAt)])]);
  const work =
    direction === 'split'
      ? sql`if ${isDue(the, ofWhole(the, '_whole'))} and not exists (select from ${parts(the)} where ${belongs(the, '_whole')}) then
      ${newPart(the, '_whole')}
    end if;`
      : sql`select ${join(ofPart(the, 'p'))} into _part from ${parts(the)} where ${belongs(the, '_whole')} limit 1;
    if found then
      update ${wholes(the)} set ${assigned(the.whole.fields, ofPart(the, '_part'))} where ${wholeKey(the, 't')} = ${key};
    end if;`;
  return made(
    the,
    'filled',
    sql`boolean`,
    sql`
  declare _whole record; _part record;
  begin
    select ${columns} into _whole from ${wholes(the)} where ${wholeKey(the, 't')} = ${key} for no key update;
    if not found then return true; end if;
    ${work}
    return true;
  end`,
  );
}

export const filledFor = (the: Parts, row: string): Sql => sql`${call(the, 'filled')}(${id(row, the.whole.key.column)})`;

/** Whether there is something to fill for the whole `t`. */
export const isUnfilled = (the: Parts): Sql =>
  the.direction === 'split'
    ? sql`(${isDue(the, ofWhole(the, 't'))}) and not exists (select from ${parts(the)} where ${belongs(the, 't')})`
    : sql`exists (select from ${parts(the)} where ${belongs(the, 't')} and ${differ(ofPart(the, 'p'), ofWhole(the, 't'))})`;

/** The whole `t` and its part say the same; without a part it has no values that ask for one. */
const inStep = (the: Parts): Sql =>
  sql`coalesce((select not ${differ(ofPart(the, 'p'), ofWhole(the, 't'))} from ${parts(the)} where ${belongs(the, 't')} limit 1), not (${isDue(the, ofWhole(the, 't'))}))`;

const agrees = (the: Parts): Sql =>
  made(the, 'agrees', sql`boolean`, agreesUnless(sql`select from ${wholes(the)} where ${wholeKey(the, 't')} = $1 and not ${inStep(the)}`));

export const agreesFor = (the: Parts): Sql =>
  sql`case when ${inStep(the)} then true else ${call(the, 'agrees')}(${wholeKey(the, 't')}) end`;

/** Wholes with values that no part can be made of, for something that it requires is missing. */
export const isIncomplete = (the: Parts): Sql =>
  and([or(ofWhole(the, 't').map((one) => sql`${one} is not null`)), sql`not (${fits(the, ofWhole(the, 't'))})`]);

/** Live parts with values that belong to no whole. */
export const isLoose = (the: Parts): Sql =>
  and([sql`${link(the, 'p')} is null`, isLive(the, 'p'), or(ofPart(the, 'p').map((one) => sql`${one} is not null`))]);

export { parts as partsOf, wholes as wholesOf };

// --- triggers --------------------------------------------------------------------------------------------------------

interface Trigger {
  readonly name: string;
  readonly on: 'whole' | 'part';
  readonly verb: Verb;
  readonly event: Sql;
  readonly when?: readonly Sql[];
  readonly isDeferred?: true;
}

/** What our own triggers write is written from within one. */
const BY_CLIENT = sql`pg_trigger_depth() = 0`;

/** The one that goes with a deleted whole comes before those of foreign keys, which are called `RI_...`. */
function triggers(the: Parts): Trigger[] {
  const { whole, part, deletedAt } = the;
  const of = (columns: readonly string[]): Sql => join(columns.map((column) => id(column)));
  const ends = [part.link, ...(deletedAt === undefined ? [] : [deletedAt])];
  const endOf = (row: Row): Sql[] => ends.map((column) => id(row, column));
  const linked = (row: Row): Sql => and([sql`${link(the, row)} is not null`, isLive(the, row)]);
  const given = or(ofWhole(the, 'new').map((one) => sql`${one} is not null`));
  return [
    { name: '0_gone', on: 'whole', verb: 'gone', event: sql`after delete` },
    { name: 'first', on: 'whole', verb: 'written', event: sql`after insert`, when: [BY_CLIENT, given] },
    {
      name: 'written',
      on: 'whole',
      verb: 'written',
      event: sql`after update of ${of(whole.fields.map(({ column }) => column))}`,
      when: [BY_CLIENT, differ(ofWhole(the, 'old'), ofWhole(the, 'new'))],
    },
    ...softTriggers(the),
    { name: 'comes', on: 'part', verb: 'comes', event: sql`before insert`, when: [BY_CLIENT, linked('new')] },
    {
      name: 'moves',
      on: 'part',
      verb: 'comes',
      event: sql`before update of ${of(ends)}`,
      when: [BY_CLIENT, linked('new'), differ(endOf('old'), endOf('new'))],
    },
    { name: 'made', on: 'part', verb: 'made', event: sql`after insert`, when: [BY_CLIENT, linked('new')] },
    {
      name: 'told',
      on: 'part',
      verb: 'told',
      event: sql`after update of ${of([...part.fields.map(({ column }) => column), ...ends])}`,
      when: [BY_CLIENT, differ([...ofPart(the, 'old'), ...endOf('old')], [...ofPart(the, 'new'), ...endOf('new')])],
    },
    { name: 'taken', on: 'part', verb: 'taken', event: sql`after delete`, when: [BY_CLIENT, linked('old')] },
  ];
}

function softTriggers({ deletedAt }: Parts): Trigger[] {
  if (deletedAt === undefined) return [];
  const event = sql`after update of ${id(deletedAt)}`;
  const [was, is] = [sql`${id('old', deletedAt)} is null`, sql`${id('new', deletedAt)} is null`];
  return [
    { name: 'left', on: 'whole', verb: 'left', event, when: [BY_CLIENT, was, sql`not ${is}`] },
    { name: 'back', on: 'whole', verb: 'back', event, when: [BY_CLIENT, sql`not (${was})`, is], isDeferred: true },
  ];
}

const tableOf = ({ storage, whole, part }: Parts, on: Trigger['on']): Sql => id(storage, (on === 'whole' ? whole : part).table);

/** A digit comes first: see `triggers`. */
const nameOf = ({ names }: Parts, name: string): string =>
  name.startsWith('0_') ? `0_${names.object(name.slice(2))}` : names.object(name);

export const triggersOf = (the: Parts): Sql[] =>
  triggers(the).map(({ name, on, verb, event, when, isDeferred }) => {
    const kind = isDeferred === true ? sql`constraint trigger` : sql`trigger`;
    const late = isDeferred === true ? sql` deferrable initially deferred` : empty;
    const where = when === undefined ? empty : sql` when (${and(when)})`;
    return sql`create ${kind} ${id(nameOf(the, name))} ${event} on ${tableOf(the, on)}${late}
    for each row${where} execute function ${call(the, verb)}()`;
  });

/** The trigger that comes up last, by which a step is known to have run. */
export const lastTrigger = ({ part, names }: Parts): { table: string; name: string } => ({
  table: part.table,
  name: names.object('taken'),
});

export const dropTriggers = (the: Parts): Sql[] => [
  ...triggers(the).map(({ name, on }) => sql`drop trigger if exists ${id(nameOf(the, name))} on ${tableOf(the, on)}`),
  ...verbsOf(the)
    .reverse()
    .map((verb) => sql`drop function if exists ${call(the, verb)}(${takes(the, verb)})`),
];
