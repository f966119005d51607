/** The last changes of records that the caller sees now, judged as the stream of events judges them. */
import type { EntityModel } from '../../core/model/model.ts';
import type { AppContext } from '../context.ts';
import { run } from '../../adapters/postgres/run.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { nameSql } from '../comments/read.ts';
import { lastOfFeed, type FeedEvent } from '../realtime/feed.ts';
import { inTodaysNames, tell, type TodayEvent } from '../realtime/told.ts';
import { readScope } from '../records/read-scope.ts';

/** Looked at, and shown of them. */
const LAST = 50;
const SHOWN = 10;

export interface LastChange {
  readonly type: string;
  readonly entity: string;
  readonly record_id: string;
  readonly changed_fields?: readonly string[];
  readonly at: string;
  readonly actor: { readonly kind: string; readonly id: string | null; readonly name: string | null };
}

/** The newest first, each record once. An older shape has none: events speak the served one. */
export async function lastChanges(ctx: AppContext): Promise<readonly LastChange[]> {
  const { services, app } = ctx;
  const events = await inTodaysNames(ctx, app, await lastOfFeed(services.pool, app.id, LAST));
  const scope = readScope(ctx);
  const byEntity = new Map<EntityModel, TodayEvent[]>();
  for (const one of events) if (scope.access(one.entity).isGranted) byEntity.set(one.entity, [...(byEntity.get(one.entity) ?? []), one]);
  const told = await Promise.all(
    [...byEntity].map(([entity, some]) => tell(ctx, { entity, filter: undefined, includeRecord: false, key: '' }, some)),
  );
  const seen = new Set<string>();
  const newest = told.flat().sort((a, b) => (a.position < b.position ? 1 : -1));
  const shown = newest.flatMap(({ type, text, position }) => {
    const { entity, record_id: recordId, changed_fields: fields = [], ts } = JSON.parse(`${text}}`) as Told;
    const key = `${entity} ${recordId}`;
    if (type === 'custom' || seen.has(key)) return [];
    seen.add(key);
    const event = events.find((one) => one.event.position === position)?.event;
    return event === undefined ? [] : [{ type, entity, recordId, fields, ts, event }];
  });
  const names = await namesOf(
    ctx,
    shown.slice(0, SHOWN).map(({ event }) => event),
  );
  return shown.slice(0, SHOWN).map(({ type, entity, recordId, fields, ts, event }) => ({
    type,
    entity,
    record_id: recordId,
    ...(type === 'record.updated' ? { changed_fields: fields } : {}),
    at: ts,
    actor: { kind: event.actor.kind, id: event.actor.id, name: names.get(event.actor.id ?? '') ?? null },
  }));
}

interface Told {
  readonly entity: string;
  readonly record_id: string;
  readonly changed_fields?: readonly string[];
  readonly ts: string;
}

async function namesOf({ services, app }: AppContext, events: readonly FeedEvent[]): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(events.flatMap(({ actor }) => actor.id ?? []))];
  if (ids.length === 0) return new Map();
  const rows = await run<{ id: string; name: string | null }>(
    services.pool,
    sql`select a.id, ${nameSql(app.storage, sql`a.id`)} as name from unnest(${value(ids, 'text[]')}) a(id)`,
    { prepared: true },
  );
  return new Map(rows.flatMap(({ id, name }) => (name === null ? [] : [[id, name] as const])));
}
