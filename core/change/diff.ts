/** Two versions of a document as typed changes. Items are the same when their stable ids are; names decide where there is no id. */
import type { EntityDefinition, RelationDefinition, SchemaDocument, Section } from '../model/document.ts';
import { labelOf } from '../model/identity.ts';
import type { Change, ChangeKind } from './change.ts';
import { diffFields } from './diff-fields.ts';
import { isSame, pair } from './pair.ts';

export function diff(previous: SchemaDocument, next: SchemaDocument): Change[] {
  return [
    ...diffEntities(previous, next),
    ...diffRelations(previous, next),
    ...diffItems('rules', 'rule', previous, next),
    ...diffItems('state_machines', 'state_machine', previous, next),
    ...diffItems('workflows', 'workflow', previous, next),
    ...diffItems('permissions', 'permission', previous, next),
    ...diffItems('webhooks', 'webhook', previous, next),
    ...diffItems('roles', 'role', previous, next),
    ...(isSame(previous.settings, next.settings) ? [] : [compatible('set_settings', { from: previous.settings, to: next.settings })]),
    ...(isSame(previous.ui_configs, next.ui_configs) ? [] : [compatible('set_ui_configs', {})]),
  ];
}

const compatible = (kind: ChangeKind, facts: Omit<Change, 'kind' | 'class'>): Change => ({ kind, class: 'compatible', ...facts });
const breaking = (kind: ChangeKind, facts: Omit<Change, 'kind' | 'class'> & { message: string; hint: string }): Change => ({
  kind,
  class: 'breaking',
  refused: true,
  ...facts,
});

function diffEntities(previous: SchemaDocument, next: SchemaDocument): Change[] {
  const { added, removed, kept } = pair(previous.entities, next.entities, (entity) => entity.name);
  return [
    ...removed.map((entity) =>
      breaking('drop_entity', {
        entity: entity.name,
        message: `Entity "${entity.name}" would be dropped with its records.`,
        hint: 'Keep the entity; deny its actions by permissions to hide it.',
      }),
    ),
    ...added.map((entity) => compatible('add_entity', { entity: entity.name })),
    ...kept.flatMap(([before, after]) => diffEntity(before, after)),
  ];
}

function diffEntity(before: EntityDefinition, after: EntityDefinition): Change[] {
  const entity = after.name;
  const changes: Change[] = [];
  if (before.name !== after.name) {
    changes.push(
      breaking('rename_entity', {
        entity: before.name,
        from: before.name,
        to: after.name,
        message: `Entity "${before.name}" cannot be renamed to "${after.name}" yet.`,
        hint: 'Keep the name and set `label` for what people see.',
      }),
    );
  }
  if ((before.table ?? before.name) !== (after.table ?? after.name) && before.name === after.name) {
    changes.push(
      breaking('set_table', {
        entity,
        from: before.table ?? before.name,
        to: after.table ?? after.name,
        message: `The table of entity "${entity}" cannot be changed: its records would be left behind.`,
        hint: `Keep \`table: ${before.table ?? before.name}\`.`,
      }),
    );
  }
  if (!isSame(keyOf(before), keyOf(after))) {
    changes.push(
      breaking('set_primary_key', {
        entity,
        from: keyOf(before),
        to: keyOf(after),
        message: `The primary key of entity "${entity}" cannot be changed while records refer to it.`,
        hint: 'Add a field with `unique: true` instead.',
      }),
    );
  }
  if (before.soft_delete !== after.soft_delete) changes.push(softDelete(after));
  for (const property of ['label', 'description', 'display_field', 'slug'] as const) {
    if (!isSame(before[property], after[property])) {
      changes.push(compatible('set_entity', { entity, property, from: before[property] ?? null, to: after[property] ?? null }));
    }
  }
  return [...changes, ...diffFields(before, after), ...diffIndexes(before, after)];
}

const keyOf = (entity: EntityDefinition) => ({
  fields: entity.primary_key?.fields ?? [entity.primary_key?.field ?? 'id'],
  type: entity.primary_key?.type ?? 'uuid',
  generated: entity.primary_key?.generated ?? true,
});

function softDelete(after: EntityDefinition): Change {
  if (after.soft_delete) return compatible('set_soft_delete', { entity: after.name, from: false, to: true });
  return breaking('set_soft_delete', {
    entity: after.name,
    from: true,
    to: false,
    message: `Soft delete of entity "${after.name}" cannot be turned off: deleted records would come back.`,
    hint: 'Keep soft_delete: true.',
  });
}

function diffIndexes(before: EntityDefinition, after: EntityDefinition): Change[] {
  const entity = after.name;
  const uniques = (of: EntityDefinition): string[][] => [
    ...of.unique,
    ...of.indexes.filter((index) => index.unique).map((index) => index.fields),
  ];
  const plain = (of: EntityDefinition): string[][] =>
    of.indexes.filter((index) => !index.unique && index.type !== 'fulltext').map((index) => index.fields);
  const fulltext = (of: EntityDefinition): string[][] =>
    of.indexes.filter((index) => index.type === 'fulltext').map((index) => index.fields);
  return [
    ...missing(uniques(after), uniques(before)).map((fields) => compatible('add_unique', { entity, fields })),
    ...missing(uniques(before), uniques(after)).map((fields) => compatible('drop_unique', { entity, fields })),
    ...missing(plain(after), plain(before)).map((fields) => compatible('add_index', { entity, fields })),
    ...missing(plain(before), plain(after)).map((fields) => compatible('drop_index', { entity, fields })),
    ...missing(fulltext(after), fulltext(before)).map((fields) => compatible('add_index', { entity, fields, property: 'fulltext' })),
    ...missing(fulltext(before), fulltext(after)).map((fields) => compatible('drop_index', { entity, fields, property: 'fulltext' })),
  ];
}

const missing = (wanted: readonly string[][], known: readonly string[][]): string[][] =>
  wanted.filter((fields) => !known.some((other) => isSame(other, fields)));

/** What of a relation may change without touching a table: names, behaviour on delete, loading and nesting. */
const FREE_RELATION_PROPERTIES = ['ownership', 'on_delete', 'fetch', 'write_mode', 'source_name', 'target_name'] as const;
const FIXED_RELATION_PROPERTIES = [
  'type',
  'source',
  'target',
  'source_key',
  'target_key',
  'column',
  'join_table',
  'source_join_key',
  'target_join_key',
] as const;

function diffRelations(previous: SchemaDocument, next: SchemaDocument): Change[] {
  const { added, removed, kept } = pair(previous.relations, next.relations, (relation) => relation.name);
  return [
    ...removed.map((relation) =>
      breaking('drop_relation', {
        relation: relation.name,
        entity: relation.source,
        message: `Relation "${relation.name}" would be dropped with its links.`,
        hint: 'Keep the relation.',
      }),
    ),
    ...added.map((relation) => compatible('add_relation', { relation: relation.name, entity: relation.source, to: relation.target })),
    ...kept.flatMap(([before, after]) => diffRelation(before, after)),
  ];
}

function diffRelation(before: RelationDefinition, after: RelationDefinition): Change[] {
  const relation = after.name;
  const changes: Change[] = [];
  if (before.name !== after.name) {
    changes.push(
      breaking('rename_relation', {
        relation: before.name,
        from: before.name,
        to: after.name,
        message: `Relation "${before.name}" cannot be renamed to "${after.name}" yet: clients include it by its name.`,
        hint: 'Keep the name; `source_name` and `target_name` set what each side is called.',
      }),
    );
  }
  for (const property of FIXED_RELATION_PROPERTIES) {
    if (before[property] === after[property]) continue;
    changes.push(
      breaking('set_relation', {
        relation,
        property,
        from: before[property] ?? null,
        to: after[property] ?? null,
        message: `The ${property} of relation "${relation}" cannot be changed: its links would be left behind.`,
        hint: 'Add another relation with a new name.',
      }),
    );
  }
  for (const property of FREE_RELATION_PROPERTIES) {
    if (before[property] === after[property]) continue;
    changes.push(compatible('set_relation', { relation, property, from: before[property] ?? null, to: after[property] ?? null }));
  }
  if ((before.required ?? false) !== (after.required ?? false)) {
    changes.push(
      compatible('set_required', { relation, entity: after.target, from: before.required ?? false, to: after.required ?? false }),
    );
  }
  return changes;
}

type ItemSection = Exclude<Section, 'entities' | 'relations'>;
type ItemNoun = 'rule' | 'state_machine' | 'workflow' | 'permission' | 'webhook' | 'role';

/** Definitions without a table behind them: any edit of them takes effect with the switch. */
function diffItems(section: ItemSection, noun: ItemNoun, previous: SchemaDocument, next: SchemaDocument): Change[] {
  type Item = { readonly id?: string | undefined; readonly name?: string | undefined; readonly entity?: string };
  const facts = (item: Item): Omit<Change, 'kind' | 'class'> => ({
    item: labelOf(section, item as SchemaDocument[ItemSection][number]),
    ...(item.entity === undefined ? {} : { entity: item.entity }),
  });
  const { added, removed, kept } = pair<Item>(previous[section], next[section], (item) => item.name ?? JSON.stringify(item));
  return [
    ...removed.map((item) => compatible(`drop_${noun}`, facts(item))),
    ...added.map((item) => compatible(`add_${noun}`, facts(item))),
    ...kept.filter(([before, after]) => !isSame(before, after)).map(([, after]) => compatible(`set_${noun}`, facts(after))),
  ];
}
