/** An app as one caller sees it: the only source of names for the description, so that what is hidden cannot slip into it. */
import { columnOf, hopOf, type ReadScope } from '../filter/scope.ts';
import type { AppModel, EntityModel, FieldModel, RelationEnd } from '../model/model.ts';
import type { Access, RecordAction, Scopes } from '../policy/access.ts';

export interface ApiCaller {
  readonly isAdmin: boolean;
  /** Of an API key; a session has none. */
  readonly scopes?: Pick<Scopes, 'allowsPart'> | undefined;
  access(entity: EntityModel, action: RecordAction): Access;
}

export interface RelationView {
  readonly end: RelationEnd;
  readonly target: EntityModel;
}

export interface EntityView {
  readonly entity: EntityModel;
  readonly can: Readonly<Record<RecordAction, boolean>>;
  /** Readable fields. */
  readonly fields: readonly FieldModel[];
  /** Readable fields that are missing in rows where a field rule hides them. */
  readonly conditional: ReadonlySet<string>;
  readonly creatable: readonly FieldModel[];
  readonly updatable: readonly FieldModel[];
  /** Values the caller's permissions put into a new record. */
  readonly presets: ReadonlySet<string>;
  /** Relations that can be included, filtered and sorted through. */
  readonly relations: readonly RelationView[];
  /** Relations whose rows can be nested in a write. */
  readonly nestable: readonly RelationView[];
}

export interface AppView {
  readonly model: AppModel;
  readonly isAdmin: boolean;
  /** Entities the caller may do anything with, by name. */
  readonly entities: ReadonlyMap<string, EntityView>;
}

const ACTIONS: readonly RecordAction[] = ['read', 'create', 'update', 'delete'];

export function viewOf(model: AppModel, caller: ApiCaller): AppView {
  const rights = new Map([...model.entities.values()].map((entity) => [entity.name, rightsOf(entity, caller)] as const));
  // Names are resolved as in a request; nothing is read.
  const scope: ReadScope = {
    model,
    storage: '',
    access: (entity) => caller.access(entity, 'read'),
    withDeleted: false,
    keepsSubplans: false,
  };
  const open = [...rights.values()].filter(({ can }) => ACTIONS.some((action) => can[action]));
  return {
    model,
    isAdmin: caller.isAdmin,
    entities: new Map(open.map((right) => [right.entity.name, entityView(scope, right, rights)])),
  };
}

interface Rights {
  readonly entity: EntityModel;
  readonly can: Readonly<Record<RecordAction, boolean>>;
  readonly access: Readonly<Record<RecordAction, Access>>;
}

function rightsOf(entity: EntityModel, caller: ApiCaller): Rights {
  const access = {
    read: caller.access(entity, 'read'),
    create: caller.access(entity, 'create'),
    update: caller.access(entity, 'update'),
    delete: caller.access(entity, 'delete'),
  };
  return {
    entity,
    access,
    can: {
      read: access.read.isGranted,
      create: access.create.isGranted,
      update: access.update.isGranted,
      delete: access.delete.isGranted,
    },
  };
}

function entityView(scope: ReadScope, rights: Rights, all: ReadonlyMap<string, Rights>): EntityView {
  const { entity, access, can } = rights;
  const columns = can.read ? [...entity.fields.keys()].flatMap((name) => columnOf(scope, entity, name) ?? []) : [];
  const writable = (action: 'create' | 'update'): FieldModel[] =>
    can[action] ? [...entity.fields.values()].filter((field) => !field.isAuto && access[action].field(field.name).mode !== 'never') : [];
  const related = entity.relations.flatMap((end) => {
    const target = all.get(end.target);
    return target === undefined ? [] : [{ end, target }];
  });
  return {
    entity,
    can,
    fields: columns.map((column) => column.field),
    conditional: new Set(columns.filter((column) => column.access.mode === 'conditional').map((column) => column.field.name)),
    creatable: writable('create'),
    updatable: writable('update').filter((field) => !field.isFixed),
    presets: new Set(Object.keys(access.create.presets)),
    relations: related
      .filter(({ end }) => can.read && hopOf(scope, entity, end.name) !== undefined)
      .map(({ end, target }) => ({ end, target: target.entity })),
    nestable: related
      .filter(
        ({ end, target }) => end.canNest && (end.direction === 'link' ? target.can.read : ACTIONS.slice(1).some((a) => target.can[a])),
      )
      .map(({ end, target }) => ({ end, target: target.entity })),
  };
}
