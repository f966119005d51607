/**
 * The registry's log and its wake-ups. `schema_events` is append-only and read in id order; a NOTIFY carries only the event's
 * number, because a long payload would fail the publish itself. Listeners poll as well: a half-open socket
 * must not leave a process with an old policy.
 */
import type { Logger } from 'pino';
import type pg from 'pg';
import { id, sql, value } from '../../core/sql/sql.ts';
import { connectDirect } from '../postgres/pool.ts';
import { run, type Db } from '../postgres/run.ts';
import { stateOf, type Subjects } from './projections.ts';

export const CHANNEL = 'durabase_schema';

export type SchemaEventType =
  | 'schema.declared'
  | 'schema.created'
  | 'schema.updated.compatible'
  | 'schema.updated.breaking'
  | 'schema.migration.requested'
  | 'schema.migration.approved'
  | 'schema.migration.started'
  | 'schema.migration.phase'
  | 'schema.migration.completed'
  | 'schema.migration.aborted'
  | 'schema.migration.failed'
  | 'schema.rollout'
  | 'app.created'
  | 'app.updated'
  | 'app.suspended'
  | 'app.retired';

export interface NewSchemaEvent {
  readonly type: SchemaEventType;
  /** Null: a schema that no app owns. */
  readonly app: string | null;
  readonly schemaName?: string;
  readonly oldVersion?: number;
  readonly newVersion?: number;
  /** `migration_id` where a migration is told of. */
  readonly body?: Readonly<Record<string, unknown>> & { readonly migration_id?: string };
}

/**
 * Appends within the caller's transaction, after what the event tells of was written: the event carries those rows, and the registry
 * can be made again from events alone. Answers the event's number. Writers queue on a lock until they commit, so
 * numbers become visible in order and a reader's position never passes one that is still to come.
 */
export async function appendSchemaEvent(db: Db, event: NewSchemaEvent): Promise<number> {
  await run(db, sql`select pg_advisory_xact_lock(hashtextextended('durabase.schema_events', 0))`);
  const [row] = await run<{ id: string }>(
    db,
    sql`
    with added as (
      insert into durabase.schema_events (type, app, schema_name, old_version, new_version, body, state)
      values (${value(event.type)}, ${value(event.app, 'text')}, ${value(event.schemaName ?? null, 'text')},
              ${value(event.oldVersion ?? null, 'integer')}, ${value(event.newVersion ?? null, 'integer')},
              ${value(JSON.stringify(event.body ?? {}), 'jsonb')}, ${stateOf(subjectsOf(event))})
      returning id)
    select id, pg_notify(${value(CHANNEL)}, id::text) from added`,
  );
  return Number(row?.id ?? 0);
}

const subjectsOf = ({ type, app, schemaName, newVersion, body }: NewSchemaEvent): Subjects => ({
  app,
  schemaName,
  version: type === 'schema.created' || type.startsWith('schema.updated.') ? newVersion : undefined,
  migrationId: body?.migration_id,
});

export interface SchemaEventHead {
  readonly id: number;
  readonly app: string | null;
}

/** Events after a position, in order. */
export async function readSchemaEvents(db: Db, after: number): Promise<SchemaEventHead[]> {
  const rows = await run<{ id: string; app: string | null }>(
    db,
    sql`select id, app from durabase.schema_events where id > ${value(after, 'bigint')} order by id limit 1000`,
    { prepared: true },
  );
  return rows.map((row) => ({ id: Number(row.id), app: row.app }));
}

export async function lastSchemaEvent(db: Db): Promise<number> {
  const [row] = await run<{ last: string }>(db, sql`select coalesce(max(id), 0) as last from durabase.schema_events`);
  return Number(row?.last ?? 0);
}

export interface WakeUps {
  close(): Promise<void>;
}

/** Calls `wake` on every NOTIFY. Reconnects for ever; what was missed meanwhile is found by the caller's poll. */
export const listenForSchemaEvents = (url: string, wake: () => void, log: Logger): WakeUps => listenOn('durabase_schema', url, wake, log);

/** The same for any channel of ours. */
export function listenOn(channel: 'durabase_schema' | 'durabase_feed', url: string, wake: () => void, log: Logger): WakeUps {
  let isClosed = false;
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let delayMs = 200;

  const retry = (error: unknown): void => {
    if (isClosed || timer !== undefined) return;
    log.warn({ err: error, channel, delayMs }, 'a listener lost its connection');
    timer = setTimeout(() => {
      timer = undefined;
      void connect();
    }, delayMs);
    delayMs = Math.min(delayMs * 2, 5_000);
  };

  const connect = async (): Promise<void> => {
    try {
      const next = await connectDirect(url, 'durabase-listen', retry);
      if (isClosed) return void (await next.end());
      client = next;
      next.on('notification', wake);
      next.on('end', () => retry(undefined));
      await run(next, sql`listen ${id(channel)}`);
      delayMs = 200;
      wake();
    } catch (error) {
      retry(error);
    }
  };

  const connected = connect();
  return {
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await connected;
      await client?.end().catch(() => undefined);
    },
  };
}
