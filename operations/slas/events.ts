/** The changes of a record as clocks take them. */
import { type Db, run } from '../../adapters/postgres/run.ts';
import type { ClockEvent } from '../../core/sla/rule.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { AppRuntime } from '../app-runtime.ts';
import { idsOverTime, isEventOf } from '../records/former-keys.ts';
import { type EventRow, recordBefore } from '../events.ts';

type Row = Pick<EventRow, 'seq' | 'at' | 'action' | 'record' | 'old' | 'record_version'>;

/** Undefined for what is no change of a record. */
export function toClockEvent(event: Row): ClockEvent | undefined {
  const { action } = event;
  if (action === 'custom') return undefined;
  return {
    at: Date.parse(event.at),
    version: Number(event.record_version),
    seq: event.seq,
    action,
    record: event.record,
    // A record that comes back was not there before.
    before: action === 'restore' ? null : recordBefore(event),
  };
}

/** By version, from `fromVersion` on: what a record's lock has put in order, and without a gap as far as it is committed. */
export async function readClockEvents(
  db: Db,
  app: AppRuntime,
  entity: string,
  recordId: string,
  fromVersion: string,
): Promise<ClockEvent[]> {
  const model = app.model.entities.get(entity);
  const ids = model === undefined ? [{ id: recordId, from: 0, until: null }] : await idsOverTime(db, app, model, recordId, [entity]);
  const rows = await run<Row>(
    db,
    sql`select seq, to_json(at at time zone 'UTC')#>>'{}' || 'Z' as at, action, record_version, record, old from durabase.events e
        where app = ${value(app.id)} and entity = ${value(entity)} and ${isEventOf(ids)}
          and record_version >= ${value(fromVersion, 'bigint')} and action <> 'custom'
        order by record_version, seq`,
    { prepared: true },
  );
  return rows.flatMap((row) => toClockEvent(row) ?? []);
}
