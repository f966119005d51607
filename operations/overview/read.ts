/** What waits for the caller, at a glance: the first page of the back office in one request. Counts stop at a hundred. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { id, join, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import { powersOf, waitsFor } from '../approvals/powers.ts';
import type { AppContext } from '../context.ts';
import { checkParameters } from '../paging.ts';
import { findingsKept } from '../schemas/findings.ts';
import { visibleClocks } from '../slas/read.ts';
import { lastChanges } from './changes.ts';

const MOST = 100;
const SHOWN = 5;
/** Clocks that fall due within so many hours are soon due. */
const SOON_HOURS = 24;

/** `count` is at most 100; then `has_more` may say that there are more. */
interface Bounded {
  readonly count: number;
  readonly has_more: boolean;
  readonly first: readonly unknown[];
}

/** One thing to be counted: which rows, in what order, and what is shown of the first. `where` and `shown` speak of `x`. */
interface Part {
  readonly name: string;
  readonly from: Sql;
  readonly order: Sql;
  readonly shown: Sql;
}

export async function readOverview(ctx: AppContext, query: URLSearchParams): Promise<object> {
  checkParameters(query, []);
  const parts = await partsOf(ctx);
  const [counted, changes, findings] = await Promise.all([
    countParts(ctx, parts),
    lastChanges(ctx),
    seesAdmin(ctx) ? findingsKept(ctx) : Promise.resolve(undefined),
  ]);
  const counts = findings === undefined ? {} : { findings: { error: 0, warning: 0, ...countBy(findings.map(({ level }) => level)) } };
  return { schema_version: ctx.app.version, at: ctx.now.toISOString(), ...counted, ...counts, changes };
}

const countBy = (words: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
};

// --- what is counted -------------------------------------------------------------------------------------------------

/** A key sees the parts that it has scopes for. */
const allows = ({ actor }: AppContext, part: string): boolean => actor.scopes?.allowsPart(part, 'read') !== false;
const seesAdmin = (ctx: AppContext): boolean => ctx.actor.isAdmin && allows(ctx, '_admin');

async function partsOf(ctx: AppContext): Promise<readonly Part[]> {
  const { actor, app } = ctx;
  return [
    ...(allows(ctx, '_workflows') ? [await approvals(ctx)] : []),
    ...(actor.id !== null && allows(ctx, '_notifications') ? [notifications(ctx)] : []),
    ...(app.model.document.slas.length === 0 ? [] : clocks(ctx)),
    ...(seesAdmin(ctx) ? forAdmins(ctx) : []),
  ];
}

async function approvals(ctx: AppContext): Promise<Part> {
  const { storage } = ctx.app;
  return {
    name: 'approvals',
    from: sql`select t.id, t.run_id, t.step, t.settings ->> 'title' as title, t.due_at, t.created_at, r.workflow_name as workflow, r.entity, r.record_id
      from ${id(storage, '_tasks')} t join ${id(storage, '_runs')} r on r.id = t.run_id
      where t.state = 'pending' and r.status = 'running' and ${waitsFor(ctx, await powersOf(ctx))}`,
    order: raw('x.due_at nulls last, x.created_at, x.id'),
    shown:
      raw(`'task', x.id, 'run', x.run_id, 'workflow', x.workflow, 'step', x.step, 'title', x.title, 'entity', x.entity, 'record_id', x.record_id,
      'due_at', x.due_at, 'created_at', x.created_at`),
  };
}

const notifications = ({ app, actor }: AppContext): Part => ({
  name: 'notifications',
  from: sql`select n.id, n.message, n.link, n.created_at from ${id(app.storage, '_notifications')} n
    where n.user_id::text = ${value(actor.id)} and n.read_at is null`,
  order: raw('x.created_at desc, x.id desc'),
  shown: raw(`'id', x.id, 'message', x.message, 'link', x.link, 'created_at', x.created_at`),
});

function clocks(ctx: AppContext): Part[] {
  const now = value(ctx.now.toISOString(), 'timestamptz');
  const part = (name: string, when: Sql): Part => ({
    name,
    from: sql`select c.id, c.sla_name, c.entity, c.record_id, c.due_at from ${id(ctx.app.storage, '_clocks')} c
      where c.stopped_at is null and ${when} and ${visibleClocks(ctx)}`,
    order: raw('x.due_at, x.id'),
    shown: raw(`'id', x.id, 'sla', x.sla_name, 'entity', x.entity, 'record_id', x.record_id, 'due_at', x.due_at`),
  });
  return [
    part('breached_clocks', sql`c.due_at < ${now}`),
    part(
      'due_clocks',
      sql`not c.is_paused and c.due_at >= ${now} and c.due_at < ${now} + ${value(SOON_HOURS, 'integer')} * interval '1 hour'`,
    ),
  ];
}

function forAdmins({ app }: AppContext): Part[] {
  const { storage } = app;
  return [
    {
      name: 'stuck_runs',
      from: sql`select r.id, r.workflow_name, r.entity, r.record_id, left(r.error, 300) as error, r.created_at from ${id(storage, '_runs')} r
        where r.status = 'running' and r.error is not null`,
      order: raw('x.created_at desc, x.id desc'),
      shown: raw(
        `'id', x.id, 'workflow', x.workflow_name, 'entity', x.entity, 'record_id', x.record_id, 'error', x.error, 'created_at', x.created_at`,
      ),
    },
    {
      name: 'failed_starts',
      from: sql`select s.workflow_id, s.kind, left(s.error, 300) as error, s.created_at from ${id(storage, '_starts')} s where s.state = 'failed'`,
      order: raw('x.created_at desc, x.workflow_id desc'),
      shown: raw(`'id', x.workflow_id, 'kind', x.kind, 'error', x.error, 'created_at', x.created_at`),
    },
    {
      name: 'failed_deliveries',
      from: sql`select d.id, d.webhook, d.entity, d.record_id, left(d.reason, 300) as reason, d.updated_at from ${id(storage, '_deliveries')} d
        where d.status = 'dead'`,
      order: raw('x.updated_at desc, x.id desc'),
      shown: raw(`'id', x.id, 'webhook', x.webhook, 'entity', x.entity, 'record_id', x.record_id, 'reason', x.reason, 'at', x.updated_at`),
    },
    {
      name: 'migrations',
      from: sql`select m.id, m.number, m.to_version, m.status, m.phase, m.waiting_for, m.grace_until, m.created_at from durabase.migrations m
        where m.app = ${value(app.id)} and m.status in ('planned', 'awaiting_approval', 'running', 'paused', 'ready')`,
      order: raw('x.number desc'),
      shown: raw(`'id', x.id, 'to_version', x.to_version, 'status', x.status, 'phase', x.phase, 'waiting_for', x.waiting_for,
        'grace_until', x.grace_until, 'created_at', x.created_at`),
    },
  ];
}

// --- counting --------------------------------------------------------------------------------------------------------

async function countParts({ services, app }: AppContext, parts: readonly Part[]): Promise<Record<string, Bounded>> {
  if (parts.length === 0) return {};
  const [row] = await run<Record<string, { count: number; first: unknown[] | null }> & pg.QueryResultRow>(
    services.pool,
    sql`select ${join(parts.map((part) => sql`(${countSql(part)}) as ${id(part.name)}`))}`,
    { prepared: true, generation: app.generation },
  );
  return Object.fromEntries(
    parts.map(({ name }) => {
      const { count = 0, first = null } = row?.[name] ?? {};
      return [name, { count: Math.min(count, MOST), has_more: count > MOST, first: first ?? [] }];
    }),
  );
}

/** No more rows are read than are counted. */
const countSql = ({ from, order, shown }: Part): Sql => sql`
  with x as (select x.*, row_number() over (order by ${order}) as n from (select x.* from (${from}) x order by ${order} limit ${value(MOST + 1, 'integer')}) x)
  select json_build_object('count', count(*), 'first',
    json_agg(json_build_object(${shown}) order by x.n) filter (where x.n <= ${value(SHOWN, 'integer')})) from x`;
