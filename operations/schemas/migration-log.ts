/** What happened to a migration, told from the events of the registry. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { sql, value } from '../../core/sql/sql.ts';

export interface LogLine {
  readonly at: string;
  readonly text: string;
}

interface Row extends pg.QueryResultRow {
  readonly at: string;
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The events of an app that can be about it begin with the one that asked for it. */
export async function migrationLog(pool: pg.Pool, app: string, migration: string): Promise<LogLine[]> {
  const rows = await run<Row>(
    pool,
    sql`
    select to_json(e.at)#>>'{}' as at, e.type, e.body from durabase.schema_events e
    where e.app = ${value(app)} and e.body->>'migration_id' = ${value(migration)}
      and e.id >= coalesce((select (m.progress->>'requested')::bigint from durabase.migrations m where m.id = ${value(migration, 'uuid')}), 0)
    order by e.id`,
  );
  return rows.map(({ at, type, body }) => ({ at, text: textOf(type, body) }));
}

const SAID: Readonly<Record<string, string>> = {
  'schema.migration.requested': 'requested',
  'schema.migration.approved': 'approved',
  'schema.migration.started': 'started',
  'schema.migration.completed': 'completed',
  'schema.migration.aborted': 'aborted',
  'schema.migration.failed': 'failed, and taken back',
};
const VERBS: Readonly<Record<string, string>> = { pause: 'paused', resume: 'goes on', reject: 'rejected' };

function textOf(type: string, body: Row['body']): string {
  const word = (name: string): string | undefined => (typeof body[name] === 'string' ? body[name] : undefined);
  const verb = VERBS[word('verb') ?? ''];
  const said = verb ?? SAID[type] ?? phaseText(body, word);
  const why = word('error') ?? word('comment');
  const more = [...(body['needs_approval'] === true ? ['waits for an approval'] : []), ...(why === undefined ? [] : [why])];
  return more.length === 0 ? said : `${said}: ${more.join('; ')}`;
}

function phaseText(body: Row['body'], word: (name: string) => string | undefined): string {
  if (body['is_taken_back'] === true) return 'is taken back: the new version is served no more';
  if (typeof body['quarantined'] === 'number') return `paused for the repair of ${body['quarantined']} quarantined values`;
  if (word('grace_until') !== undefined) return `grace until ${word('grace_until') ?? ''}`;
  if (word('retention_until') !== undefined) return `retention until ${word('retention_until') ?? ''}`;
  return word('phase') ?? 'changed';
}
