/**
 * What the registry's tables say, as the JSON an event carries of the rows it is about. The tables follow from the events: the last
 * event about a row holds it as it is now. When it was made and changed, and progress, are left out; they are the row's own.
 */
import { literal, sql, value, type Sql } from '../../core/sql/sql.ts';

export interface Projection {
  /** The table, and the name in reports. */
  readonly name: 'apps' | 'schemas' | 'schema_versions' | 'migrations';
  /** The member of an event's `state`. */
  readonly part: 'app' | 'schema' | 'version' | 'migration';
  readonly table: Sql;
  /** A row of the table under the alias `t`. */
  readonly row: Sql;
  /** Names a row, out of its JSON under the alias `row`. */
  readonly key: Sql;
}

export const PROJECTIONS: readonly Projection[] = [
  {
    name: 'apps',
    part: 'app',
    table: sql`durabase.apps`,
    row: sql`jsonb_build_object('id', t.id, 'name', t.name, 'display_name', t.display_name, 'storage', t.storage, 'status', t.status,
      'schema_name', t.schema_name, 'served_version', t.served_version, 'pinned_version', t.pinned_version, 'created_by', t.created_by)
      || case when t.maintenance is null then '{}' else jsonb_build_object('maintenance', t.maintenance) end`,
    key: sql`row->>'id'`,
  },
  {
    name: 'schemas',
    part: 'schema',
    table: sql`durabase.schemas`,
    row: sql`jsonb_build_object('name', t.name, 'owner_app', t.owner_app, 'latest_version', t.latest_version)`,
    key: sql`row->>'name'`,
  },
  {
    name: 'schema_versions',
    part: 'version',
    table: sql`durabase.schema_versions`,
    row: sql`jsonb_build_object('schema_name', t.schema_name, 'version', t.version, 'document', t.document, 'class', t.class,
      'changes', t.changes, 'hash', t.hash, 'created_by', t.created_by)`,
    key: sql`(row->>'schema_name') || '/' || (row->>'version')`,
  },
  {
    name: 'migrations',
    part: 'migration',
    table: sql`durabase.migrations`,
    row: sql`jsonb_build_object('id', t.id, 'app', t.app, 'number', t.number, 'from_version', t.from_version, 'to_version', t.to_version,
      'status', t.status, 'phase', t.phase, 'plan_hash', t.plan_hash, 'error', t.error, 'workflow_id', t.workflow_id,
      'created_by', t.created_by, 'approval', t.approval, 'grace_until', t.grace_until at time zone 'utc',
      'grace_ended_at', t.grace_ended_at at time zone 'utc', 'retention_until', t.retention_until at time zone 'utc')`,
    key: sql`row->>'id'`,
  },
];

export interface Subjects {
  readonly app: string | null;
  readonly schemaName: string | undefined;
  /** Set where the event is about a version itself. */
  readonly version: number | undefined;
  readonly migrationId: string | undefined;
}

/** The rows an event is about, as they are now: it is appended after what it tells of was written. */
export function stateOf({ app, schemaName, version, migrationId }: Subjects): Sql {
  const wheres: Readonly<Record<Projection['part'], Sql | undefined>> = {
    app: app === null ? undefined : sql`t.id = ${value(app)}`,
    schema: schemaName === undefined ? undefined : sql`t.name = ${value(schemaName)}`,
    version:
      schemaName === undefined || version === undefined
        ? undefined
        : sql`t.schema_name = ${value(schemaName)} and t.version = ${value(version, 'integer')}`,
    migration: migrationId === undefined ? undefined : sql`t.id = ${value(migrationId, 'uuid')}`,
  };
  const parts = PROJECTIONS.flatMap(({ part, table, row }) => {
    const where = wheres[part];
    return where === undefined ? [] : [sql`jsonb_build_object(${literal(part)}, (select ${row} from ${table} t where ${where}))`];
  });
  return parts.reduce((all, one) => sql`${all} || ${one}`, sql`'{}'::jsonb`);
}
