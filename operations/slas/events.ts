/** The changes of a record as clocks take them. */
import { type Db, run } from '../../adapters/postgres/run.ts';
import type { ClockEvent } from '../../core/sla/rule.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { AppRuntime } from '../app-runtime.ts';
import { idsOverTime, isEventOf } from '../records/former-keys.ts';
import { type EventRow, recordBefore } from '../events.ts';
import { namesOverTime } from '../records/past-names.ts';
import { entityIn, rowIn, versionNames } from '../version-names.ts';

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
  const names = await namesOf(db, app, entity);
  const model = app.model.entities.get(entity);
  const ids = model === undefined ? [{ id: recordId, from: 0, until: null }] : await idsOverTime(db, app, model, recordId, names);
  const rows = await run<Row & Pick<EventRow, 'entity' | 'schema_version'>>(
    db,
    sql`select entity, schema_version, seq, to_json(at at time zone 'UTC')#>>'{}' || 'Z' as at, action, record_version, record, old from durabase.events e
        where app = ${value(app.id)} and entity = any(${value(names, 'text[]')}) and ${isEventOf(ids)}
          and record_version >= ${value(fromVersion, 'bigint')} and action <> 'custom'
        order by record_version, seq`,
    { prepared: true },
  );
  const events: ClockEvent[] = [];
  for (const row of rows) {
    const event = toClockEvent(row);
    if (event === undefined) continue;
    const { entity: then, schema_version: version } = row;
    const renamed = await versionNames(db, app, version, app.version);
    // Another entity may have had the name in another version.
    if (entityIn(renamed, then) !== entity) continue;
    events.push(
      renamed === undefined
        ? event
        : { ...event, today: { record: rowIn(renamed, then, event.record), before: rowIn(renamed, then, event.before) } },
    );
  }
  return events;
}

const NAMES = {};

/** All the names that the entity has had; today's alone where the app's version does not know it. */
async function namesOf(db: Db, app: AppRuntime, name: string): Promise<readonly string[]> {
  const known = app.memo(NAMES, () => new Map<string, readonly string[]>());
  const found = known.get(name);
  if (found !== undefined) return found;
  const entity = app.model.entities.get(name);
  const names = entity === undefined ? [name] : [...new Set([name, ...(await namesOverTime(db, app, entity)).names])];
  known.set(name, names);
  return names;
}
