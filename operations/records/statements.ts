/**
 * The SQL of writes. Each kind of write is one statement that locks the stored row, tests the policy on the stored and on the
 * new row, changes it, appends the event and answers the record's JSON, so that nothing can come between.
 *
 * The exported functions take a request's values; what they build the text from (`Frame`, `Column`) has only open places, so
 * that the text is kept and the next request of the same shape just fills it.
 */
import { FULL_ACCESS, type Access } from '../../core/policy/access.ts';
import { shapeOf } from '../../core/policy/shape.ts';
import { DELETED_COLUMN, VERSION_COLUMN, type EntityModel, type FieldModel } from '../../core/model/model.ts';
import { COLUMN_TYPES, columnToJson, recordIdText, recordJson } from '../../core/sql/columns.ts';
import {
  and,
  empty,
  flattened,
  id,
  join,
  literal,
  opened,
  or,
  raw,
  render,
  slot,
  sql,
  type Sql,
  type SqlType,
} from '../../core/sql/sql.ts';
import type { Actor, AppContext, AppRuntime } from '../context.ts';
import { commentsOf } from './comments-of.ts';
import { keptStatement } from './kept.ts';
import { isLive } from './record-key.ts';
import { servedEntity } from '../served-shape.ts';

/** A field and the value bound to its column. */
export interface Assignment {
  readonly field: FieldModel;
  readonly value: unknown;
  /** Put in by the engine: whether the caller may write the field does not matter. */
  readonly byEngine?: boolean;
}

/** What a statement needs to know of who writes and how. */
export interface StatementOptions {
  readonly ctx: AppContext;
  readonly entity: EntityModel;
  /** Policy of the action itself and of reading the answer. */
  readonly access: Access;
  readonly read: Access;
  readonly hasEvent: boolean;
  /** Also answer every field, for what runs in Node afterwards. */
  readonly wantsRecord: boolean;
  /** The caller's read access to what a reference leads to. */
  readAccess(target: EntityModel): Access;
}

/**
 * The one row a write statement answers; no row means that there is no such record. What cannot be otherwise is left out: each
 * column is described and read again with every answer.
 */
export interface StatementResult {
  readonly id: string | null;
  readonly version: string | null;
  /** The record's JSON, only what the caller may read. */
  readonly text: string | null;
  /** The record's JSON, every field; only when it was wanted. */
  readonly record?: string | null;
  /** Fields in `text` that the caller may not read in this very row. */
  readonly hidden?: readonly string[];
  /** Left out: true. */
  readonly readable?: boolean;
  /** Left out: true. */
  readonly allowed?: boolean;
  /** Assigned fields the caller may not write in this row. */
  readonly refused?: readonly string[];
  /** Whether the new row passes the policy; null when it was not reached. */
  readonly passed?: boolean | null;
  /** References to records that do not exist (any more). */
  readonly missing?: readonly string[];
  readonly changed?: boolean | null;
  readonly old_version?: string | null;
}

// --- from values to places -------------------------------------------------------------------------------------------

/** `StatementOptions` without anything of one request. */
export interface Frame {
  readonly app: AppRuntime;
  readonly entity: EntityModel;
  readonly access: Access;
  readonly read: Access;
  readonly hasEvent: boolean;
  readonly wantsRecord: boolean;
  /** Read access to referenced entities of which the caller sees some rows only. */
  readonly targets: ReadonlyMap<EntityModel, Access>;
}

/** An assigned field, and the place of its value. */
interface Column {
  readonly field: FieldModel;
  readonly byEngine: boolean;
  readonly isNull: boolean;
  readonly bound: Sql;
}

/** The first places of every statement. */
const ACTOR = slot(0, 'jsonb');
const CAUSE = slot(1, 'text');
const DEPTH = slot(2, 'integer');

const actors = new WeakMap<Actor, string>();

function actorText(actor: Actor): string {
  let text = actors.get(actor);
  if (text === undefined) {
    const { kind, id, roles, keyId, by } = actor;
    actors.set(actor, (text = JSON.stringify({ kind, id, roles, key: keyId, by })));
  }
  return text;
}

/** Asked for only when the text has to be made. */
type Later<T> = () => T;

/** Gathers a request's values and the key of its shape. */
export class Shape {
  readonly #options: StatementOptions;
  readonly #given: unknown[];
  #key: string;
  readonly #targets = new Map<EntityModel, Access>();

  constructor(kind: string, options: StatementOptions) {
    const { ctx, entity, hasEvent, wantsRecord } = options;
    this.#options = options;
    this.#given = [actorText(ctx.actor), ctx.cause, ctx.depth];
    this.#key = `${kind}${hasEvent ? ' e' : ''}${wantsRecord ? ' r' : ''} ${entity.name}`;
  }

  /** Something the text depends on and that is no value. */
  also(fact: string): void {
    this.#key += ` ${fact}`;
  }

  columns(assigned: readonly Assignment[]): Later<readonly Column[]> {
    const from = this.#given.length;
    for (const { field, value, byEngine } of assigned) {
      this.#given.push(value);
      this.#key += ` ${field.name}`;
      if (byEngine === true) this.#key += '!';
      if (value === null && isReference(field)) this.#key += '-';
      else if (byEngine !== true) this.refer(field);
    }
    this.#key += ';';
    return () =>
      assigned.map(({ field, value, byEngine }, index) => ({
        field,
        byEngine: byEngine === true,
        isNull: value === null,
        bound: slot(from + index, COLUMN_TYPES[field.type]),
      }));
  }

  /** Referring to a record one may not read would tell whether it exists. */
  refer({ references }: FieldModel): void {
    const { ctx, readAccess } = this.#options;
    const target = references === undefined ? undefined : ctx.app.model.entities.get(references);
    if (target === undefined || this.#targets.has(target)) return;
    const access = readAccess(target);
    if (access.isGranted && access.where('_p') !== undefined) this.#targets.set(target, access);
  }

  /** A condition that was made with its values. */
  condition(condition: Sql): Later<Sql> {
    const { text, values } = render(condition);
    const from = this.#given.push(...values) - values.length;
    this.#key += ` ${text};`;
    return () => opened(condition, from);
  }

  versions(versions: readonly string[] | undefined): Later<Sql | undefined> {
    if (versions === undefined) return () => undefined;
    // One is what nearly every request names.
    const isOne = versions.length === 1;
    this.#key += isOne ? ' v' : ' vs';
    const place = this.#given.push(isOne ? versions[0] : versions) - 1;
    return () => (isOne ? slot(place, 'bigint') : sql`any(${slot(place, 'bigint[]')})`);
  }

  /** A value for which the caller of `also` says where it goes. */
  place(value: unknown, type: SqlType): Sql {
    return slot(this.#given.push(value) - 1, type);
  }

  statement(build: (frame: Frame) => Sql): Sql {
    const { ctx, entity, hasEvent, wantsRecord } = this.#options;
    const access = shapeOf(this.#options.access, entity);
    const read = shapeOf(this.#options.read, entity);
    const from = this.#given.push(...access.values) - access.values.length;
    const readFrom = this.#given.push(...read.values) - read.values.length;
    let key = `${this.#key} ${access.key} ${read.key}`;
    const opens: (() => [EntityModel, Access])[] = [];
    for (const [target, targetAccess] of this.#targets) {
      const shape = shapeOf(targetAccess, target);
      const place = this.#given.push(...shape.values) - shape.values.length;
      key += ` ${target.name}:${shape.key}`;
      opens.push(() => [target, shape.open(place)]);
    }
    return keptStatement(ctx.app, key, this.#given, () => {
      const targets = new Map(opens.map((open) => open()));
      return build({ app: ctx.app, entity, hasEvent, wantsRecord, access: access.open(from), read: read.open(readFrom), targets });
    });
  }
}

const isReference = (field: FieldModel): boolean => field.type === 'file' || field.references !== undefined;
const clientsFields = (assigned: readonly Column[]): FieldModel[] => assigned.flatMap(({ field, byEngine }) => (byEngine ? [] : [field]));

// --- parts -----------------------------------------------------------------------------------------------------------

export const column = (alias: string, field: FieldModel): Sql => id(alias, field.column);
export const tableOf = ({ app, entity }: Frame): Sql => id(app.storage, entity.table);
/** What is read of stored rows; locking them here locks those of the table. */
export const rowsOf = ({ app, entity }: Frame): Sql => id(app.storage, entity.rows);
const settingsOf = ({ app }: Frame) => app.model.settings;
export const as = (part: Sql | undefined, name: string): Sql[] => (part === undefined ? [] : [sql`${part} as ${id(name)}`]);

const TEXTS = {};

/** Parts without values are the same text in every statement of a schema version. */
function constant({ app, entity }: Frame, key: string, build: () => Sql): Sql {
  const texts = app.memo(TEXTS, () => new Map<string, Sql>());
  const name = `${entity.name} ${key}`;
  let part = texts.get(name);
  if (part === undefined) texts.set(name, (part = flattened(build())));
  return part;
}

export const fullJson = (frame: Frame, alias: string): Sql =>
  constant(frame, `json ${alias}`, () => recordJson(frame.entity, frame.app.storage, alias, settingsOf(frame)));

export const idText = (frame: Frame, alias: string): Sql => constant(frame, `id ${alias}`, () => recordIdText(frame.entity, alias));

const someJson = (frame: Frame, alias: string, fields: readonly string[]): Sql =>
  constant(frame, `json ${alias} ${fields.join()}`, () =>
    recordJson(frame.entity, frame.app.storage, alias, settingsOf(frame), { fields }),
  );

/** The caller's view of a row: readable fields, or the key alone when the row is outside the read scope. */
export function readableJson(frame: Frame, alias: string): Sql {
  const { entity, read } = frame;
  if (read === FULL_ACCESS) return fullJson(frame, alias);
  const keyOnly = someJson(
    frame,
    alias,
    entity.key.map((field) => field.name),
  );
  if (!read.isGranted) return keyOnly;
  const names = [...entity.fields.keys()];
  const fields = names.filter((name) => read.field(name).mode !== 'never');
  const json = fields.length === names.length ? fullJson(frame, alias) : someJson(frame, alias, fields);
  const scope = read.where(alias);
  return scope === undefined ? json : sql`case when ${scope} then ${json} else ${keyOnly} end`;
}

/** The names whose row-dependent condition does not hold, as a text[]; undefined when that can be none. */
export function failing(fields: Iterable<FieldModel>, access: Access, alias: string): Sql | undefined {
  if (access === FULL_ACCESS) return undefined;
  const parts: Sql[] = [];
  for (const field of fields) {
    const { mode, when } = access.field(field.name);
    if (mode === 'conditional' && when !== undefined) parts.push(sql`case when (${when(alias)}) then null else ${literal(field.name)} end`);
  }
  return namesArray(parts);
}

export const namesArray = (parts: readonly Sql[]): Sql | undefined =>
  parts.length === 0 ? undefined : sql`array_remove(array[${join(parts)}]::text[], null)`;

export const jsonText = (json: Sql): Sql => sql`(${json})::text`;
export const isHolding = (condition: Sql): Sql => sql`coalesce(${condition}, false)`;
const isEmptyList = (alias: string, name: string): Sql => sql`cardinality(${id(alias, name)}) = 0`;
const whereAll = (conditions: readonly Sql[]): Sql => (conditions.length === 0 ? empty : sql` where ${and(conditions)}`);

/** A row as events tell it. */
export const toldJson = (frame: Frame, alias: string): Sql => sql`${fullJson(toldFrame(frame) ?? frame, alias)}::jsonb`;

interface EventRow {
  readonly alias: string;
  readonly from: Sql;
  readonly record: Sql;
  readonly old: Sql;
}

/**
 * Events speak the shape that is served, whichever one a client wrote in: the same row under that version's names. Undefined
 * where the served version has no such entity any more: nobody is left to tell.
 */
export function toldFrame(frame: Frame): Frame | undefined {
  const { beside } = frame.app;
  if (beside === undefined) return frame;
  const entity = servedEntity(frame.app, frame.entity);
  return entity === undefined ? undefined : { ...frame, app: beside.served, entity };
}

export function eventInsert(frame: Frame, action: 'create' | 'update' | 'delete' | 'restore', row: EventRow): Sql {
  const told = frame.hasEvent ? toldFrame(frame) : undefined;
  if (told === undefined) return empty;
  const { app, entity } = told;
  return sql`, "_logged" as (
    insert into ${id('durabase', 'events')} (app, entity, record_id, action, record_version, schema_version, actor, record, old, cause, depth)
    select ${literal(app.id)}, ${literal(entity.name)}, ${idText(told, row.alias)}, ${literal(action)},
      ${id(row.alias, VERSION_COLUMN)}, ${literal(String(app.version))}::integer, ${ACTOR}, ${row.record}, ${row.old}, ${CAUSE}, ${DEPTH}
    from ${row.from})`;
}

export const createdEvent = (frame: Frame, alias: string): Sql =>
  eventInsert(frame, 'create', {
    alias,
    from: id(alias),
    record: toldJson(frame, alias),
    old: raw('null::jsonb'),
  });

/**
 * Parents that may vanish softly are locked and looked at again; the foreign key alone would not notice. Those the caller may
 * not read are as absent as others that do not exist. Files have no foreign key at all.
 */
function referenceChecks(frame: Frame, assigned: readonly Column[]): { name: string; field: FieldModel; query: Sql }[] {
  return assigned.flatMap((part, index) => {
    const condition = part.isNull ? undefined : referenced(frame, part);
    return condition === undefined
      ? []
      : [{ name: `_p${String(index)}`, field: part.field, query: sql`(select 1 from ${condition} for key share)` }];
  });
}

function referenced({ app, entity, targets }: Frame, { field, bound, byEngine }: Column): Sql | undefined {
  if (field.type === 'file') return sql`${id(app.storage, '_files')} "_p" where ${id('_p', 'id')} = ${bound}`;
  const target = field.references === undefined ? undefined : app.model.entities.get(field.references);
  const scope = target === undefined || byEngine ? undefined : targets.get(target)?.where('_p');
  if (target === undefined || (!target.hasSoftDelete && scope === undefined)) return undefined;
  const end = entity.relations.find((candidate) => candidate.direction === 'forward' && candidate.localColumn === field.column);
  const key = end?.targetColumn ?? target.key[0]?.column ?? 'id';
  const live = target.hasSoftDelete ? [sql`${id('_p', DELETED_COLUMN)} is null`] : [];
  const conditions = [sql`${id('_p', key)} = ${bound}`, ...live, ...(scope === undefined ? [] : [scope])];
  return sql`${id(app.storage, target.rows)} "_p" where ${and(conditions)}`;
}

type ReferenceCheck = ReturnType<typeof referenceChecks>[number];

const referenceQueries = (references: readonly ReferenceCheck[]): Sql =>
  join(
    references.map(({ name, query }) => sql`, ${id(name)} as ${query}`),
    '',
  );

/** The references that lead nowhere; on update only those that change. Undefined when none is looked at. */
function missing(references: readonly ReferenceCheck[], old: string | undefined): Sql | undefined {
  return namesArray(
    references.map(({ name, field }) => {
      const isSame = old === undefined ? raw('false') : sql`${column(old, field)} is not distinct from ${column('n', field)}`;
      return sql`case when ${isSame} or exists (select 1 from ${id(name)}) then null else ${literal(field.name)} end`;
    }),
  );
}

// --- create ----------------------------------------------------------------------------------------------------------

/** Inserts one row. Answers exactly one row: `id` is null when policy or a missing reference kept it out. */
export function insertStatement(options: StatementOptions, assigned: readonly Assignment[]): Sql {
  const shape = new Shape('insert', options);
  const columns = shape.columns(assigned);
  return shape.statement((frame) => insertSql(frame, columns()));
}

function insertSql(frame: Frame, assigned: readonly Column[]): Sql {
  const { access, entity } = frame;
  const references = referenceChecks(frame, assigned);
  const policy = access.where('c');
  const passed = policy === undefined ? undefined : isHolding(policy);
  const refused = failing(clientsFields(assigned), access, 'c');
  const absent = missing(references, undefined);
  const columns = join([...assigned.map(({ field }) => id(field.column)), id(VERSION_COLUMN)]);
  // Nothing to test before the row exists: what the database is told is a bare insert with its event.
  if (passed === undefined && refused === undefined && absent === undefined) {
    const values = join([...assigned.map(({ bound }) => bound), raw('1')]);
    const row = sql`"i" as (insert into ${tableOf(frame)} (${columns}) values (${values}) returning *)`;
    return sql`with ${row}${createdEvent(frame, 'i')} select ${join(insertedColumns(frame))} from "i"`;
  }
  const { judged, gates, answers } = judging({ passed, refused, absent });
  return sql`with ${candidate(entity, assigned)}${referenceQueries(references)},
  "_judged" as (select ${judged} from "_candidate" "c"),
  "i" as (insert into ${tableOf(frame)} (${columns})
    select ${join([...assigned.map(({ field }) => column('j', field)), raw('1')])} from "_judged" "j"
    where ${and(gates)} returning *)${createdEvent(frame, 'i')}
  select ${join([...insertedColumns(frame), ...answers])} from "_judged" "j" left join "i" on true`;
}

/** What may be wrong with a candidate `c`; undefined: nothing of the kind. */
interface Verdicts {
  readonly passed: Sql | undefined;
  readonly refused: Sql | undefined;
  readonly absent: Sql | undefined;
}

/** The columns of `_judged`, which of its rows `j` get in, and what the answer says of each. */
export function judging({ passed, refused, absent }: Verdicts): {
  readonly judged: Sql;
  readonly gates: readonly Sql[];
  readonly answers: readonly Sql[];
} {
  return {
    judged: join([raw('"c".*'), ...as(passed, '_passed'), ...as(refused, '_refused'), ...as(absent, '_missing')]),
    gates: [
      ...(passed === undefined ? [] : [raw('"j"."_passed"')]),
      ...(absent === undefined ? [] : [isEmptyList('j', '_missing')]),
      ...(refused === undefined ? [] : [isEmptyList('j', '_refused')]),
    ],
    answers: [
      ...(refused === undefined ? [] : [raw('"j"."_refused" as refused')]),
      ...(passed === undefined ? [] : [raw('"j"."_passed" as passed')]),
      ...(absent === undefined ? [] : [raw('"j"."_missing" as missing')]),
    ],
  };
}

const insertedColumns = (frame: Frame): Sql[] => [
  sql`${idText(frame, 'i')} as id`,
  sql`${id('i', VERSION_COLUMN)}::text as version`,
  sql`${jsonText(readableJson(frame, 'i'))} as text`,
  ...(frame.wantsRecord ? [sql`${jsonText(fullJson(frame, 'i'))} as record`] : []),
  ...as(failing(frame.entity.fields.values(), frame.read, 'i'), 'hidden'),
];

/** A row with every column of the entity, so that a policy can be asked about it before it exists. */
function candidate(entity: EntityModel, assigned: readonly Column[]): Sql {
  const given = new Map(assigned.map(({ field, bound }) => [field.column, bound]));
  const columns = [...entity.fields.values()].map((field) => {
    const bound = given.get(field.column) ?? raw(`null::${COLUMN_TYPES[field.type]}`);
    return sql`${bound} as ${id(field.column)}`;
  });
  columns.push(sql`1::bigint as ${id(VERSION_COLUMN)}`);
  if (entity.hasSoftDelete && !entity.fields.has(DELETED_COLUMN)) columns.push(sql`null::timestamptz as ${id(DELETED_COLUMN)}`);
  return sql`"_candidate" as (select ${join(columns)})`;
}

// --- update ----------------------------------------------------------------------------------------------------------

export interface UpdateInput {
  /** Names the record under the alias `t`. */
  readonly condition: Sql;
  readonly assigned: readonly Assignment[];
  /** Set along with a change, but no change by themselves (`auto: update`). */
  readonly stamps: readonly Assignment[];
  /** The versions of which the record must still have one. */
  readonly versions: readonly string[] | undefined;
  /** False: the event was or will be written by somebody else, and `_version` stays. */
  readonly raisesVersion?: boolean;
  /** A change of something outside the row (its links): the version and the event say so although no column differs. */
  readonly isForced?: boolean;
}

/** Updates one row. No row: there is none, or not for this caller (`readable` false). */
export function updateStatement(options: StatementOptions, input: UpdateInput): Sql {
  const shape = new Shape('update', options);
  if (input.raisesVersion === false) shape.also('=');
  if (input.isForced === true) shape.also('!');
  const condition = shape.condition(input.condition);
  const assigned = shape.columns(input.assigned);
  const stamps = shape.columns(input.stamps);
  const version = shape.versions(input.versions);
  return shape.statement((frame) =>
    updateSql(frame, input, { condition: condition(), assigned: assigned(), version: version() }, stamps()),
  );
}

type UpdateKind = Pick<UpdateInput, 'raisesVersion' | 'isForced'>;

function updateSql(frame: Frame, kind: UpdateKind, row: LockedRow, stamps: readonly Column[]): Sql {
  const { entity, access } = frame;
  const { assigned } = row;
  const references = referenceChecks(frame, assigned);
  const policy = access.where('n');
  const passed = policy === undefined ? undefined : isHolding(policy);
  const absent = missing(references, 'o');
  // A list that held for the stored row and not for the new one would let the very change leave it.
  const refused = failing(clientsFields(assigned), access, 'n');
  // Without anything to judge, the new row need not be laid out beside the stored one.
  const isJudged = passed !== undefined || absent !== undefined || refused !== undefined;
  const locked = lockedRow(frame, row, raw('for no key update'));
  const differs =
    kind.isForced === true
      ? raw('true')
      : or(assigned.map(({ field, bound }) => sql`${column('o', field)} is distinct from ${isJudged ? column('n', field) : bound}`));
  const sets = [
    ...assigned.map(({ field, bound }) => sql`${id(field.column)} = ${isJudged ? column('j', field) : bound}`),
    ...stamps.map(({ field, bound }) => sql`${id(field.column)} = ${bound}`),
  ];
  if (kind.raisesVersion !== false) sets.push(sql`${id(VERSION_COLUMN)} = ${id('t', VERSION_COLUMN)} + 1`);
  const key = entity.key.map((field) => sql`${column('t', field)} = ${column(isJudged ? 'j' : 'o', field)}`);
  const gates = isJudged
    ? [
        raw('"j"."_changed"'),
        ...(passed === undefined ? [] : [raw('"j"."_passed"')]),
        ...(absent === undefined ? [] : [isEmptyList('j', '_missing')]),
        ...(refused === undefined ? [] : [isEmptyList('j', '_refused')]),
      ]
    : [...locked.gates, differs];
  const judged = join([
    raw('"n".*'),
    ...as(passed, '_passed'),
    ...as(absent, '_missing'),
    ...as(refused, '_refused'),
    sql`(${differs}) as "_changed"`,
  ]);
  const next = sql`, "_next" as (select ${nextRow(entity, assigned)} from "o"${whereAll(locked.gates)}),
  "_judged" as (select ${judged} from "_next" "n" cross join "o")`;
  const event = eventInsert(frame, 'update', {
    alias: 'u',
    from: raw('"u" cross join "o"'),
    record: toldJson(frame, 'u'),
    old: changedBefore(frame, [...assigned, ...stamps]),
  });
  const isReached = isJudged ? raw('"j"."_changed" is not null') : locked.gates.length === 0 ? undefined : and(locked.gates);
  const answers = [
    ...updatedColumns(frame),
    ...locked.answers,
    ...as(locked.refused && (refused === undefined ? locked.refused : sql`${locked.refused} || coalesce("j"."_refused", '{}')`), 'refused'),
    // Null where the row was not even judged: it is not the version that was asked for.
    ...(isReached === undefined
      ? []
      : [sql`case when ${isReached} then ${passed === undefined ? raw('true') : raw('"j"."_passed"')} end as passed`]),
    ...(absent === undefined ? [] : [raw(`coalesce("j"."_missing", '{}'::text[]) as missing`)]),
  ];
  return sql`with ${locked.query}${referenceQueries(references)}${isJudged ? next : empty},
  "u" as (update ${tableOf(frame)} "t" set ${join(sets)} from ${isJudged ? raw('"_judged" "j"') : raw('"o"')}
    where ${and([...key, ...gates])} returning "t".*)${event}
  select ${join(answers)} from "o"${isJudged ? raw(' left join "_judged" "j" on true') : empty} left join "u" on true`;
}

/** The new row where it was written, else the stored one. */
function updatedColumns(frame: Frame): Sql[] {
  const isUnchanged = sql`${id('u', VERSION_COLUMN)} is null`;
  const either = (of: (alias: string) => Sql): Sql => sql`case when ${isUnchanged} then ${of('o')} else ${of('u')} end`;
  const hidden = (alias: string): Sql | undefined => failing(frame.entity.fields.values(), frame.read, alias);
  return [
    sql`${idText(frame, 'o')} as id`,
    sql`coalesce(${id('u', VERSION_COLUMN)}, ${id('o', VERSION_COLUMN)})::text as version`,
    sql`${either((alias) => jsonText(readableJson(frame, alias)))} as text`,
    ...(frame.wantsRecord ? [sql`${either((alias) => jsonText(fullJson(frame, alias)))} as record`] : []),
    ...(hidden('o') === undefined ? [] : [sql`${either((alias) => hidden(alias) ?? empty)} as hidden`]),
  ];
}

/** The event of a row that is in its place already. */
export function createdEventStatement(options: StatementOptions, condition: Sql): Sql {
  const shape = new Shape('created', options);
  const place = shape.condition(condition);
  return shape.statement(
    (frame) => sql`with "t" as (select "t".* from ${tableOf(frame)} "t" where ${place()})${createdEvent(frame, 't')} select 1 as done`,
  );
}

interface LockedRow {
  readonly condition: Sql;
  readonly assigned: readonly Column[];
  readonly version: Sql | undefined;
}

/** The stored row under its lock, what must hold of it, and the columns that say what did not. */
interface Locked {
  /** `"o" as (...)` */
  readonly query: Sql;
  readonly gates: readonly Sql[];
  readonly answers: readonly Sql[];
  /** The assigned fields the caller may not write in this row, as a text[]; undefined when that can be none. */
  readonly refused: Sql | undefined;
}

/** `o`: the stored row as it is under the lock, with what the policies say of it. */
function lockedRow(frame: Frame, row: LockedRow, lock: Sql): Locked {
  const { entity, access, read } = frame;
  const scope = read.where('t');
  const policy = access.where('t');
  const readable = read.isGranted ? (scope === undefined ? undefined : isHolding(scope)) : raw('false');
  const allowed = policy === undefined ? undefined : isHolding(policy);
  const refused = failing(clientsFields(row.assigned), access, 't');
  const current = row.version === undefined ? undefined : sql`(${id('t', VERSION_COLUMN)} = ${row.version})`;
  const live = isLive(entity, 't');
  const columns = [
    raw('"t".*'),
    ...as(readable, '_readable'),
    ...as(allowed, '_allowed'),
    ...as(refused, '_refused'),
    ...as(current, '_current'),
  ];
  const isIt = live === undefined ? row.condition : and([row.condition, live]);
  return {
    query: sql`"o" as (select ${join(columns)} from ${rowsOf(frame)} "t" where ${isIt} ${lock})`,
    gates: [
      ...(readable === undefined ? [] : [raw('"o"."_readable"')]),
      ...(allowed === undefined ? [] : [raw('"o"."_allowed"')]),
      ...(current === undefined ? [] : [raw('"o"."_current"')]),
      ...(refused === undefined ? [] : [isEmptyList('o', '_refused')]),
    ],
    answers: [
      ...(readable === undefined ? [] : [raw('"o"."_readable" as readable')]),
      ...(allowed === undefined ? [] : [raw('"o"."_allowed" as allowed')]),
      ...(current === undefined ? [] : [sql`${id('o', VERSION_COLUMN)}::text as old_version`]),
    ],
    refused: refused && raw('"o"."_refused"'),
  };
}

function nextRow(entity: EntityModel, assigned: readonly Column[]): Sql {
  const given = new Map(assigned.map(({ field, bound }) => [field.column, bound]));
  const columns = [...entity.fields.values()].map((field) => {
    const bound = given.get(field.column);
    return bound === undefined ? column('o', field) : sql`${bound} as ${id(field.column)}`;
  });
  columns.push(id('o', VERSION_COLUMN));
  if (entity.hasSoftDelete && !entity.fields.has(DELETED_COLUMN)) columns.push(id('o', DELETED_COLUMN));
  return join(columns);
}

/** The assigned fields that really changed, with their values before. */
function changedBefore(frame: Frame, assigned: readonly Column[]): Sql {
  const told = toldFrame(frame);
  const fields = told === undefined ? [] : toldFields(frame, told, assigned);
  if (fields.length === 0) return raw(`'{}'::jsonb`);
  return join(
    fields.map(
      (field) => sql`case when ${column('o', field)} is distinct from ${column('u', field)}
    then jsonb_build_object(${literal(field.name)}, ${columnToJson(field, frame.app.storage, 'o', settingsOf(frame))}) else '{}'::jsonb end`,
    ),
    ' || ',
  );
}

/** What was assigned, as the served version calls it, and what the database converts along with it. */
function toldFields(frame: Frame, told: Frame, assigned: readonly Column[]): FieldModel[] {
  if (told === frame) return assigned.map(({ field }) => field);
  const columns = new Set(assigned.map(({ field }) => field.column));
  const own = new Set([...frame.entity.fields.values()].map((field) => field.column));
  return [...told.entity.fields.values()].filter((field) => columns.has(field.column) || !own.has(field.column));
}

// --- read under lock, delete -----------------------------------------------------------------------------------------

/** Reads the whole stored row, locked unless `lock` is `none`, with what the policies say of it. */
export function readStatement(
  options: StatementOptions,
  input: Pick<UpdateInput, 'condition' | 'assigned' | 'versions'>,
  lock: 'none' | 'update' | 'delete',
): Sql {
  const shape = new Shape(`read-${lock}`, options);
  const condition = shape.condition(input.condition);
  const assigned = shape.columns(input.assigned);
  const version = shape.versions(input.versions);
  const text = lock === 'none' ? empty : lock === 'update' ? raw('for no key update') : raw('for update');
  return shape.statement((frame) => {
    const row = { condition: condition(), assigned: assigned(), version: version() };
    const locked = lockedRow(frame, row, text);
    const answers = [
      sql`${idText(frame, 'o')} as id`,
      sql`${id('o', VERSION_COLUMN)}::text as version`,
      sql`${jsonText(fullJson(frame, 'o'))} as record`,
      sql`${jsonText(readableJson(frame, 'o'))} as text`,
      ...as(failing(frame.entity.fields.values(), frame.read, 'o'), 'hidden'),
      ...locked.answers,
      ...as(locked.refused, 'refused'),
      ...(row.version === undefined ? [] : [raw('"o"."_current" as changed')]),
    ];
    return sql`with ${locked.query} select ${join(answers)} from "o"`;
  });
}

export interface DeleteInput extends Pick<UpdateInput, 'condition' | 'versions'> {
  /** How many deletes the transaction asked for before: each, with what it cascades, has a time of its own. */
  readonly earlier: number;
}

/** Deletes one row, softly or for good. `changed` says whether it was. */
export function deleteStatement(options: StatementOptions, input: DeleteInput): Sql {
  const shape = new Shape(input.earlier === 0 ? 'delete' : 'delete-later', options);
  const later = input.earlier === 0 ? empty : sql` + ${shape.place(input.earlier, 'integer')} * interval '1 microsecond'`;
  const condition = shape.condition(input.condition);
  const version = shape.versions(input.versions);
  return shape.statement((frame) => deleteSql(frame, { condition: condition(), assigned: [], version: version() }, later));
}

function deleteSql(frame: Frame, row: LockedRow, later: Sql): Sql {
  const { entity } = frame;
  const locked = lockedRow(frame, row, raw('for update'));
  const isIt = and([...entity.key.map((field) => sql`${column('t', field)} = ${column('o', field)}`), ...locked.gates]);
  const removed = entity.hasSoftDelete
    ? sql`update ${tableOf(frame)} "t" set ${id(DELETED_COLUMN)} = now()${later}, ${id(VERSION_COLUMN)} = ${id('t', VERSION_COLUMN)} + 1
        from "o" where ${isIt} returning "t".*`
    : sql`delete from ${tableOf(frame)} "t" using "o" where ${isIt} returning "t".*`;
  // The version of the deletion itself, so that readers in order of versions do not wait for one that never comes.
  const version = entity.hasSoftDelete ? id('u', VERSION_COLUMN) : sql`${id('u', VERSION_COLUMN)} + 1`;
  const told = toldFrame(frame)?.entity ?? entity;
  const event = frame.hasEvent
    ? sql`, "_e" as (select ${join([...told.key.map((field) => column('u', field)), sql`${version} as ${id(VERSION_COLUMN)}`])},
        ${toldJson(frame, 'o')} as "_old" from "u" cross join "o")${eventInsert(frame, 'delete', {
          alias: '_e',
          from: raw('"_e"'),
          record: raw('null::jsonb'),
          old: raw('"_e"."_old"'),
        })}`
    : empty;
  const answers = [
    sql`${idText(frame, 'o')} as id`,
    sql`${id('o', VERSION_COLUMN)}::text as version`,
    raw('null::text as text'),
    ...locked.answers,
    sql`(${id('u', VERSION_COLUMN)} is not null) as changed`,
  ];
  const comments = entity.hasSoftDelete ? empty : sql`, "_c" as (${commentsOf(frame.app.storage, told, sql`"u"`, 'u')})`;
  return sql`with ${locked.query}, "u" as (${removed})${comments}${event} select ${join(answers)} from "o" left join "u" on true`;
}

/** Many rows of one kind at once (a cascade that only unlinks): each gets its version and event. */
export function emptyReferenceStatement(
  options: StatementOptions,
  field: FieldModel,
  parent: Assignment,
  stamps: readonly Assignment[],
): Sql {
  const shape = new Shape('unlink', options);
  shape.also(field.name);
  const given = shape.columns([parent]);
  const stamped = shape.columns(stamps);
  return shape.statement((frame) => emptyReferenceSql(frame, field, given(), stamped()));
}

function emptyReferenceSql(frame: Frame, field: FieldModel, parent: readonly Column[], stamps: readonly Column[]): Sql {
  const { entity } = frame;
  const live = isLive(entity, 't');
  const emptied: Column = { field, byEngine: true, isNull: true, bound: raw('null') };
  const sets = [
    ...[emptied, ...stamps].map((part) => sql`${id(part.field.column)} = ${part.bound}`),
    sql`${id(VERSION_COLUMN)} = ${id('t', VERSION_COLUMN)} + 1`,
  ];
  const key = and(entity.key.map((part) => sql`${column('t', part)} = ${column('o', part)}`));
  const same = and(entity.key.map((part) => sql`${column('u', part)} = ${column('o', part)}`));
  const event = eventInsert(frame, 'update', {
    alias: 'u',
    from: sql`"u" join "o" on ${same}`,
    record: toldJson(frame, 'u'),
    old: changedBefore(frame, [emptied, ...stamps]),
  });
  const isChild = and([...parent.map(({ bound }) => sql`${column('t', field)} = ${bound}`), ...(live === undefined ? [] : [live])]);
  return sql`with "o" as (select "t".* from ${tableOf(frame)} "t" where ${isChild} for no key update),
    "u" as (update ${tableOf(frame)} "t" set ${join(sets)} from "o" where ${key} returning "t".*)${event}
  select count(*)::integer as count from "u"`;
}
