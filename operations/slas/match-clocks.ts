/**
 * Which clocks a page of events starts, and which open ones it tells to look again. The open rows are locked: a clock that ends
 * at this moment is seen as open, and then its last look sees these events and starts what they start; or as ended, and then they
 * start a clock here. Never both, never neither.
 */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppRuntime } from '../context.ts';
import { type EventRow, MAX_DEPTH } from '../events.ts';
import { toClockEvent } from './events.ts';
import { formsOf } from './forms.ts';
import { newClock, type NewClock } from './rows.ts';

export interface MatchedClocks {
  readonly started: readonly NewClock[];
  /** Workflow ids of open clocks with the newest version of their record. */
  readonly told: ReadonlyMap<string, string>;
}

const NOTHING: MatchedClocks = { started: [], told: new Map() };

export async function matchClocks(client: pg.Client, app: AppRuntime, events: readonly EventRow[]): Promise<MatchedClocks> {
  const { byEntity } = formsOf(app);
  const own = events.filter((event) => event.action !== 'custom' && byEntity.has(event.entity));
  if (own.length === 0) return NOTHING;
  const open = await lockOpen(client, app, own);
  const started: NewClock[] = [];
  const told = new Map<string, string>();
  for (const row of own) {
    const event = toClockEvent(row);
    if (event === undefined) continue;
    for (const form of byEntity.get(row.entity) ?? []) {
      const key = keyOf(row.entity, row.record_id, form.key);
      const running = open.get(key);
      if (running !== undefined) {
        if (form.rule.concerns(event)) told.set(running, row.record_version);
      } else if (row.depth <= MAX_DEPTH && form.rule.starts(event)) {
        const clock = newClock(app, form, { entity: row.entity, recordId: row.record_id, event, depth: row.depth });
        started.push(clock);
        open.set(key, clock.workflowId);
      }
    }
  }
  // One that starts with this page sees all of it in its first look.
  for (const { workflowId } of started) told.delete(workflowId);
  return { started, told };
}

const keyOf = (entity: string, recordId: string, sla: string): string => JSON.stringify([entity, recordId, sla]);

async function lockOpen(client: pg.Client, app: AppRuntime, events: readonly EventRow[]): Promise<Map<string, string>> {
  const subjects = new Map(events.map(({ entity, record_id }) => [JSON.stringify([entity, record_id]), { entity, record_id }]));
  const rows = await run<{ workflow_id: string; sla: string; entity: string; record_id: string }>(
    client,
    sql`select c.workflow_id, c.sla, c.entity, c.record_id
        from jsonb_to_recordset(${value(JSON.stringify([...subjects.values()]), 'jsonb')}) as r(entity text, record_id text)
        join ${id(app.storage, '_clocks')} c on c.entity = r.entity and c.record_id = r.record_id and c.stopped_at is null
        order by c.id for update of c`,
    { prepared: true },
  );
  return new Map(rows.map((row) => [keyOf(row.entity, row.record_id, row.sla), row.workflow_id]));
}
