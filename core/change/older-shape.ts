/**
 * The document of an older version as it is served beside the newer one: its entities, fields and relations, in the tables and
 * columns they have, under the permissions, rules and machines of today (ADR 16). Compiled like any other document, so reads and
 * writes know nothing of migrations.
 */
import type { EntityDefinition, RelationDefinition, SchemaDocument, WebhookDefinition } from '../model/document.ts';
import { fieldName, foreignKeyOf, joinOf, type AppModel } from '../model/model.ts';
import { keyColumnOf, keyOf } from './key/key-of.ts';
import { olderFunctions } from './older-shape/functions.ts';
import { olderMachines, olderRules } from './older-shape/behaviour.ts';
import { OlderNames } from './older-shape/names.ts';
import { olderPermissions } from './older-shape/permissions.ts';

/** Both documents with their stable ids and storage, as the registry keeps them. */
export function olderShape(served: SchemaDocument, older: SchemaDocument): SchemaDocument {
  const names = new OlderNames(served, older);
  return {
    ...older,
    entities: older.entities.map((entity) => withFixedKeys(stored(entity, names.older), names.served)),
    relations: older.relations.map((relation) => storedLinks(relation, names.older)),
    permissions: olderPermissions(names),
    rules: olderRules(names, served, older),
    state_machines: olderMachines(names, served, older),
    roles: served.roles,
    settings: served.settings,
    webhooks: served.webhooks.flatMap((webhook) => askedFirst(webhook, names)),
    functions: olderFunctions(names, served, older),
    // Events speak the served shape, and they are what starts processes.
    workflows: [],
  };
}

/** Said in full: what an older name implies must not depend on what else is called so today. */
function stored(entity: EntityDefinition, model: AppModel): EntityDefinition {
  const { table = entity.name, fields } = model.entities.get(entity.name) ?? {};
  return {
    ...entity,
    table,
    fields: entity.fields.map((field) => ({ ...field, column: fields?.get(fieldName(field))?.column ?? fieldName(field) })),
  };
}

/** What is the key in the served version changes for nobody, as the key of the older one does not. */
function withFixedKeys(entity: EntityDefinition, served: AppModel): EntityDefinition {
  const now = [...served.entities.values()].find(({ table }) => table === (entity.table ?? entity.name));
  const column = now?.key.length === 1 ? now.key[0]?.column : undefined;
  const field = entity.fields.find((one) => (one.column ?? fieldName(one)) === column);
  if (column === undefined || field === undefined || column === keyColumnOf(entity)) return entity;
  const { fields: names, type, generated } = keyOf(entity);
  const key = entity.primary_key ?? { field: names[0], type, generated };
  return { ...entity, primary_key: { ...key, former: [...(key.former ?? []), { column, until: 0, generated: false }] } };
}

function storedLinks(relation: RelationDefinition, model: AppModel): RelationDefinition {
  if (relation.type === 'many_to_many') {
    const { table, sourceColumn, targetColumn } = joinOf(relation, relation.source, relation.target);
    return { ...relation, join_table: table, source_join_key: sourceColumn, target_join_key: targetColumn };
  }
  const key = model.entities.get(relation.target)?.fields.get(foreignKeyOf(relation));
  return { ...relation, target_key: foreignKeyOf(relation), ...(key === undefined ? {} : { column: key.column }) };
}

/** Whoever may refuse a write is asked about writes in the older shape too, in the served one: here only that there is somebody. */
function askedFirst(webhook: WebhookDefinition, names: OlderNames): WebhookDefinition[] {
  const isAsked = !webhook.async || webhook.hook.startsWith('before_');
  const entity = webhook.entity === '*' ? '*' : names.entity(webhook.entity)?.name;
  if (!isAsked || entity === undefined) return [];
  const { condition: _condition, fields: _fields, ...rest } = webhook;
  return [{ ...rest, entity }];
}
