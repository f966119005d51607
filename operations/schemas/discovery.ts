/** What a caller may see and do in an app: the one description the back office and clients are made from. */
import { digestOf } from '../../adapters/digest.ts';
import { commentRights } from '../../core/comments.ts';
import { columnOf, hopOf, type ReadScope } from '../../core/filter/scope.ts';
import { isFilledByFunction } from '../../core/functions/attachment.ts';
import { isObject } from '../../core/is-object.ts';
import type { StateMachineDefinition } from '../../core/model/document.ts';
import type { EntityModel, FieldModel, RelationEnd } from '../../core/model/model.ts';
import { accessFor, type Access } from '../../core/policy/policy.ts';
import type { AppContext } from '../context.ts';
import { mayShare } from '../lists/rows.ts';
import { readScope } from '../records/read-scope.ts';

export interface Discovered {
  /** `{data: …}` as JSON text. */
  readonly text: string;
  /** Changes with the schema version and with what this caller is told. */
  readonly etag: string;
}

const CACHE = {};

/** Only readable entities, fields and relations; built once per schema version and role set. */
export function discover(ctx: AppContext): Discovered {
  const cache = ctx.app.memo(CACHE, () => new Map<string, string>());
  const key = `${ctx.actor.isAdmin}|${[...ctx.actor.roles].sort().join('\0')}|${ctx.actor.scopes?.key ?? ''}`;
  let described = cache.get(key);
  if (described === undefined) {
    described = `"ui_configs":${JSON.stringify(shownConfigs(ctx))},"entities":${JSON.stringify(describeEntities(ctx))}`;
    if (cache.size >= 500) cache.clear();
    cache.set(key, described);
  }
  const { app, actor } = ctx;
  const head = {
    app: { name: app.name, display_name: app.displayName },
    schema_version: app.version,
    user: { id: actor.id, email: actor.email, roles: actor.roles, is_admin: actor.isAdmin, may_share_lists: mayShare(ctx) },
  };
  const text = `{"data":{${JSON.stringify(head).slice(1, -1)},${described}}}`;
  return { text, etag: `"${digestOf(`${app.generation}|${text}`).slice(0, 22)}"` };
}

function isReadable(scope: ReadScope, name: string): boolean {
  const entity = scope.model.entities.get(name);
  return entity !== undefined && scope.access(entity).isGranted;
}

/** Screens are kept as other systems made them: of what they name, a caller is shown what it may read. */
function shownConfigs(ctx: AppContext): unknown[] {
  const { document, entities } = ctx.app.model;
  if (ctx.actor.isAdmin) return document.ui_configs;
  const scope = readScope(ctx);
  const hiddenEntities = [...entities.keys()].filter((name) => !isReadable(scope, name));
  return document.ui_configs.flatMap((config) => {
    const { entity: name } = isObject(config) ? config : {};
    const entity = typeof name === 'string' ? entities.get(name) : undefined;
    if (typeof name === 'string' && (entity === undefined || !isReadable(scope, name))) return [];
    return [withoutNames(config, new Set([...hiddenEntities, ...(entity === undefined ? [] : hiddenNames(scope, entity))]))];
  });
}

const hiddenNames = (scope: ReadScope, entity: EntityModel): string[] => [
  ...[...entity.fields.keys()].filter((name) => columnOf(scope, entity, name) === undefined),
  ...entity.relations.flatMap(({ name }) => (hopOf(scope, entity, name) === undefined ? [name] : [])),
];

/** A copy without what is called by one of the names: texts, dotted paths that begin with one, keys, and objects whose value is one. */
function withoutNames(given: unknown, names: ReadonlySet<string>): unknown {
  const isNamed = (one: unknown): boolean => typeof one === 'string' && names.has(one.replace(/^[-+]/, '').split('.')[0] ?? '');
  const isAbout = (one: unknown): boolean => isNamed(one) || (isObject(one) && Object.values(one).some(isNamed));
  if (Array.isArray(given)) return given.filter((one) => !isAbout(one)).map((one: unknown) => withoutNames(one, names));
  if (!isObject(given)) return given;
  const kept = Object.entries(given).filter(([key, value]) => !isNamed(key) && !isNamed(value));
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutNames(value, names)]));
}

function describeEntities(ctx: AppContext): object[] {
  const scope = readScope(ctx);
  return [...scope.model.entities.values()]
    .filter((entity) => isReadable(scope, entity.name))
    .map((entity) => describeEntity(ctx, scope, entity));
}

function describeEntity(ctx: AppContext, scope: ReadScope, entity: EntityModel): object {
  const access = (action: 'create' | 'update' | 'delete'): Access => accessFor(ctx.app, ctx.actor, entity, action, ctx.now);
  const create = access('create');
  const update = access('update');
  const fields = [...entity.fields.keys()].flatMap((name) => columnOf(scope, entity, name)?.field ?? []);
  const names = new Set(fields.map((field) => field.name));
  const { definition } = entity;
  return {
    name: entity.name,
    label: definition.label ?? words(entity.name),
    table: entity.table,
    description: definition.description ?? null,
    primary_key: {
      field: entity.key[0]?.name ?? 'id',
      fields: entity.key.map(({ name }) => name),
      type: entity.keyType,
      generated: entity.isKeyGenerated,
    },
    display_field: names.has(entity.displayField) ? entity.displayField : (entity.key[0]?.name ?? 'id'),
    soft_delete: entity.hasSoftDelete,
    slug: entity.slugField !== undefined && names.has(entity.slugField.name) ? entity.slugField.name : null,
    permissions: {
      read: scope.access(entity).isGranted,
      create: create.isGranted,
      update: update.isGranted,
      delete: access('delete').isGranted,
    },
    fields: fields.map((field) => describeField(scope, entity, field, [create, update])),
    relations: entity.relations.filter((end) => hopOf(scope, entity, end.name) !== undefined).map(describeRelation),
    comments: describeComments(ctx, entity, update),
    state_machines: entity.machines.filter((machine) => names.has(machine.field)).map(describeMachine),
  };
}

/** Whether the caller sees comments of the records it reads, and may write some. */
function describeComments({ actor }: AppContext, { definition }: EntityModel, update: Access): object {
  const { sees, writes } = commentRights(definition, actor.isAdmin, actor.roles);
  const isWritingKey = actor.scopes === undefined || update.isGranted;
  return { read: sees, write: isWritingKey && (writes === 'if_updates' ? update.isGranted : writes) };
}

function describeField(scope: ReadScope, entity: EntityModel, field: FieldModel, writes: readonly Access[]): object {
  const { definition } = field;
  return {
    name: field.name,
    label: definition.label ?? words(field.name),
    type: field.type,
    required: field.required && !isFilledByFunction(entity, field.name),
    unique: field.unique,
    enum: definition.enum ?? null,
    default: definition.default ?? null,
    auto: field.isAuto,
    computed: definition.computed !== undefined || (field.isAuto && definition.auto === undefined && !field.isGenerated),
    min: definition.min ?? null,
    max: definition.max ?? null,
    min_length: definition.min_length ?? null,
    max_length: definition.max_length ?? null,
    pattern: definition.pattern ?? null,
    precision: definition.precision ?? null,
    description: definition.description ?? null,
    hidden: definition.hidden,
    readable: true,
    writable: writes.some((access) => access.isGranted && access.field(field.name).mode !== 'never'),
    references: field.references !== undefined && isReadable(scope, field.references) ? field.references : null,
  };
}

const describeRelation = (end: RelationEnd): object => ({
  name: end.name,
  names: end.names,
  type: end.relation.type,
  cardinality: end.cardinality,
  direction: end.direction,
  target: end.target,
  local_field: end.localField,
  target_field: end.targetField,
  write_mode: end.writeMode,
  on_delete: end.onDelete,
});

const describeMachine = (machine: StateMachineDefinition): object => ({
  field: machine.field,
  initial: machine.definition.initial,
  transitions: machine.definition.transitions.map((transition) => ({
    from: Array.isArray(transition.from) ? transition.from : [transition.from],
    to: transition.to,
    roles: transition.roles,
  })),
});

/** `customer_id` reads "Customer", `leave_request` "Leave request". */
function words(name: string): string {
  const spaced = name.replace(/_id$/, '').replaceAll('_', ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
