import type { Knex } from 'knex';

/**
 * Events carry the rows they are about, so that the registry follows from them alone. What happened before is one event that holds
 * every row as it is now.
 */
export const name = '0013_event_state';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table durabase.schema_events add column state jsonb not null default '{}';
    lock table durabase.apps, durabase.schemas, durabase.schema_versions, durabase.migrations in share mode;
    insert into durabase.schema_events (type, state)
    select 'registry.snapshot', jsonb_build_object(
      'apps', (select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'display_name', t.display_name, 'storage', t.storage,
        'status', t.status, 'schema_name', t.schema_name, 'served_version', t.served_version, 'pinned_version', t.pinned_version,
        'created_by', t.created_by)), '[]') from durabase.apps t),
      'schemas', (select coalesce(jsonb_agg(jsonb_build_object('name', t.name, 'owner_app', t.owner_app,
        'latest_version', t.latest_version)), '[]') from durabase.schemas t),
      'schema_versions', (select coalesce(jsonb_agg(jsonb_build_object('schema_name', t.schema_name, 'version', t.version,
        'document', t.document, 'class', t.class, 'changes', t.changes, 'hash', t.hash, 'created_by', t.created_by)), '[]')
        from durabase.schema_versions t),
      'migrations', (select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'app', t.app, 'number', t.number,
        'from_version', t.from_version, 'to_version', t.to_version, 'status', t.status, 'plan_hash', t.plan_hash, 'error', t.error,
        'workflow_id', t.workflow_id, 'created_by', t.created_by)), '[]') from durabase.migrations t))
    where exists (select from durabase.apps) or exists (select from durabase.schemas);
  `);
}
