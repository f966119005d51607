/** The sources of a timeline, each as its next few entries: `source, at, key, data`. One statement reads them all. */
import { and, id, join, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { commentColumns, nameSql } from '../comments/read.ts';
import type { AppContext } from '../context.ts';
import { isEventOf, type PastId } from '../records/former-keys.ts';
import { isNamedAs, type NamesOverTime } from '../records/past-names.ts';
import type { Place, Source } from './place.ts';

export interface SourceRow extends Record<string, unknown> {
  readonly source: Source;
  /** ISO, microseconds. */
  readonly at: string;
  /** By which the source goes on: a version, or an id. */
  readonly key: string;
  readonly data: Record<string, unknown>;
}

export interface Subject {
  readonly entity: EntityModel;
  /** What the record is called now. */
  readonly recordId: string;
  readonly ids: readonly PastId[];
  /** What the entity was called, version by version. */
  readonly names: NamesOverTime;
}

export interface Asked {
  readonly place: Place | undefined;
  /** Of each source. */
  readonly limit: number;
  /** Changes of these fields only, or of all but these. Undefined: all. */
  readonly states: { readonly fields: readonly string[]; readonly isWanted: boolean } | undefined;
  /** The runs `e` that the caller may see. */
  readonly runs: Sql;
}

type Read = (ctx: AppContext, subject: Subject, asked: Asked) => Sql;

const iso = (at: Sql): Sql => sql`to_char(${at} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

interface Entries {
  /** Rows that have `at` and `key` beside what `data` reads of them as `e`. */
  readonly rows: Sql;
  readonly keyType: 'uuid' | 'text';
  /** The key alone is their order: it was made with the time. */
  readonly isByKey?: boolean;
  readonly data: Sql;
}

/** The entries of a source behind the reader's place, the newest first. What is shown of them is made of the few that are left. */
function inTime({ place, limit }: Asked, source: Source, { rows, keyType, isByKey = false, data }: Entries): Sql {
  const [lastAt, lastKey] = place?.last[source] ?? [];
  const key = value(lastKey ?? null, keyType);
  const behind =
    lastAt !== undefined
      ? isByKey
        ? sql` where x.key < ${key}`
        : sql` where (x.at, x.key) < (${value(lastAt, 'timestamptz')}, ${key})`
      : place === undefined
        ? sql``
        : sql` where x.at <= ${value(place.until, 'timestamptz')}`;
  const order = isByKey ? raw('x.key desc') : raw('x.at desc, x.key desc');
  return sql`(select ${value(source)}::text as source, ${iso(sql`e.at`)} as at, e.key::text as key, ${data} as data
    from (select x.* from (${rows}) x${behind} order by ${order} limit ${value(limit, 'integer')}) e)`;
}

const changes: Read = ({ app }, { ids, names }, { place, limit, states }) => {
  const below = place?.last.change?.[0];
  const touched =
    states === undefined
      ? sql``
      : sql` and (e.action = 'update' and e.old ?| ${value([...states.fields], 'text[]')}) = ${value(states.isWanted, 'boolean')}`;
  return sql`(select 'change'::text as source, ${iso(sql`e.at`)} as at, e.record_version::text as key, jsonb_build_object('seq', e.seq::text, 'entity', e.entity,
      'action', e.action, 'record_version', e.record_version::text, 'schema_version', e.schema_version, 'actor', e.actor, 'record', e.record, 'old', e.old,
      'cause', e.cause, 'name', ${nameSql(app.storage, sql`e.actor->>'id'`)}) as data
    from durabase.events e
    where e.app = ${value(app.id)} and ${isNamedAs(names)} and ${isEventOf(ids)} and e.action <> 'custom'
      and (${value(below ?? null, 'bigint')} is null or e.record_version < ${value(below ?? null, 'bigint')})${touched}
      and exists (select from unnest(${value([...names.versions], 'integer[]')}, ${value([...names.names], 'text[]')}) n(version, name)
        where n.version = e.schema_version and n.name = e.entity)
    order by e.record_version desc, e.seq desc limit ${value(limit, 'integer')})`;
};

const comments: Read = ({ app }, { entity, ids }, asked) =>
  inTime(asked, 'comment', {
    rows: sql`select e.*, e.created_at as at, e.id as key from ${id(app.storage, '_comments')} e
      where e.entity_table = ${value(entity.table)} and ${isEventOf(ids)}`,
    keyType: 'uuid',
    isByKey: true,
    data: sql`to_jsonb((select x from (select ${commentColumns(app.storage)}) x))`,
  });

/** Rows `e` of the record's runs that the caller may see. */
const runsOf = ({ app }: AppContext, { entity, ids }: Subject, { runs }: Asked): { from: Sql; where: Sql } => ({
  from: sql`${id(app.storage, '_runs')} e`,
  where: and([sql`e.entity = ${value(entity.name)}`, isEventOf(ids), runs]),
});

const RUN = raw('e.id as key, e.workflow_name, e.status, e.started_by, e.error');
const runFacts = raw(`'run_id', e.key, 'workflow', e.workflow_name, 'status', e.status`);

const begun: Read = (ctx, subject, asked) => {
  const { from, where } = runsOf(ctx, subject, asked);
  return inTime(asked, 'run', {
    rows: sql`select ${RUN}, e.created_at as at from ${from} where ${where}`,
    keyType: 'uuid',
    data: sql`jsonb_build_object(${runFacts}, 'actor', e.started_by, 'name', ${nameSql(ctx.app.storage, sql`e.started_by->>'id'`)})`,
  });
};

const ended: Read = (ctx, subject, asked) => {
  const { from, where } = runsOf(ctx, subject, asked);
  return inTime(asked, 'end', {
    rows: sql`select ${RUN}, e.updated_at as at from ${from} where ${where} and e.status <> 'running'`,
    keyType: 'uuid',
    data: sql`jsonb_build_object(${runFacts}, 'error', e.error)`,
  });
};

const votes: Read = (ctx, subject, asked) => {
  const { storage } = ctx.app;
  const { from, where } = runsOf(ctx, subject, asked);
  return inTime(asked, 'vote', {
    rows: sql`select v.id as key, v.at, e.id as run_id, e.workflow_name, t.id as task_id, t.step, v.decision, v.comment, v.actor, v.person, v.voter
      from ${from} join ${id(storage, '_tasks')} t on t.run_id = e.id join ${id(storage, '_votes')} v on v.task_id = t.id where ${where}`,
    keyType: 'uuid',
    data: sql`jsonb_build_object('vote_id', e.key, 'run_id', e.run_id, 'workflow', e.workflow_name, 'task_id', e.task_id, 'step', e.step,
      'decision', e.decision, 'comment', e.comment, 'actor', e.actor, 'person', e.person, 'name', ${nameSql(storage, raw('e.voter'))})`,
  });
};

/** A clock's row has the name of today; marks are few. */
const marks: Read = ({ app }, { entity, recordId }, asked) =>
  inTime(asked, 'clock', {
    rows: sql`select c.id, c.sla_name, (f->>'at')::timestamptz as at, f->>'key' as mark, f->>'error' as error, c.id::text || ' ' || (f->>'key') as key
      from ${id(app.storage, '_clocks')} c cross join lateral jsonb_array_elements(c.fired) f
      where c.entity = ${value(entity.name)} and c.record_id = ${value(recordId)}`,
    keyType: 'text',
    data: sql`jsonb_build_object('clock_id', e.id, 'sla', e.sla_name, 'kind', split_part(e.mark, ':', 2), 'label', split_part(e.mark, ':', 3), 'error', e.error)`,
  });

/** There is no index by record: the few webhooks that ever delivered something are stepped through, and each is asked for the record. */
const deliveries: Read = ({ app }, { recordId, names }, asked) => {
  const table = id(app.storage, '_deliveries');
  return inTime(asked, 'delivery', {
    rows: sql`with recursive known as (
        select min(d.webhook) as webhook from ${table} d
        union all
        select (select min(d.webhook) from ${table} d where d.webhook > known.webhook) from known where known.webhook is not null
      )
      select d.* from known cross join lateral (
        select e.id as key, e.webhook, e.status, e.tries, e.reason, e.created_at as at from ${table} e
        where e.webhook = known.webhook and ${isNamedAs(names)} and e.record_id = ${value(recordId)}) d`,
    keyType: 'uuid',
    data: sql`jsonb_build_object('delivery_id', e.key, 'webhook', e.webhook, 'status', case when e.status = 'sending' then 'pending' else e.status end,
      'tries', e.tries, 'reason', e.reason)`,
  });
};

const READS: Readonly<Record<Source, Read>> = {
  change: changes,
  comment: comments,
  run: begun,
  end: ended,
  vote: votes,
  clock: marks,
  delivery: deliveries,
};

export const sourcesStatement = (ctx: AppContext, subject: Subject, sources: readonly Source[], asked: Asked): Sql =>
  join(
    sources.map((source) => READS[source](ctx, subject, asked)),
    ' union all ',
  );
