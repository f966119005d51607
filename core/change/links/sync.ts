/**
 * The triggers that keep a key and a link table in step: the key is one of the links, or null where there is none.
 *
 * They write only differences, so each comes to rest by itself. Where a link changes the row that holds the key is locked first;
 * no two transactions then work out the key of one record at once.
 */
import { columnType } from '../../model/field-types.ts';
import { VERSION_COLUMN, type FieldModel } from '../../model/model.ts';
import { id, raw, sql, type Sql } from '../../sql/sql.ts';
import { isWrittenHere, plpgsql } from '../function.ts';
import type { LinkMove } from './move.ts';

const typeOf = (field: FieldModel): Sql => raw(columnType(field));
const manyTable = ({ storage, many }: LinkMove): Sql => id(storage, many.entity.table);
const oneTable = ({ storage, one }: LinkMove): Sql => id(storage, one.entity.table);
const joinTable = ({ storage, join }: LinkMove): Sql => id(storage, join.table);

/** Both places say the same of the row, which is called `alias`. */
export function agrees(move: LinkMove, alias: string): Sql {
  const key = id(alias, move.many.held.column);
  const links = sql`select from ${joinTable(move)} "l" where ${id('l', move.join.many)} = ${id(alias, move.many.key.column)}`;
  return sql`case when ${key} is null then not exists (${links}) else exists (${links} and ${id('l', move.join.one)} = ${key}) end`;
}

/** Brings one record into step, by the place that counted so far. */
export const settle = (move: LinkMove, key: Sql): Sql =>
  sql`${id(move.storage, move.object(move.direction === 'to_links' ? 'link' : 'key'))}(${key})`;

const nameOf = (move: LinkMove, verb: string): Sql => id(move.storage, move.object(verb));

const triggerFunction = (move: LinkMove, verb: string, body: Sql): Sql =>
  plpgsql(
    { name: nameOf(move, verb), returns: sql`trigger` },
    sql`
  begin
    ${body}
  end`,
  );

/** No column begins like these: a bare name in a statement must not mean one. */
const THE = raw('_the');
const KEY = raw('_key');
const FIRST = raw('_first');
const OURS = raw('_ours');

/** In the order in which they must come up: what others call, first. */
export const functionsOf = (move: LinkMove): Sql[] => [
  keyFromLinks(move),
  linkFromKey(move),
  keyWritten(move),
  manyGone(move),
  oneGone(move),
  linkComes(move),
  linkWritten(move),
];

/**
 * The key stays for as long as it is one of the links; else the first of them takes its place, and the record has another version: what
 * a client of the keyed shape has in hand is stale. Whoever writes the record in the same transaction has raised it already and tells its
 * client so. A backfill tells nobody anything new.
 */
const keyFromLinks = (move: LinkMove): Sql => {
  const { many, one, join } = move;
  const version = id(VERSION_COLUMN);
  const raised = sql`${version} = ${id('t', VERSION_COLUMN)} + case when ${OURS} or pg_trigger_depth() = 0 then 0 else 1 end`;
  return plpgsql(
    { name: nameOf(move, 'key'), takes: sql`${THE} ${typeOf(many.key)}`, returns: sql`boolean` },
    sql`
  declare ${KEY} ${typeOf(one.key)}; ${FIRST} ${typeOf(one.key)}; ${OURS} boolean;
  begin
    perform from ${manyTable(move)} "t" where ${id('t', many.key.column)} = ${THE} for no key update;
    if not found then return true; end if;
    select ${id('t', many.held.column)}, ${isWrittenHere('t')} into ${KEY}, ${OURS} from ${manyTable(move)} "t" where ${id('t', many.key.column)} = ${THE};
    if exists (select from ${joinTable(move)} "l" where ${id('l', join.many)} = ${THE} and ${id('l', join.one)} = ${KEY}) then
      return true;
    end if;
    select ${id('l', join.one)} into ${FIRST} from ${joinTable(move)} "l" where ${id('l', join.many)} = ${THE}
      order by ${id('l', join.one)} limit 1;
    if ${FIRST} is distinct from ${KEY} then
      update ${manyTable(move)} "t" set ${id(many.held.column)} = ${FIRST}, ${raised} where ${id('t', many.key.column)} = ${THE};
    end if;
    return true;
  end`,
  );
};

const linkFromKey = (move: LinkMove): Sql => {
  const { many, one } = move;
  return plpgsql(
    { name: nameOf(move, 'link'), takes: sql`${THE} ${typeOf(many.key)}`, returns: sql`boolean` },
    sql`
  declare ${KEY} ${typeOf(one.key)};
  begin
    select ${id('t', many.held.column)} into ${KEY} from ${manyTable(move)} "t" where ${id('t', many.key.column)} = ${THE} for no key update;
    if ${KEY} is not null then ${linked(move, KEY, THE)} end if;
    return true;
  end`,
  );
};

const linked = (move: LinkMove, one: Sql, many: Sql): Sql =>
  sql`insert into ${joinTable(move)} (${id(move.join.one)}, ${id(move.join.many)}) values (${one}, ${many}) on conflict do nothing;`;

/** The new link before the old one goes, or the key would be taken for one without a link. */
const keyWritten = (move: LinkMove): Sql => {
  const { many, join } = move;
  const [now, was] = [id('new', many.held.column), id('old', many.held.column)];
  const the = id('new', many.key.column);
  return triggerFunction(
    move,
    'write',
    sql`if tg_op = 'UPDATE' then
      if ${now} is not distinct from ${was} then return null; end if;
    end if;
    if ${now} is not null then ${linked(move, now, the)} end if;
    if tg_op = 'UPDATE' then
      delete from ${joinTable(move)} "l" where ${id('l', join.many)} = ${the} and ${id('l', join.one)} = ${was};
    end if;
    return null;`,
  );
};

const manyGone = (move: LinkMove): Sql =>
  triggerFunction(
    move,
    'gone',
    sql`delete from ${joinTable(move)} "l" where ${id('l', move.join.many)} = ${id('old', move.many.key.column)};
    return null;`,
  );

const oneGone = (move: LinkMove): Sql => {
  const { one, many, join } = move;
  const links = sql`from ${joinTable(move)} "l" where ${id('l', join.one)} = ${id('old', one.key.column)}`;
  return triggerFunction(
    move,
    'left',
    sql`perform from ${manyTable(move)} "t" where ${id('t', many.key.column)} in (select ${id('l', join.many)} ${links})
      order by ${id('t', many.key.column)} for no key update;
    delete ${links};
    return null;`,
  );
};

const linkComes = (move: LinkMove): Sql =>
  triggerFunction(
    move,
    'comes',
    sql`perform from ${manyTable(move)} "t" where ${id('t', move.many.key.column)} = ${id('new', move.join.many)} for no key update;
    return new;`,
  );

const linkWritten = (move: LinkMove): Sql => {
  const settled = (row: string): Sql => sql`perform ${id(move.storage, move.object('key'))}(${id(row, move.join.many)});`;
  return triggerFunction(
    move,
    'linked',
    sql`if tg_op <> 'INSERT' then ${settled('old')} end if;
    if tg_op <> 'DELETE' then ${settled('new')} end if;
    return null;`,
  );
};

interface Trigger {
  readonly name: string;
  readonly verb: string;
  readonly event: Sql;
  readonly at: Sql;
}

/**
 * Parent before child. Triggers of one event run in the order of their names, and those of foreign keys are called
 * `RI_...`: links must be gone before those look, and a link is written when they have seen that its key is good.
 */
const triggers = (move: LinkMove): Trigger[] => {
  const { object } = move;
  const before = (verb: string): string => `0_${object(verb)}`;
  return [
    { name: before('left'), verb: 'left', event: sql`after delete`, at: oneTable(move) },
    { name: before('gone'), verb: 'gone', event: sql`after delete`, at: manyTable(move) },
    {
      name: object('write'),
      verb: 'write',
      event: sql`after insert or update of ${id(move.many.held.column)}`,
      at: manyTable(move),
    },
    { name: object('comes'), verb: 'comes', event: sql`before insert`, at: joinTable(move) },
    { name: object('linked'), verb: 'linked', event: sql`after insert or update or delete`, at: joinTable(move) },
  ];
};

export const triggersOf = (move: LinkMove): Sql[] =>
  triggers(move).map(
    ({ name, verb, event, at }) =>
      sql`create or replace trigger ${id(name)} ${event} on ${at} for each row execute function ${id(move.storage, move.object(verb))}()`,
  );

/** The trigger that comes up last but those of the link table, by which a step is known to have run. */
export const marker = (move: LinkMove): { table: string; name: string } => ({ table: move.many.entity.table, name: move.object('write') });

export const dropTriggers = (move: LinkMove): Sql[] => [
  ...triggers(move).map(({ name, at }) => sql`drop trigger if exists ${id(name)} on ${at}`),
  ...triggers(move).map(({ verb }) => sql`drop function if exists ${id(move.storage, move.object(verb))}()`),
  ...['key', 'link'].map((verb) => sql`drop function if exists ${id(move.storage, move.object(verb))}(${typeOf(move.many.key)})`),
];
