/**
 * The SQL of writes. Each kind of write is one statement that locks the stored row, tests the policy on the stored and on the
 * new row, changes it, appends the event and answers the record's JSON, so that nothing can come between.
 */
import { FULL_ACCESS, type Access } from '../../core/policy/access.ts';
import { DELETED_COLUMN, VERSION_COLUMN, type EntityModel, type FieldModel } from '../../core/model/model.ts';
import { COLUMN_TYPES, columnToJson, recordIdText, recordJson } from '../../core/sql/columns.ts';
import { and, flattened, empty, id, join, literal, or, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { isLive } from './record-key.ts';

/** A field and the value bound to its column. */
export interface Assignment {
  readonly field: FieldModel;
  readonly value: unknown;
  /** Put in by the engine: whether the caller may write the field does not matter. */
  readonly byEngine?: boolean;
}

const clientsFields = (assigned: readonly Assignment[]): FieldModel[] =>
  assigned.flatMap(({ field, byEngine }) => (byEngine === true ? [] : [field]));

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
}

/** The one row a write statement answers; no row means that there is no such record. */
export interface StatementResult {
  readonly id: string | null;
  readonly version: string | null;
  /** The record's JSON, only what the caller may read. */
  readonly text: string | null;
  /** The record's JSON, every field. */
  readonly record: string | null;
  /** Fields in `text` that the caller may not read in this very row. */
  readonly hidden: readonly string[];
  readonly readable: boolean;
  readonly allowed: boolean;
  /** Assigned fields the caller may not write in this row. */
  readonly refused: readonly string[];
  /** Whether the new row passes the policy; null when it was not reached. */
  readonly passed: boolean | null;
  /** References to records that do not exist (any more). */
  readonly missing: readonly string[];
  readonly changed: boolean | null;
  readonly old_version: string | null;
}

const typed = (assignment: Assignment): Sql => value(assignment.value, COLUMN_TYPES[assignment.field.type]);
const column = (alias: string, field: FieldModel): Sql => id(alias, field.column);
const tableOf = (options: StatementOptions): Sql => id(options.ctx.app.storage, options.entity.table);
const settingsOf = (options: StatementOptions) => options.ctx.app.model.settings;
const where = (condition: Sql | undefined): Sql => condition ?? raw('true');

const TEXTS = {};

/** Parts without values are the same text in every statement of a schema version; building them each time would cost most. */
function constant({ ctx, entity }: StatementOptions, key: string, build: () => Sql): Sql {
  const texts = ctx.app.memo(TEXTS, () => new Map<string, Sql>());
  const name = `${entity.name} ${key}`;
  let part = texts.get(name);
  if (part === undefined) texts.set(name, (part = flattened(build())));
  return part;
}

const fullJson = (options: StatementOptions, alias: string): Sql =>
  constant(options, `json ${alias}`, () => recordJson(options.entity, options.ctx.app.storage, alias, settingsOf(options)));

const idText = (options: StatementOptions, alias: string): Sql =>
  constant(options, `id ${alias}`, () => recordIdText(options.entity, alias));

/** The caller's view of a row: readable fields, or the key alone when the row is outside the read scope. */
function readableJson(options: StatementOptions, alias: string): Sql {
  const { entity, read } = options;
  if (read === FULL_ACCESS) return fullJson(options, alias);
  const keyOnly = someJson(
    options,
    alias,
    entity.key.map((field) => field.name),
  );
  if (!read.isGranted) return keyOnly;
  const names = [...entity.fields.keys()];
  const fields = names.filter((name) => read.field(name).mode !== 'never');
  const json = fields.length === names.length ? fullJson(options, alias) : someJson(options, alias, fields);
  const scope = read.where(alias);
  return scope === undefined ? json : sql`case when ${scope} then ${json} else ${keyOnly} end`;
}

const someJson = (options: StatementOptions, alias: string, fields: readonly string[]): Sql =>
  constant(options, `json ${alias} ${fields.join()}`, () =>
    recordJson(options.entity, options.ctx.app.storage, alias, settingsOf(options), { fields }),
  );

/** The names whose row-dependent condition does not hold, as a text[]. */
function failing(fields: Iterable<FieldModel>, access: Access, alias: string): Sql {
  if (access === FULL_ACCESS) return NO_NAMES;
  const parts: Sql[] = [];
  for (const field of fields) {
    const { mode, when } = access.field(field.name);
    if (mode === 'conditional' && when !== undefined) parts.push(sql`case when (${when(alias)}) then null else ${literal(field.name)} end`);
  }
  return namesArray(parts);
}

const NO_NAMES = raw(`'{}'::text[]`);
const namesArray = (parts: readonly Sql[]): Sql => (parts.length === 0 ? NO_NAMES : sql`array_remove(array[${join(parts)}]::text[], null)`);

function eventInsert(options: StatementOptions, action: 'create' | 'update' | 'delete', row: EventRow): Sql {
  if (!options.hasEvent) return empty;
  const { ctx, entity } = options;
  const actor = { kind: ctx.actor.kind, id: ctx.actor.id, roles: ctx.actor.roles };
  return sql`, "_logged" as (
    insert into ${id('durabase', 'events')} (app, entity, record_id, action, record_version, schema_version, actor, record, old, cause, depth)
    select ${value(ctx.app.id, 'text')}, ${value(entity.name, 'text')}, ${idText(options, row.alias)}, ${literal(action)},
      ${id(row.alias, VERSION_COLUMN)}, ${value(ctx.app.version, 'integer')}, ${value(JSON.stringify(actor), 'jsonb')},
      ${row.record}, ${row.old}, ${value(ctx.cause, 'text')}, ${value(ctx.depth, 'integer')}
    from ${row.from})`;
}

interface EventRow {
  readonly alias: string;
  readonly from: Sql;
  readonly record: Sql;
  readonly old: Sql;
}

/**
 * Parents that may vanish softly are locked and looked at again; the foreign key alone would not notice.
 * Files have no foreign key at all.
 */
function referenceChecks(options: StatementOptions, assigned: readonly Assignment[]): { name: string; field: FieldModel; query: Sql }[] {
  return assigned.flatMap((assignment, index) => {
    const condition = assignment.value === null ? undefined : referenced(options, assignment);
    return condition === undefined
      ? []
      : [{ name: `_p${String(index)}`, field: assignment.field, query: sql`(select 1 from ${condition} for key share)` }];
  });
}

function referenced({ ctx: { app }, entity }: StatementOptions, assignment: Assignment): Sql | undefined {
  const { field } = assignment;
  if (field.type === 'file') return sql`${id(app.storage, '_files')} "_p" where ${id('_p', 'id')} = ${typed(assignment)}`;
  const target = field.references === undefined ? undefined : app.model.entities.get(field.references);
  if (target === undefined || !target.hasSoftDelete) return undefined;
  const end = entity.relations.find((candidate) => candidate.direction === 'forward' && candidate.localColumn === field.column);
  const key = end?.targetColumn ?? target.key[0]?.column ?? 'id';
  return sql`${id(app.storage, target.table)} "_p" where ${id('_p', key)} = ${typed(assignment)} and ${id('_p', DELETED_COLUMN)} is null`;
}

// --- create ----------------------------------------------------------------------------------------------------------

/** Inserts one row. Answers exactly one row: `id` is null when policy or a missing reference kept it out. */
export function insertStatement(options: StatementOptions, assigned: readonly Assignment[]): Sql {
  const { entity, access } = options;
  const references = referenceChecks(options, assigned);
  const policy = access.where('c');
  const refused = failing(clientsFields(assigned), access, 'c');
  const columns = join([...assigned.map(({ field }) => id(field.column)), id(VERSION_COLUMN)]);
  if (policy === undefined && refused === NO_NAMES && references.length === 0) return plainInsert(options, columns, assigned);
  const inserted = sql`"i" as (
    insert into ${tableOf(options)} (${columns})
    select ${join([...assigned.map(({ field }) => column('j', field)), raw('1')])} from "_judged" "j"
    where "j"."_passed" and cardinality("j"."_missing") = 0 and cardinality("j"."_refused") = 0
    returning *)`;
  const event = eventInsert(options, 'create', {
    alias: 'i',
    from: raw('"i"'),
    record: sql`${fullJson(options, 'i')}::jsonb`,
    old: raw('null::jsonb'),
  });
  return sql`with ${candidate(entity, assigned)}${referenceQueries(references)}, "_judged" as (
    select "c".*, coalesce(${where(policy)}, false) as "_passed", ${refused} as "_refused", ${missing(references, undefined)} as "_missing" from "_candidate" "c"),
  ${inserted}${event}
  select ${idText(options, 'i')} as id, ${id('i', VERSION_COLUMN)}::text as version, (${readableJson(options, 'i')})::text as text,
    ${options.wantsRecord ? sql`(${fullJson(options, 'i')})::text` : raw('null::text')} as record,
    ${failing(entity.fields.values(), options.read, 'i')} as hidden, true as readable, true as allowed, "j"."_refused" as refused,
    "j"."_passed" as passed, "j"."_missing" as missing, true as changed, null::text as old_version
  from "_judged" "j" left join "i" on true`;
}

/** Nothing to test before the row exists: what the database is told is a bare insert with its event. */
function plainInsert(options: StatementOptions, columns: Sql, assigned: readonly Assignment[]): Sql {
  const event = eventInsert(options, 'create', {
    alias: 'i',
    from: raw('"i"'),
    record: sql`${fullJson(options, 'i')}::jsonb`,
    old: raw('null::jsonb'),
  });
  return sql`with "i" as (insert into ${tableOf(options)} (${columns}) values (${join([...assigned.map(typed), raw('1')])}) returning *)${event}
  select ${idText(options, 'i')} as id, ${id('i', VERSION_COLUMN)}::text as version, (${readableJson(options, 'i')})::text as text,
    ${options.wantsRecord ? sql`(${fullJson(options, 'i')})::text` : raw('null::text')} as record,
    ${failing(options.entity.fields.values(), options.read, 'i')} as hidden, true as readable, true as allowed, '{}'::text[] as refused,
    true as passed, '{}'::text[] as missing, true as changed, null::text as old_version
  from "i"`;
}

/** A row with every column of the entity, so that a policy can be asked about it before it exists. */
function candidate(entity: EntityModel, assigned: readonly Assignment[]): Sql {
  const given = new Map(assigned.map((assignment) => [assignment.field.column, assignment]));
  const columns = [...entity.fields.values()].map((field) => {
    const assignment = given.get(field.column) ?? { field, value: null };
    return sql`${typed(assignment)} as ${id(field.column)}`;
  });
  columns.push(sql`1::bigint as ${id(VERSION_COLUMN)}`);
  if (entity.hasSoftDelete && !entity.fields.has(DELETED_COLUMN)) columns.push(sql`null::timestamptz as ${id(DELETED_COLUMN)}`);
  return sql`"_candidate" as (select ${join(columns)})`;
}

type ReferenceCheck = ReturnType<typeof referenceChecks>[number];

const referenceQueries = (references: readonly ReferenceCheck[]): Sql =>
  join(
    references.map(({ name, query }) => sql`, ${id(name)} as ${query}`),
    '',
  );

/** The references that lead nowhere; on update only those that change. */
function missing(references: readonly ReferenceCheck[], old: string | undefined): Sql {
  return namesArray(
    references.map(({ name, field }) => {
      const isSame = old === undefined ? raw('false') : sql`${column(old, field)} is not distinct from ${column('n', field)}`;
      return sql`case when ${isSame} or exists (select 1 from ${id(name)}) then null else ${literal(field.name)} end`;
    }),
  );
}

// --- update ----------------------------------------------------------------------------------------------------------

export interface UpdateInput {
  /** Names the record under the alias `t`. */
  readonly condition: Sql;
  readonly assigned: readonly Assignment[];
  /** Set along with a change, but no change by themselves (`auto: update`). */
  readonly stamps: readonly Assignment[];
  /** The version the record must still have. */
  readonly version: string | undefined;
  /** False: the event was or will be written by somebody else, and `_version` stays. */
  readonly raisesVersion?: boolean;
  /** A change of something outside the row (its links): the version and the event say so although no column differs. */
  readonly isForced?: boolean;
}

/** Updates one row. No row: there is none, or not for this caller (`readable` false). */
export function updateStatement(options: StatementOptions, input: UpdateInput): Sql {
  const { entity, access } = options;
  const { assigned, stamps } = input;
  const references = referenceChecks(options, assigned);
  const differs =
    input.isForced === true
      ? raw('true')
      : or(assigned.map(({ field }) => sql`${column('o', field)} is distinct from ${column('n', field)}`));
  const sets = [
    ...assigned.map(({ field }) => sql`${id(field.column)} = ${column('j', field)}`),
    ...stamps.map((stamp) => sql`${id(stamp.field.column)} = ${typed(stamp)}`),
  ];
  if (input.raisesVersion !== false) sets.push(sql`${id(VERSION_COLUMN)} = ${id('t', VERSION_COLUMN)} + 1`);
  const key = and(entity.key.map((field) => sql`${column('t', field)} = ${column('j', field)}`));
  const event = eventInsert(options, 'update', {
    alias: 'u',
    from: raw('"u" cross join "o"'),
    record: sql`${fullJson(options, 'u')}::jsonb`,
    old: changedBefore(options, [...assigned, ...stamps]),
  });
  return sql`with ${lockedRow(options, input, raw('for no key update'))}${referenceQueries(references)},
  "_next" as (select ${nextRow(entity, assigned)} from "o" where "o"."_readable" and "o"."_allowed" and "o"."_current" and cardinality("o"."_refused") = 0),
  "_judged" as (select "n".*, coalesce(${where(access.where('n'))}, false) as "_passed", ${missing(references, 'o')} as "_missing", (${differs}) as "_changed"
    from "_next" "n" cross join "o"),
  "u" as (update ${tableOf(options)} "t" set ${join(sets)} from "_judged" "j"
    where ${key} and "j"."_passed" and "j"."_changed" and cardinality("j"."_missing") = 0 returning "t".*)${event}
  select ${idText(options, 'o')} as id, coalesce(${id('u', VERSION_COLUMN)}, ${id('o', VERSION_COLUMN)})::text as version,
    case when ${id('u', VERSION_COLUMN)} is null then (${readableJson(options, 'o')})::text else (${readableJson(options, 'u')})::text end as text,
    ${
      options.wantsRecord
        ? sql`case when ${id('u', VERSION_COLUMN)} is null then (${fullJson(options, 'o')})::text else (${fullJson(options, 'u')})::text end`
        : raw('null::text')
    } as record,
    case when ${id('u', VERSION_COLUMN)} is null then ${failing(entity.fields.values(), options.read, 'o')}
      else ${failing(entity.fields.values(), options.read, 'u')} end as hidden,
    "o"."_readable" as readable, "o"."_allowed" as allowed, "o"."_refused" as refused, ${id('o', VERSION_COLUMN)}::text as old_version,
    "j"."_passed" as passed, coalesce("j"."_missing", '{}'::text[]) as missing, "j"."_changed" as changed
  from "o" left join "_judged" "j" on true left join "u" on true`;
}

/** The event of a row that is in its place already. */
export function createdEventStatement(options: StatementOptions, condition: Sql): Sql {
  const event = eventInsert(options, 'create', {
    alias: 't',
    from: raw('"t"'),
    record: sql`${fullJson(options, 't')}::jsonb`,
    old: raw('null::jsonb'),
  });
  return sql`with "t" as (select "t".* from ${tableOf(options)} "t" where ${condition})${event} select 1 as done`;
}

/** `o`: the stored row as it is under the lock, with what the policies say of it. */
function lockedRow(options: StatementOptions, input: Pick<UpdateInput, 'condition' | 'assigned' | 'version'>, lock: Sql): Sql {
  const { entity, access, read } = options;
  const isCurrent = input.version === undefined ? raw('true') : sql`${id('t', VERSION_COLUMN)} = ${value(input.version, 'bigint')}`;
  const live = isLive(entity, 't');
  return sql`"o" as (select "t".*, ${read.isGranted ? sql`coalesce(${where(read.where('t'))}, false)` : raw('false')} as "_readable",
      coalesce(${where(access.where('t'))}, false) as "_allowed",
      ${failing(clientsFields(input.assigned), access, 't')} as "_refused", ${isCurrent} as "_current"
    from ${tableOf(options)} "t" where ${input.condition}${live === undefined ? empty : sql` and ${live}`} ${lock})`;
}

function nextRow(entity: EntityModel, assigned: readonly Assignment[]): Sql {
  const given = new Map(assigned.map((assignment) => [assignment.field.column, assignment]));
  const columns = [...entity.fields.values()].map((field) => {
    const assignment = given.get(field.column);
    return assignment === undefined ? column('o', field) : sql`${typed(assignment)} as ${id(field.column)}`;
  });
  columns.push(id('o', VERSION_COLUMN));
  if (entity.hasSoftDelete && !entity.fields.has(DELETED_COLUMN)) columns.push(id('o', DELETED_COLUMN));
  return join(columns);
}

/** The assigned fields that really changed, with their values before. */
function changedBefore(options: StatementOptions, assigned: readonly Assignment[]): Sql {
  const { ctx } = options;
  if (assigned.length === 0) return raw(`'{}'::jsonb`);
  return join(
    assigned.map(
      ({ field }) => sql`case when ${column('o', field)} is distinct from ${column('u', field)}
    then jsonb_build_object(${literal(field.name)}, ${columnToJson(field, ctx.app.storage, 'o', settingsOf(options))}) else '{}'::jsonb end`,
    ),
    ' || ',
  );
}

// --- read under lock, delete -----------------------------------------------------------------------------------------

/** Reads the whole stored row, locked unless `lock` is `none`, with what the policies say of it. */
export function readStatement(
  options: StatementOptions,
  input: Pick<UpdateInput, 'condition' | 'assigned' | 'version'>,
  lock: 'none' | 'update' | 'delete',
): Sql {
  const { entity } = options;
  const text = lock === 'none' ? empty : lock === 'update' ? raw('for no key update') : raw('for update');
  return sql`with ${lockedRow(options, input, text)}
  select ${idText(options, 'o')} as id, ${id('o', VERSION_COLUMN)}::text as version, (${fullJson(options, 'o')})::text as record,
    (${readableJson(options, 'o')})::text as text, ${failing(entity.fields.values(), options.read, 'o')} as hidden,
    "o"."_readable" as readable, "o"."_allowed" as allowed, "o"."_refused" as refused, null::boolean as passed, '{}'::text[] as missing,
    "o"."_current" as changed, ${id('o', VERSION_COLUMN)}::text as old_version
  from "o"`;
}

/** Deletes one row, softly or for good. `changed` says whether it was. */
export function deleteStatement(options: StatementOptions, input: Pick<UpdateInput, 'condition' | 'version'>): Sql {
  const { entity } = options;
  const key = and(entity.key.map((field) => sql`${column('t', field)} = ${column('o', field)}`));
  const isOpen = sql`"o"."_readable" and "o"."_allowed" and "o"."_current"`;
  const removed = entity.hasSoftDelete
    ? sql`update ${tableOf(options)} "t" set ${id(DELETED_COLUMN)} = now(), ${id(VERSION_COLUMN)} = ${id('t', VERSION_COLUMN)} + 1
        from "o" where ${key} and ${isOpen} returning "t".*`
    : sql`delete from ${tableOf(options)} "t" using "o" where ${key} and ${isOpen} returning "t".*`;
  // The version of the deletion itself, so that readers in order of versions do not wait for one that never comes.
  const version = entity.hasSoftDelete ? id('u', VERSION_COLUMN) : sql`${id('u', VERSION_COLUMN)} + 1`;
  const event = options.hasEvent
    ? sql`, "_e" as (select ${join([...entity.key.map((field) => column('u', field)), sql`${version} as ${id(VERSION_COLUMN)}`])},
        ${fullJson(options, 'o')}::jsonb as "_old" from "u" cross join "o")${eventInsert(options, 'delete', {
          alias: '_e',
          from: raw('"_e"'),
          record: raw('null::jsonb'),
          old: raw('"_e"."_old"'),
        })}`
    : empty;
  return sql`with ${lockedRow(options, { ...input, assigned: [] }, raw('for update'))}, "u" as (${removed})${event}
  select ${idText(options, 'o')} as id, ${id('o', VERSION_COLUMN)}::text as version, null::text as text, null::text as record,
    '{}'::text[] as hidden, "o"."_readable" as readable, "o"."_allowed" as allowed, '{}'::text[] as refused, null::boolean as passed,
    '{}'::text[] as missing, ("u".${id(VERSION_COLUMN)} is not null) as changed, ${id('o', VERSION_COLUMN)}::text as old_version
  from "o" left join "u" on true`;
}

/** Many rows of one kind at once (a cascade that only unlinks): each gets its version and event. */
export function emptyReferenceStatement(
  options: StatementOptions,
  field: FieldModel,
  parent: Assignment,
  stamps: readonly Assignment[],
): Sql {
  const { entity } = options;
  const live = isLive(entity, 't');
  const sets = [
    sql`${id(field.column)} = null`,
    ...stamps.map((stamp) => sql`${id(stamp.field.column)} = ${typed(stamp)}`),
    sql`${id(VERSION_COLUMN)} = ${id('t', VERSION_COLUMN)} + 1`,
  ];
  const key = and(entity.key.map((part) => sql`${column('t', part)} = ${column('o', part)}`));
  const same = and(entity.key.map((part) => sql`${column('u', part)} = ${column('o', part)}`));
  const event = eventInsert(options, 'update', {
    alias: 'u',
    from: sql`"u" join "o" on ${same}`,
    record: sql`${fullJson(options, 'u')}::jsonb`,
    old: changedBefore(options, [{ field, value: null }, ...stamps]),
  });
  return sql`with "o" as (select "t".* from ${tableOf(options)} "t" where ${column('t', field)} = ${typed(parent)}
      ${live === undefined ? empty : sql`and ${live}`} for no key update),
    "u" as (update ${tableOf(options)} "t" set ${join(sets)} from "o" where ${key} returning "t".*)${event}
  select count(*)::integer as count from "u"`;
}
