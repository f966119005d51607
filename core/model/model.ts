/**
 * The compiled form of a schema document: what a request needs to know about an app, resolved once per schema version and
 * never changed afterwards. Vocabulary: a *relation end* is one relation seen from one entity; `forward` ends hold the
 * foreign key (`ticket` → `customer`), `reverse` ends are found by it (`customer` → its tickets).
 */
import { AppError } from '../errors.ts';
import type {
  AppSettings,
  EntityDefinition,
  FieldDefinition,
  FieldType,
  FunctionAttachment,
  OnDelete,
  PermissionDefinition,
  RelationDefinition,
  RuleDefinition,
  SchemaDocument,
  StateMachineDefinition,
  WebhookDefinition,
  WorkflowDefinition,
  WriteMode,
} from './document.ts';

export type KeyType = 'uuid' | 'int' | 'bigint' | 'string';
/** A field's type once `relation` is resolved to the type of the key it holds. */
export type StoredType = Exclude<FieldType, 'relation'>;

export interface FieldModel {
  readonly name: string;
  readonly column: string;
  readonly type: StoredType;
  readonly definition: FieldDefinition;
  readonly required: boolean;
  readonly unique: boolean;
  readonly isKey: boolean;
  /** The key, or one that was or is it in another version: given once, it names the record for good. */
  readonly isFixed: boolean;
  /** The engine gives every record a value: a generated key, or one that was. */
  readonly isGenerated: boolean;
  /** Made by the engine: generated key, `auto`, or a computed rule. Values sent by clients are ignored. */
  readonly isAuto: boolean;
  /** The entity a foreign key points at. */
  readonly references: string | undefined;
}

/** A field that was the key of the entity. */
export interface FormerKey {
  /** Undefined where it is gone. */
  readonly field: FieldModel | undefined;
  readonly column: string;
  /** The first version in which it was not. */
  readonly until: number;
}

export interface RelationEnd {
  /** The canonical include name; `names` holds every accepted one. */
  readonly name: string;
  readonly names: readonly string[];
  readonly relation: RelationDefinition;
  readonly direction: 'forward' | 'reverse' | 'link';
  readonly cardinality: 'one' | 'many';
  readonly entity: string;
  readonly target: string;
  /** The field of this entity and that of the target which are equal (for links: the two keys), and where each is stored. */
  readonly localField: string;
  readonly targetField: string;
  readonly localColumn: string;
  readonly targetColumn: string;
  readonly join?: { readonly table: string; readonly localColumn: string; readonly targetColumn: string };
  readonly onDelete: OnDelete;
  readonly writeMode: WriteMode;
  readonly isEager: boolean;
  /** True on the side from which rows may be nested in a write. */
  readonly canNest: boolean;
}

export interface EntityModel {
  readonly id: string;
  readonly name: string;
  readonly table: string;
  /** The relation its records are read from: the table, or a view that knows what a conversion has not filled yet. */
  readonly rows: string;
  /** Columns of the table that are set to true to have a row filled. */
  readonly markers: readonly string[];
  readonly definition: EntityDefinition;
  readonly fields: ReadonlyMap<string, FieldModel>;
  /** Primary key fields; almost always one. */
  readonly key: readonly FieldModel[];
  readonly keyType: KeyType;
  readonly isKeyGenerated: boolean;
  /** By the version up to which they were the key. */
  readonly formerKeys: readonly FormerKey[];
  readonly hasSoftDelete: boolean;
  readonly slugField: FieldModel | undefined;
  readonly displayField: string;
  /** Relation ends by every accepted include name. */
  readonly ends: ReadonlyMap<string, RelationEnd>;
  /** Each relation end once. */
  readonly relations: readonly RelationEnd[];
  readonly rules: readonly RuleDefinition[];
  readonly machines: readonly StateMachineDefinition[];
  readonly webhooks: readonly WebhookDefinition[];
  /** Active attachments by ascending priority. */
  readonly functions: readonly FunctionAttachment[];
}

export interface AppModel {
  readonly entities: ReadonlyMap<string, EntityModel>;
  readonly permissions: readonly PermissionDefinition[];
  readonly workflows: readonly WorkflowDefinition[];
  readonly settings: AppSettings;
  readonly document: SchemaDocument;
}

/** System columns of every record's table; never fields, never in an answer. */
export const VERSION_COLUMN = '_version';
export const DELETED_COLUMN = 'deleted_at';

const DEFAULT_KEY: FieldDefinition = { name: 'id', type: 'uuid', required: false, unique: false, hidden: false };

/** What a declared field is called in records: one of type `relation` after the key it holds. */
export const fieldName = (field: Pick<FieldDefinition, 'name' | 'type'>): string =>
  field.type === 'relation' ? relationColumn(field.name) : field.name;

/** The name of the key behind a field of type `relation`. */
export const relationColumn = (field: string): string => (field.endsWith('_id') ? field : `${field}_id`);
const relationName = (field: string): string => (field.endsWith('_id') ? field.slice(0, -3) : field);

/**
 * Resolves a document that passed the reviewer. Throws VALIDATION_FAILED when it names an unknown entity in a relation,
 * which the reviewer reports first with its path.
 */
export function buildModel(document: SchemaDocument): AppModel {
  const relations = [...document.relations, ...document.entities.flatMap(shortFormRelations)];
  const drafts = new Map(document.entities.map((entity) => [entity.name, draftEntity(entity)]));
  for (const draft of drafts.values()) resolveReferences(draft, drafts);
  for (const relation of relations) addForeignKey(relation, drafts);
  const ends = relations.flatMap((relation) => endsOf(relation, drafts));
  const entities = new Map<string, EntityModel>();
  for (const draft of drafts.values()) {
    const own = ends.filter((end) => end.entity === draft.definition.name);
    entities.set(draft.definition.name, finishEntity(draft, own, document));
  }
  return {
    entities,
    permissions: document.permissions,
    workflows: document.workflows,
    settings: document.settings,
    document,
  };
}

interface EntityDraft {
  readonly definition: EntityDefinition;
  readonly table: string;
  readonly fields: Map<string, FieldModel>;
  readonly keyNames: readonly string[];
  readonly keyType: KeyType;
  readonly isKeyGenerated: boolean;
}

function draftEntity(definition: EntityDefinition): EntityDraft {
  const key = definition.primary_key;
  const keyNames = key?.fields ?? [key?.field ?? 'id'];
  const keyType = key?.type ?? 'uuid';
  const isKeyGenerated = key?.generated ?? true;
  const declared = definition.fields.some((field) => field.name === keyNames[0])
    ? definition.fields
    : [{ ...DEFAULT_KEY, name: keyNames[0] ?? 'id', type: keyType }, ...definition.fields];
  const former = key?.former ?? [];
  const fields = new Map<string, FieldModel>();
  for (const field of declared) {
    const isKey = keyNames.includes(field.name);
    const name = fieldName(field);
    const places = former.filter(({ column }) => column === (field.column ?? name));
    const isGenerated = (isKey && isKeyGenerated) || places.some(({ generated }) => generated);
    const type: StoredType = isKey && keyNames.length === 1 ? keyType : field.type === 'relation' ? 'uuid' : field.type;
    fields.set(name, {
      name,
      column: field.column ?? name,
      type,
      definition: field,
      // A generated key may be declared required by habit: the engine fills it, the client need not.
      required: isKey ? !isKeyGenerated : field.required || field.nullable === false,
      unique: keyNames.length === 1 && isKey ? true : field.unique,
      isKey,
      isFixed: isKey || places.length > 0,
      isGenerated,
      isAuto: field.auto !== undefined || field.computed !== undefined || isGenerated,
      references: field.type === 'relation' ? field.target : undefined,
    });
  }
  return { definition, table: definition.table ?? definition.name, fields, keyNames, keyType, isKeyGenerated };
}

/** A field of type `relation` is the short form of a one_to_many whose target is the entity that holds it. */
function shortFormRelations(entity: EntityDefinition): RelationDefinition[] {
  return entity.fields.flatMap((field) => {
    if (field.type !== 'relation' || field.target === undefined) return [];
    return [
      {
        ...(field.id === undefined ? {} : { id: field.id }),
        name: `${entity.name}_${relationName(field.name)}`.slice(0, 63),
        type: 'one_to_many' as const,
        source: field.target,
        target: entity.name,
        ...(field.target_field === undefined ? {} : { source_key: field.target_field }),
        target_key: relationColumn(field.name),
        ownership: 'source' as const,
        on_delete: field.on_delete ?? 'restrict',
        fetch: 'lazy' as const,
        write_mode: 'diff' as const,
        target_name: relationName(field.name),
      },
    ];
  });
}

function resolveReferences(draft: EntityDraft, drafts: ReadonlyMap<string, EntityDraft>): void {
  for (const [name, field] of draft.fields) {
    if (field.references === undefined) continue;
    const target = drafts.get(field.references);
    const held = target?.fields.get(field.definition.target_field ?? '');
    if (target !== undefined) draft.fields.set(name, { ...field, type: held?.type ?? target.keyType });
  }
}

const draftOf = (name: string, drafts: ReadonlyMap<string, EntityDraft>): EntityDraft => {
  const draft = drafts.get(name);
  if (draft === undefined) {
    throw new AppError('VALIDATION_FAILED', `A relation names the entity "${name}", which the document does not have.`);
  }
  return draft;
};

const keyOf = (draft: EntityDraft): string => draft.keyNames[0] ?? 'id';

/** The field by which the target of a one_to_one or one_to_many holds the key. */
export const foreignKeyOf = (relation: RelationDefinition): string => relation.target_key ?? `${relation.source}_id`;

function addForeignKey(relation: RelationDefinition, drafts: ReadonlyMap<string, EntityDraft>): void {
  if (relation.type === 'many_to_many') return;
  const source = draftOf(relation.source, drafts);
  const target = draftOf(relation.target, drafts);
  const name = foreignKeyOf(relation);
  const sourceKey = source.fields.get(relation.source_key ?? keyOf(source));
  const existing = target.fields.get(name);
  const type = sourceKey?.type ?? source.keyType;
  target.fields.set(name, {
    name,
    column: existing?.column ?? relation.column ?? name,
    definition: existing?.definition ?? { name, type, required: false, unique: false, hidden: false },
    required: existing?.required ?? relation.required ?? false,
    unique: existing?.unique === true || relation.type === 'one_to_one',
    isKey: existing?.isKey ?? false,
    isFixed: existing?.isFixed ?? false,
    isGenerated: existing?.isGenerated ?? false,
    isAuto: existing?.isAuto ?? false,
    type,
    references: relation.source,
  });
}

/** An end whose names are still claims: which of them it gets depends on the other ends of its entity. */
type EndDraft = Omit<RelationEnd, 'names'> & { readonly names: readonly [string, Claim][] };

function endsOf(relation: RelationDefinition, drafts: ReadonlyMap<string, EntityDraft>): EndDraft[] {
  const source = draftOf(relation.source, drafts);
  const target = draftOf(relation.target, drafts);
  const shared = {
    relation,
    onDelete: relation.on_delete,
    writeMode: relation.write_mode,
    isEager: relation.fetch === 'eager',
  };
  if (relation.type === 'many_to_many') {
    const join = storedJoin(relation, drafts);
    const sourceKey = relation.source_key ?? keyOf(source);
    const targetKey = relation.target_key ?? keyOf(target);
    const forth = linked(source, sourceKey, target, targetKey);
    const back = linked(target, targetKey, source, sourceKey);
    return [
      {
        ...shared,
        name: relation.name,
        names: claimsOf(relation, 'source', target.table),
        direction: 'link',
        cardinality: 'many',
        canNest: true,
        entity: relation.source,
        target: relation.target,
        ...forth,
        join: { table: join.table, localColumn: join.sourceColumn, targetColumn: join.targetColumn },
      },
      {
        ...shared,
        name: relation.name,
        names: claimsOf(relation, 'target', source.table),
        direction: 'link',
        cardinality: 'many',
        canNest: true,
        isEager: false,
        entity: relation.target,
        target: relation.source,
        ...back,
        join: { table: join.table, localColumn: join.targetColumn, targetColumn: join.sourceColumn },
      },
    ];
  }
  const foreignKey = foreignKeyOf(relation);
  const sourceKey = relation.source_key ?? keyOf(source);
  return [
    {
      ...shared,
      name: relation.name,
      names: claimsOf(relation, 'source', target.table),
      direction: 'reverse',
      canNest: true,
      cardinality: relation.type === 'one_to_one' ? 'one' : 'many',
      entity: relation.source,
      target: relation.target,
      ...linked(source, sourceKey, target, foreignKey),
    },
    {
      ...shared,
      name: relation.name,
      names: claimsOf(relation, 'target', source.table),
      direction: 'forward',
      cardinality: 'one',
      canNest: false,
      isEager: false,
      entity: relation.target,
      target: relation.source,
      ...linked(target, foreignKey, source, sourceKey),
    },
  ];
}

/** The two fields that a relation compares, seen from `here`, and their columns. */
function linked(
  here: EntityDraft,
  localField: string,
  there: EntityDraft,
  targetField: string,
): Pick<RelationEnd, 'localField' | 'targetField' | 'localColumn' | 'targetColumn'> {
  const columnOf = (draft: EntityDraft, name: string): string => draft.fields.get(name)?.column ?? name;
  return { localField, targetField, localColumn: columnOf(here, localField), targetColumn: columnOf(there, targetField) };
}

/** The join table as it is stored: an entity that the document declares for it may have renamed its fields. */
function storedJoin(relation: RelationDefinition, drafts: ReadonlyMap<string, EntityDraft>): ReturnType<typeof joinOf> {
  const join = joinOf(relation, relation.source, relation.target);
  const declared = [...drafts.values()].find((draft) => draft.table === join.table);
  const columnOf = (name: string): string => declared?.fields.get(name)?.column ?? name;
  return { table: join.table, sourceColumn: columnOf(join.sourceColumn), targetColumn: columnOf(join.targetColumn) };
}

/** The join table and its two columns, named as the document says or after the relation and the entities. */
export function joinOf(
  relation: RelationDefinition,
  source: string,
  target: string,
): { table: string; sourceColumn: string; targetColumn: string } {
  return {
    table: relation.join_table ?? relation.name,
    sourceColumn: relation.source_join_key ?? `${source}_id`,
    targetColumn: relation.target_join_key ?? (source === target ? `related_${target}_id` : `${target}_id`),
  };
}

/** How strongly an end claims an include name: said in the document, the relation's own name, derived, or merely the other side's. */
type Claim = 'given' | 'relation' | 'derived' | 'other';
const CLAIM_ORDER: readonly Claim[] = ['given', 'relation', 'derived', 'other'];

/**
 * Include names of one side with their claims, the best to show first: the name the document gives it; `manager` for a foreign
 * key `manager_id`; `responses` for `ticket_responses` seen from a ticket; the relation's name; the other entity; its table.
 */
function claimsOf(relation: RelationDefinition, side: 'source' | 'target', targetTable: string): [string, Claim][] {
  const here = side === 'source' ? relation.source : relation.target;
  const there = side === 'source' ? relation.target : relation.source;
  const given = side === 'source' ? relation.source_name : relation.target_name;
  const isForward = side === 'target' && relation.type !== 'many_to_many';
  const stem = isForward ? stemOf(foreignKeyOf(relation)) : undefined;
  const short = relation.name.startsWith(`${here}_`) ? relation.name.slice(here.length + 1) : undefined;
  const isSelf = relation.source === relation.target;
  const ownsName = !isSelf || selfNameSide(relation) === side;
  const claims: [string | undefined, Claim][] = [
    [given, 'given'],
    [stem, 'derived'],
    [ownsName ? short : undefined, 'derived'],
    [ownsName ? relation.name : `${relation.name}_reverse`, 'relation'],
    [isSelf ? undefined : there, 'other'],
    [isSelf || isForward ? undefined : targetTable, 'other'],
  ];
  return claims.flatMap(([name, claim]) => (name === undefined ? [] : [[name, claim] as [string, Claim]]));
}

const stemOf = (column: string): string | undefined => (column.length > 3 && column.endsWith('_id') ? column.slice(0, -3) : undefined);

export type FilledRows = Pick<EntityModel, 'rows' | 'markers'>;

/** The same model over tables whose rows are still being filled, by their names. */
export const withFilledRows = (model: AppModel, filled: ReadonlyMap<string, FilledRows>): AppModel => ({
  ...model,
  entities: new Map([...model.entities].map(([name, entity]) => [name, { ...entity, ...filled.get(entity.table) }])),
});

/**
 * Which side of a self relation its name describes: `employee_manager` over `manager_id` reads from the employee to the one
 * manager, `subtasks` over `parent_task_id` from the task to its many.
 */
function selfNameSide(relation: RelationDefinition): 'source' | 'target' {
  if (relation.type === 'many_to_many') return 'source';
  const words = (text: string): string[] => text.split('_').filter((word) => !relation.source.split('_').includes(word));
  const stem = words(stemOf(foreignKeyOf(relation)) ?? foreignKeyOf(relation));
  return words(relation.name).some((word) => stem.includes(word)) ? 'target' : 'source';
}

function finishEntity(draft: EntityDraft, claimed: readonly EndDraft[], document: SchemaDocument): EntityModel {
  const { definition } = draft;
  const own = settleNames(claimed, draft.fields);
  const byEntity = <T extends { entity: string }>(items: readonly T[]): T[] => items.filter((item) => item.entity === definition.name);
  const computed = new Set(
    byEntity(document.rules).flatMap((rule) => (rule.type === 'computed' && rule.active ? [rule.definition.field] : [])),
  );
  const fields = new Map(
    [...draft.fields].map(([name, field]) => [name, computed.has(name) ? { ...field, isAuto: true } : field] as const),
  );
  const key = draft.keyNames.flatMap((name) => fields.get(name) ?? []);
  return {
    id: definition.id ?? definition.name,
    name: definition.name,
    table: draft.table,
    rows: draft.table,
    markers: [],
    definition,
    fields,
    key,
    keyType: draft.keyType,
    isKeyGenerated: draft.isKeyGenerated,
    formerKeys: formerKeysOf(definition, fields),
    hasSoftDelete: definition.soft_delete,
    slugField: definition.slug === undefined ? undefined : fields.get(definition.slug.field),
    displayField: definition.display_field ?? guessDisplayField(fields),
    ends: new Map(own.flatMap((end) => end.names.map((name) => [name, end] as const))),
    relations: own,
    rules: byEntity(document.rules)
      .filter((rule) => rule.active)
      .sort((a, b) => a.priority - b.priority),
    machines: byEntity(document.state_machines).filter((machine) => machine.active),
    webhooks: document.webhooks.filter((hook) => hook.active && (hook.entity === definition.name || hook.entity === '*')),
    functions: document.functions
      .filter((one) => one.active && one.entity === definition.name)
      .sort((one, other) => one.priority - other.priority),
  };
}

function formerKeysOf({ primary_key: key }: EntityDefinition, fields: ReadonlyMap<string, FieldModel>): FormerKey[] {
  const byColumn = new Map([...fields.values()].map((field) => [field.column, field]));
  return (key?.former ?? []).map(({ column, until }) => ({ field: byColumn.get(column), column, until })).sort((a, b) => a.until - b.until);
}

/** The field by which a version names the records of an entity with a single key; undefined where it is gone. */
export function keyFieldAt({ key, formerKeys }: EntityModel, version: number): FieldModel | undefined {
  const former = formerKeys.find(({ until }) => version < until);
  return former === undefined ? key[0] : former.field;
}

/**
 * Settles who gets which name: the strongest claim wins, and a name two ends claim equally belongs to neither. A field's name
 * is never an include, or an answer could not hold both; only a name the document gives is left to the reviewer.
 */
function settleNames(own: readonly EndDraft[], fields: ReadonlyMap<string, unknown>): RelationEnd[] {
  const winners = new Map<string, EndDraft | undefined>();
  for (const claim of CLAIM_ORDER) {
    const claimed = new Map<string, EndDraft | undefined>();
    for (const end of own) {
      for (const [name] of end.names.filter(([, strength]) => strength === claim)) {
        if (winners.has(name) || (fields.has(name) && claim !== 'given')) continue;
        claimed.set(name, claimed.has(name) && claimed.get(name) !== end ? undefined : end);
      }
    }
    for (const [name, end] of claimed) winners.set(name, end);
  }
  return own.map((end) => {
    const names = [...new Set(end.names.map(([name]) => name))].filter((name) => winners.get(name) === end);
    return { ...end, name: names[0] ?? end.name, names };
  });
}

function guessDisplayField(fields: ReadonlyMap<string, FieldModel>): string {
  for (const candidate of ['title', 'name', 'label', 'subject', 'email', 'slug', 'code']) {
    if (fields.has(candidate)) return candidate;
  }
  const firstText = [...fields.values()].find((field) => ['string', 'text', 'email'].includes(field.type));
  return firstText?.name ?? [...fields.keys()][0] ?? 'id';
}

/** The field of an entity, or UNKNOWN_ENTITY / undefined handling left to the caller. */
export function entityOf(model: AppModel, name: string): EntityModel {
  const entity = model.entities.get(name);
  if (entity === undefined) throw new AppError('UNKNOWN_ENTITY', `There is no entity "${name}" in this app.`);
  return entity;
}
