/**
 * The served permissions for clients of an older version. They are carried over by ids; what cannot be carried over is closed: a
 * grant gives nothing, a deny takes everything it could mean.
 */
import type { PermissionDefinition } from '../../model/document.ts';
import type { EntityModel } from '../../model/model.ts';
import { olderExpression } from './expression.ts';
import type { OlderNames } from './names.ts';

export function olderPermissions(names: OlderNames): PermissionDefinition[] {
  const older = names.older.permissions;
  const dropped = names.dropped();
  return [
    ...names.served.permissions.flatMap((permission) => translated(names, permission)),
    ...dropped.flatMap((entity) => older.flatMap((permission) => ownOf(entity, permission))),
    ...older.flatMap((permission) => denyOfDropped(names, permission)),
  ];
}

/** What an older permission says of an entity that only the older version has. */
function ownOf(entity: EntityModel, permission: PermissionDefinition): PermissionDefinition[] {
  if (permission.entity === entity.name) return [anonymous(permission)];
  return permission.entity === '*' ? [{ ...anonymous(permission), entity: entity.name }] : [];
}

/** Ids and names belong to the one definition; its parts need none. */
function anonymous(permission: PermissionDefinition): PermissionDefinition {
  const { id: _id, name: _name, ...rest } = permission;
  return rest;
}

function translated(names: OlderNames, permission: PermissionDefinition): PermissionDefinition[] {
  const entities = permission.entity === '*' ? [...names.served.entities.keys()] : [permission.entity];
  return entities.flatMap((served) => {
    const entity = names.entity(served);
    return entity === undefined ? [] : (forEntity(names, { ...anonymous(permission), entity: served }, permission, entity) ?? []);
  });
}

function forEntity(
  names: OlderNames,
  permission: PermissionDefinition,
  origin: PermissionDefinition,
  entity: EntityModel,
): PermissionDefinition | undefined {
  const before = names.older.permissions.find((one) => one.id !== undefined && one.id === origin.id);
  const condition = conditionOf(names, permission);
  if (condition === undefined && !permission.deny) return undefined;
  const fields = fieldsOf(names, permission, before, entity);
  if (permission.deny && permission.fields !== undefined && isEmpty(fields)) return undefined;
  const presets = presetsOf(names, permission);
  if (presets === undefined) return undefined;
  const { conditions: _conditions, expression: _expression, fields: _fields, presets: _presets, ...rest } = permission;
  return {
    ...rest,
    entity: entity.name,
    conditions: condition?.conditions ?? [],
    ...(condition?.expression === undefined ? {} : { expression: condition.expression }),
    ...(fields === undefined ? {} : { fields }),
    ...(permission.presets === undefined ? {} : { presets }),
  };
}

type Condition = Pick<PermissionDefinition, 'conditions' | 'expression'>;

/** Undefined when a part of it means nothing in the older shape. */
function conditionOf(names: OlderNames, { entity, conditions, expression }: PermissionDefinition): Condition | undefined {
  const told = conditions.map((condition) => ({ ...condition, field: names.path(entity, condition.field) }));
  if (told.some(({ field }) => field === undefined)) return undefined;
  const text = expression === undefined ? undefined : olderExpression(names, entity, expression);
  if (expression !== undefined && text === undefined) return undefined;
  return { conditions: told as PermissionDefinition['conditions'], ...(text === undefined ? {} : { expression: text }) };
}

type Fields = NonNullable<PermissionDefinition['fields']>;

const isEmpty = (fields: Fields | undefined): boolean => (fields?.read ?? []).length + (fields?.write ?? []).length === 0;

function fieldsOf(
  names: OlderNames,
  permission: PermissionDefinition,
  before: PermissionDefinition | undefined,
  entity: EntityModel,
): Fields | undefined {
  const lists = (['read', 'write'] as const).flatMap((side) => {
    const list = listOf(names, permission, before, side, entity);
    return list === undefined ? [] : [[side, list] as const];
  });
  return lists.length === 0 ? undefined : Object.fromEntries(lists);
}

/** Undefined stands for every field. */
function listOf(
  names: OlderNames,
  { entity: served, fields, deny }: PermissionDefinition,
  before: PermissionDefinition | undefined,
  side: 'read' | 'write',
  entity: EntityModel,
): string[] | undefined {
  const given = fields?.[side];
  const dropped = names.droppedFields(served).map((field) => field.name);
  const known = before?.fields?.[side];
  // Nobody has a say about fields that are dropped but the permission as it was when they were there.
  const kept = before === undefined ? [] : known === undefined ? dropped : dropped.filter((name) => known.includes(name));
  if (given !== undefined) {
    const told = given.flatMap((name) => names.field(served, name)?.name ?? []);
    return [...told, ...(known === undefined ? [] : kept)];
  }
  if (deny || dropped.length === kept.length) return undefined;
  return [...entity.fields.keys()].filter((name) => !dropped.includes(name) || kept.includes(name));
}

/** A value that every created record is to have, in a field that the older shape lacks, makes the grant none. */
function presetsOf(names: OlderNames, { entity, presets }: PermissionDefinition): PermissionDefinition['presets'] {
  const told = Object.entries(presets ?? {}).map(([name, preset]) => [names.comparable(entity, name)?.name, preset] as const);
  return told.some(([name]) => name === undefined) ? undefined : Object.fromEntries(told.map(([name, preset]) => [name ?? '', preset]));
}

/** A deny of fields that are dropped went with them; in the older shape they are there, and so is the deny. */
function denyOfDropped(names: OlderNames, permission: PermissionDefinition): PermissionDefinition[] {
  if (!permission.deny || permission.fields === undefined) return [];
  const { fields } = permission;
  return [...names.served.entities.keys()].flatMap((served) => {
    const entity = names.entity(served);
    if (entity === undefined || (permission.entity !== '*' && permission.entity !== entity.name)) return [];
    const dropped = new Set(names.droppedFields(served).map((field) => field.name));
    const cut = (list: readonly string[] | undefined): string[] | undefined => list?.filter((name) => dropped.has(name));
    const [read, write] = [cut(fields.read), cut(fields.write)];
    if ((read ?? []).length + (write ?? []).length === 0) return [];
    const lists = { ...(read === undefined ? {} : { read }), ...(write === undefined ? {} : { write }) };
    return [{ ...anonymous(permission), entity: entity.name, fields: lists }];
  });
}
