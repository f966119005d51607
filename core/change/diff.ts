/** Two versions of a document as typed changes. Items are the same when their stable ids are; names decide where there is no id. */
import type { EntityDefinition, SchemaDocument, Section } from '../model/document.ts';
import { labelOf } from '../model/identity.ts';
import { fieldName } from '../model/model.ts';
import type { Change, ChangeKind, Conversion, FieldPath, Move, Split } from './change.ts';
import { diffFields, type FieldContext } from './diff-fields.ts';
import { diffRelations } from './diff-relations.ts';
import { diffKey } from './key/key-change.ts';
import { isSame, pair } from './pair.ts';

/** `conversions` say how values get from one to the other where that is not plain; both documents carry their storage. */
export function diff(
  previous: SchemaDocument,
  next: SchemaDocument,
  conversions: readonly Conversion[] = [],
  moves: readonly Move[] = [],
  splits: readonly Split[] = [],
): Change[] {
  const carried = [...moves.map(({ from }) => from), ...splits.flatMap(fieldsTaken)];
  return [
    ...diffEntities({ previous, next, conversions, carried, isMoving: moves.length + splits.length > 0 }, splits),
    ...moves.map((move) => moved(move, previous, next)),
    ...splits.map((one) => splitOrMerged(one, previous, next)),
    ...diffRelations(previous, next),
    ...diffItems('rules', 'rule', previous, next),
    ...diffItems('state_machines', 'state_machine', previous, next),
    ...diffItems('workflows', 'workflow', previous, next),
    ...diffItems('calendars', 'calendar', previous, next),
    ...diffItems('slas', 'sla', previous, next),
    ...diffItems('permissions', 'permission', previous, next),
    ...diffItems('webhooks', 'webhook', previous, next),
    ...diffItems('functions', 'function', previous, next),
    ...diffItems('roles', 'role', previous, next),
    ...(isSame(previous.settings, next.settings) ? [] : [compatible('set_settings', { from: previous.settings, to: next.settings })]),
    ...(isSame(previous.ui_configs, next.ui_configs) ? [] : [compatible('set_ui_configs', {})]),
  ];
}

const compatible = (kind: ChangeKind, facts: Omit<Change, 'kind' | 'class'>): Change => ({ kind, class: 'compatible', ...facts });
const refused = (kind: ChangeKind, facts: Omit<Change, 'kind' | 'class'> & { message: string; hint: string }): Change => ({
  kind,
  class: 'breaking',
  refused: true,
  ...facts,
});

const idOf = (document: SchemaDocument, { entity, field }: FieldPath): string[] =>
  document.entities
    .filter((one) => one.name === entity)
    .flatMap(({ fields }) => fields.filter((one) => fieldName(one) === field || one.name === field))
    .flatMap((one) => one.id ?? []);

/** Fields that a split takes from the older version's whole. Those that a merge takes go with their entity. */
const fieldsTaken = ({ direction, whole, fields }: Split): FieldPath[] =>
  direction === 'split' ? fields.map((field) => ({ entity: whole, field: field.whole })) : [];

function splitOrMerged(split: Split, previous: SchemaDocument, next: SchemaDocument): Change {
  const { direction, whole, part, fields, via } = split;
  const isSplit = direction === 'split';
  const [withPart, withFields] = isSplit ? [next, previous] : [previous, next];
  const names = fields.map((field) => (field.whole === field.part ? field.whole : `${field.whole} (there ${field.part})`)).join(', ');
  return {
    kind: isSplit ? 'split_entity' : 'merge_entity',
    class: 'breaking',
    entity: isSplit ? whole : part,
    fields: fields.map((field) => (isSplit ? field.whole : field.part)),
    relation: via,
    from: isSplit ? whole : part,
    to: isSplit ? part : whole,
    message: isSplit
      ? `"${whole}" is split: ${names} go to records of "${part}"; clients of the older version keep them where they were for the grace period.`
      : `"${part}" is merged into "${whole}", with ${names}; clients of the older version keep its records for the grace period.`,
    split,
    touches: [
      ...[withPart.entities.find((one) => one.name === part), withPart.relations.find((one) => one.name === via)].flatMap(
        (one) => one?.id ?? [],
      ),
      ...fields.flatMap((field) => [
        ...idOf(withFields, { entity: whole, field: field.whole }),
        ...idOf(withPart, { entity: part, field: field.part }),
      ]),
    ],
  };
}

function moved(move: Move, previous: SchemaDocument, next: SchemaDocument): Change {
  const { from, to } = move;
  return {
    kind: 'move_field',
    class: 'breaking',
    entity: to.entity,
    field: to.field,
    from: `${from.entity}.${from.field}`,
    to: `${to.entity}.${to.field}`,
    message: `"${from.entity}.${from.field}" moves to "${to.entity}.${to.field}"; clients of the older version keep it where it was for the grace period.`,
    move,
    touches: [...idOf(previous, from), ...idOf(next, to)],
  };
}

function diffEntities(version: Omit<FieldContext, 'before' | 'after' | 'nowCalled'>, splits: readonly Split[]): Change[] {
  const { previous, next } = version;
  const { added, removed, kept } = pair(previous.entities, next.entities, (entity) => entity.name);
  const names = new Map(kept.map(([before, after]) => [before.name, after.name]));
  const nowCalled = (entity: string): string => names.get(entity) ?? entity;
  return [
    ...removed.map((entity): Change => ({
      kind: 'drop_entity',
      class: 'breaking',
      entity: entity.name,
      message: splits.some(({ direction, part }) => direction === 'merge' && part === entity.name)
        ? `Entity "${entity.name}" goes into another; its table stays until the retention ends.`
        : `Entity "${entity.name}" is dropped: clients of the older version keep it for the grace period, its records stay until the retention ends.`,
      held: [{ id: entity.id ?? entity.name, table: entity.table ?? entity.name }],
      touches: [entity, ...entity.fields].flatMap((item) => item.id ?? []),
    })),
    ...added.map((entity) => compatible('add_entity', { entity: entity.name })),
    ...kept.flatMap(([before, after]) => {
      const conversions = version.conversions.filter((one) => one.entity === after.name);
      return diffEntity({ ...version, before, after, conversions, nowCalled });
    }),
  ];
}

function diffEntity(context: FieldContext): Change[] {
  const { before, after } = context;
  const entity = after.name;
  const changes: Change[] = [];
  if (before.name !== after.name) {
    changes.push({
      kind: 'rename_entity',
      class: 'breaking',
      entity: before.name,
      from: before.name,
      to: after.name,
      touches: after.id === undefined ? [] : [after.id],
      message: `Entity "${before.name}" is called "${after.name}"; clients of the older version keep its name for the grace period.`,
    });
  }
  if ((before.table ?? before.name) !== (after.table ?? after.name)) {
    changes.push(
      refused('set_table', {
        entity,
        from: before.table ?? before.name,
        to: after.table ?? after.name,
        message: `The table of entity "${entity}" cannot be changed: its records would be left behind.`,
        hint: `Keep \`table: ${before.table ?? before.name}\`.`,
      }),
    );
  }
  changes.push(...diffKey(context));
  if (before.soft_delete !== after.soft_delete) changes.push(softDelete(before, after));
  for (const property of ['label', 'description', 'display_field', 'slug', 'comments'] as const) {
    if (!isSame(before[property], after[property])) {
      changes.push(compatible('set_entity', { entity, property, from: before[property] ?? null, to: after[property] ?? null }));
    }
  }
  return [...changes, ...diffFields(context), ...diffIndexes(before, after)];
}

/** Off: whether deleted records are there is asked of the database, see `plan`. */
const softDelete = (before: EntityDefinition, after: EntityDefinition): Change =>
  compatible('set_soft_delete', { entity: after.name, from: before.soft_delete, to: after.soft_delete });

/** The older lists in the names that their fields have now: a rename changes no index. */
function withNewNames(before: EntityDefinition, after: EntityDefinition): EntityDefinition {
  const names = new Map(
    pair(before.fields, after.fields, (field) => field.name).kept.map(([old, now]) => [fieldName(old), fieldName(now)]),
  );
  const renamed = (fields: readonly string[]): string[] => fields.map((field) => names.get(field) ?? field);
  return {
    ...before,
    unique: before.unique.map(renamed),
    indexes: before.indexes.map((index) => ({ ...index, fields: renamed(index.fields) })),
  };
}

function diffIndexes(older: EntityDefinition, after: EntityDefinition): Change[] {
  const entity = after.name;
  const before = withNewNames(older, after);
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

type ItemSection = Exclude<Section, 'entities' | 'relations'>;
type ItemNoun = 'rule' | 'state_machine' | 'workflow' | 'calendar' | 'sla' | 'permission' | 'webhook' | 'function' | 'role';

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
