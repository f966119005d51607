/**
 * The designer's edits of a document. Pure: each answers a new document and leaves the old one. A rename of what the served version
 * has says so by `was`, so that its values are kept; `base` is the document of that version.
 */
import { withInstruction } from '../../../document/plan.ts';
import {
  entitiesOf,
  relationsOf,
  type DocumentInput,
  type EntityInput,
  type FieldInput,
  type InstructionInput,
  type RelationInput,
} from '../../../document/types.ts';
import { freeName, keyName, withEntityCalled, withFieldCalled, withoutEntity } from './names.ts';

export const entityNamed = (document: DocumentInput, name: string): EntityInput | undefined =>
  entitiesOf(document).find((entity) => entity.name === name);
export const fieldNamed = (document: DocumentInput, entity: string, name: string): FieldInput | undefined =>
  entityNamed(document, entity)?.fields.find((field) => field.name === name);
export const relationNamed = (document: DocumentInput, name: string): RelationInput | undefined =>
  relationsOf(document).find((relation) => relation.name === name);

/** Members that are undefined or empty are taken out: an option that says nothing is not written. */
export function patched<T extends object>(item: T, patch: Partial<T>): T {
  const members = Object.entries({ ...item, ...patch }).filter(
    ([, member]) => member !== undefined && member !== '' && !(Array.isArray(member) && member.length === 0),
  );
  return Object.fromEntries(members) as T;
}

const inEntity = (document: DocumentInput, name: string, change: (entity: EntityInput) => EntityInput): DocumentInput => ({
  ...document,
  entities: entitiesOf(document).map((entity) => (entity.name === name ? change(entity) : entity)),
});

// --- entities ---------------------------------------------------------------------------------------------------------

export function addEntity(document: DocumentInput, wanted: string): { readonly document: DocumentInput; readonly name: string } {
  const name = freeName(
    wanted,
    entitiesOf(document).map((entity) => entity.name),
  );
  const entity: EntityInput = { name, display_field: 'name', fields: [{ name: 'name', type: 'string', required: true }] };
  return { document: { ...document, entities: [...entitiesOf(document), entity] }, name };
}

export const setEntity = (document: DocumentInput, name: string, patch: Partial<EntityInput>): DocumentInput =>
  inEntity(document, name, (entity) => ({ ...patched(entity, patch), fields: patch.fields ?? entity.fields }));

export function renameEntity(document: DocumentInput, from: string, to: string, base: DocumentInput): DocumentInput {
  return inEntity(withEntityCalled(document, from, to), from, (entity) => called(entity, to, entitiesOf(base)));
}

export const removeEntity = withoutEntity;

/** Puts an entity of the served version back, with the relations between it and what is there. */
export function restoreEntity(document: DocumentInput, name: string, base: DocumentInput): DocumentInput {
  const entity = entityNamed(base, name);
  if (entity === undefined || entityNamed(document, name) !== undefined) return document;
  const back: DocumentInput = { ...document, entities: [...entitiesOf(document), entity] };
  const relations = relationsOf(base).filter(
    (relation) =>
      (relation.source === name || relation.target === name) &&
      relationNamed(back, relation.name) === undefined &&
      entityNamed(back, relation.source) !== undefined &&
      entityNamed(back, relation.target) !== undefined,
  );
  return relations.length === 0 ? back : { ...back, relations: [...relationsOf(back), ...relations] };
}

/** `was` names what it is called in the served version; back to that name, there is nothing to say. */
function called<T extends { name: string; was?: string | undefined }>(
  item: T,
  to: string,
  before: readonly { readonly name: string }[],
): T {
  const served = item.was ?? (before.some(({ name }) => name === item.name) ? item.name : undefined);
  const { was: _was, name: _name, ...rest } = item;
  return (served === undefined || served === to ? { name: to, ...rest } : { name: to, was: served, ...rest }) as unknown as T;
}

// --- fields -----------------------------------------------------------------------------------------------------------

export function addField(
  document: DocumentInput,
  entity: string,
  field: FieldInput,
): { readonly document: DocumentInput; readonly name: string } {
  const taken = (entityNamed(document, entity)?.fields ?? []).map(({ name }) => name);
  const name = freeName(field.name, taken);
  return { document: inEntity(document, entity, (one) => ({ ...one, fields: [...one.fields, { ...field, name }] })), name };
}

const inField = (document: DocumentInput, entity: string, name: string, change: (field: FieldInput) => FieldInput): DocumentInput =>
  inEntity(document, entity, (one) => ({ ...one, fields: one.fields.map((field) => (field.name === name ? change(field) : field)) }));

export const setField = (document: DocumentInput, entity: string, name: string, patch: Partial<FieldInput>): DocumentInput =>
  inField(document, entity, name, (field) => patched(field, patch));

export function renameField(document: DocumentInput, entity: string, from: string, to: string, base: DocumentInput): DocumentInput {
  const field = fieldNamed(document, entity, from);
  if (field === undefined) return document;
  const { was = entity } = entityNamed(document, entity) ?? {};
  const before = entityNamed(base, was)?.fields ?? [];
  const renamed = inField(withFieldCalled(document, entity, from, to), entity, from, (one) => called(one, to, before));
  // What refers to a relation's field says the name of its key.
  const [oldKey, newKey] = [keyName(field), keyName({ ...field, name: to })];
  return oldKey === from ? renamed : withFieldCalled(renamed, entity, oldKey, newKey);
}

/** The field is a new one after all: what it was said to be is dropped. */
export function asNewField(document: DocumentInput, entity: string, name: string, base: DocumentInput): DocumentInput {
  const was = fieldNamed(document, entity, name)?.was;
  const served = entityNamed(document, entity)?.was ?? entity;
  if (was === undefined || fieldNamed(base, served, was) === undefined) return document;
  return withInstruction(setField(document, entity, name, { was: undefined }), { drop: { entity: served, field: was } });
}

/** What is back is dropped no more. */
function withoutDrop(document: DocumentInput, entity: string, field: string): DocumentInput {
  if (document.migrate === undefined) return document;
  const { migrate, ...rest } = document;
  const kept = migrate.filter((one) => !('drop' in one && 'entity' in one.drop && one.drop.entity === entity && one.drop.field === field));
  return kept.length === 0 ? rest : { ...rest, migrate: kept };
}

/** Without the field, and without its name in the lists of its entity and in what roles may see and write. */
export function removeField(document: DocumentInput, entity: string, name: string): DocumentInput {
  const field = fieldNamed(document, entity, name);
  if (field === undefined) return document;
  const gone = new Set([name, keyName(field)]);
  const kept = (names: string[]): string[] => names.filter((one) => !gone.has(one));
  const without = inEntity(document, entity, (one) =>
    patched(one, {
      fields: one.fields.filter((other) => other !== field),
      ...(gone.has(one.display_field ?? '') ? { display_field: undefined } : {}),
      ...(gone.has(one.slug?.field ?? '') || gone.has(one.slug?.source ?? '') ? { slug: undefined } : {}),
      ...(one.indexes === undefined
        ? {}
        : { indexes: one.indexes.flatMap((index) => (index.fields.some((each) => gone.has(each)) ? [] : [index])) }),
      ...(one.unique === undefined ? {} : { unique: one.unique.filter((group) => !group.some((each) => gone.has(each))) }),
    }),
  );
  return {
    ...without,
    ...(document.permissions === undefined
      ? {}
      : {
          permissions: document.permissions.map((permission) => {
            if (permission.entity !== entity || permission.fields === undefined) return permission;
            const { read, write } = permission.fields;
            return {
              ...permission,
              fields: { ...(read === undefined ? {} : { read: kept(read) }), ...(write === undefined ? {} : { write: kept(write) }) },
            };
          }),
        }),
    ...(document.state_machines === undefined
      ? {}
      : { state_machines: document.state_machines.filter((machine) => machine.entity !== entity || !gone.has(machine.field)) }),
    ...(document.relations === undefined
      ? {}
      : { relations: relationsOf(document).filter(({ target, target_key: key }) => target !== entity || !gone.has(key ?? '')) }),
  };
}

/** Puts a field of the served version back where it was. */
export function restoreField(document: DocumentInput, entity: string, name: string, base: DocumentInput): DocumentInput {
  const now = entityNamed(document, entity);
  const before = entityNamed(base, now?.was ?? entity)?.fields ?? [];
  const field = before.find((one) => one.name === name);
  if (now === undefined || field === undefined || now.fields.some((one) => one.name === name)) return document;
  const previous = before[before.indexOf(field) - 1]?.name;
  const place = previous === undefined ? 0 : now.fields.findIndex((one) => one.name === previous || one.was === previous) + 1;
  const fields = [...now.fields];
  fields.splice(place === 0 && previous !== undefined ? fields.length : place, 0, field);
  return withoutDrop(
    inEntity(document, entity, (one) => ({ ...one, fields })),
    now.was ?? entity,
    name,
  );
}

/** Up (-1) or down (1) by one. */
export function moveField(document: DocumentInput, entity: string, name: string, step: -1 | 1): DocumentInput {
  return inEntity(document, entity, (one) => {
    const at = one.fields.findIndex((field) => field.name === name);
    const other = at + step;
    if (at === -1 || other < 0 || other >= one.fields.length) return one;
    const fields = [...one.fields];
    [fields[at], fields[other]] = [fields[other] as FieldInput, fields[at] as FieldInput];
    return { ...one, fields };
  });
}

// --- relations --------------------------------------------------------------------------------------------------------

export function addRelation(document: DocumentInput, relation: RelationInput): { readonly document: DocumentInput; readonly name: string } {
  const name = freeName(
    relation.name,
    relationsOf(document).map((one) => one.name),
  );
  return { document: { ...document, relations: [...relationsOf(document), { ...relation, name }] }, name };
}

const inRelation = (document: DocumentInput, name: string, change: (relation: RelationInput) => RelationInput): DocumentInput => ({
  ...document,
  relations: relationsOf(document).map((relation) => (relation.name === name ? change(relation) : relation)),
});

export const setRelation = (document: DocumentInput, name: string, patch: Partial<RelationInput>): DocumentInput =>
  inRelation(document, name, (relation) => patched(relation, patch));

export const renameRelation = (document: DocumentInput, from: string, to: string, base: DocumentInput): DocumentInput =>
  inRelation(document, from, (relation) => called(relation, to, relationsOf(base)));

export const removeRelation = (document: DocumentInput, name: string): DocumentInput => ({
  ...document,
  relations: relationsOf(document).filter((relation) => relation.name !== name),
});

export function restoreRelation(document: DocumentInput, name: string, base: DocumentInput): DocumentInput {
  const relation = relationNamed(base, name);
  if (relation === undefined || relationNamed(document, name) !== undefined) return document;
  return { ...document, relations: [...relationsOf(document), relation] };
}

// --- answers ----------------------------------------------------------------------------------------------------------

/**
 * An answer to a question of the plan. That something is a rename the thing itself says by `was`, so that it is seen as one everywhere;
 * everything else is an instruction for the step to this document.
 */
export function answered(document: DocumentInput, instruction: InstructionInput): DocumentInput {
  if (!('rename' in instruction)) return withInstruction(document, instruction);
  const { rename } = instruction;
  if ('relation' in rename) return setRelation(document, rename.to, { was: rename.relation });
  const { entity, field, to } = rename;
  if (field === undefined) return setEntity(document, to, { was: entity });
  const now = entitiesOf(document).find(({ name, was }) => (was ?? name) === entity);
  return now === undefined ? withInstruction(document, instruction) : setField(document, now.name, to, { was: field });
}
