/** What `migrate: [...]` says, brought to what the planner works with: renames become `was`, values' ways become conversions. */
import { AppError, nearestNames, type ErrorDetail } from '../errors.ts';
import type { EntityDefinition, SchemaDocument } from '../model/document.ts';
import type { Instruction } from '../model/instructions.ts';
import { buildModel, fieldName } from '../model/model.ts';
import type { Conversion, FieldPath, Move, Split, Undone } from './change.ts';

type Rename = Extract<Instruction, { rename: unknown }>['rename'];

/** The document with its renames as `was`, which is what gives an item its stable id. */
export function applyRenames(document: SchemaDocument, current: SchemaDocument): SchemaDocument {
  const renames = (document.migrate ?? []).flatMap((one, index) =>
    'rename' in one ? [{ ...one, path: `migrate.${String(index)}.rename` }] : [],
  );
  return renames.reduce((next, { rename, path }) => (isDone(current, rename) ? next : applyRename(next, current, rename, path)), document);
}

/** A request that is sent again, because its answer was lost, changes nothing. */
function isDone(current: SchemaDocument, rename: Rename): boolean {
  const has = (items: readonly { readonly name: string }[], name: string): boolean => items.some((item) => item.name === name);
  if ('relation' in rename) return !has(current.relations, rename.relation) && has(current.relations, rename.to);
  if (rename.field === undefined) return !has(current.entities, rename.entity) && has(current.entities, rename.to);
  const { field, to } = rename;
  return current.entities.some((entity) => !has(entity.fields, field) && has(entity.fields, to) && entity.name === rename.entity);
}

function applyRename(next: SchemaDocument, current: SchemaDocument, rename: Rename, path: string): SchemaDocument {
  if ('relation' in rename) {
    refuseUnknown(current.relations, rename.relation, `${path}.relation`, 'relation of the served version');
    refuseUnknown(next.relations, rename.to, `${path}.to`, 'relation of the new document');
    return { ...next, relations: next.relations.map((one) => (one.name === rename.to ? { ...one, was: rename.relation } : one)) };
  }
  const before = refuseUnknown(current.entities, rename.entity, `${path}.entity`, 'entity of the served version');
  if (rename.field === undefined) {
    refuseUnknown(next.entities, rename.to, `${path}.to`, 'entity of the new document');
    return { ...next, entities: next.entities.map((one) => (one.name === rename.to ? { ...one, was: rename.entity } : one)) };
  }
  refuseUnknown(before.fields, rename.field, `${path}.field`, `field of "${before.name}"`);
  const entity = nowOf(before, next, path);
  refuseUnknown(entity.fields, rename.to, `${path}.to`, `field of "${entity.name}" in the new document`);
  const fields = entity.fields.map((field) => (field.name === rename.to ? { ...field, was: rename.field } : field));
  return { ...next, entities: next.entities.map((one) => (one === entity ? { ...entity, fields } : one)) };
}

/** What an entity of the served version is in the new document: by id, by `was`, by name, or by a rename beside. */
function nowOf(before: EntityDefinition, next: SchemaDocument, path: string): EntityDefinition {
  const renamed = (next.migrate ?? []).flatMap((one) =>
    'rename' in one && 'entity' in one.rename && one.rename.field === undefined && one.rename.entity === before.name ? [one.rename.to] : [],
  );
  const found =
    next.entities.find((one) => one.id !== undefined && one.id === before.id) ??
    next.entities.find((one) => one.was === before.name || one.name === renamed[0]) ??
    next.entities.find((one) => one.name === before.name);
  if (found !== undefined) return found;
  throw mistake(`${path}.entity`, `${path}.entity: the new document has no entity "${before.name}" any more.`);
}

function refuseUnknown<T extends { readonly name: string }>(items: readonly T[], name: string, path: string, what: string): T {
  const found = items.find((item) => item.name === name);
  if (found !== undefined) return found;
  const near = nearestNames(
    name,
    items.map((item) => item.name),
  );
  throw mistake(path, `${path}: there is no ${what} "${name}"${near.length === 0 ? '' : `; nearest: ${near.join(', ')}`}.`);
}

const mistake = (path: string, message: string): AppError => {
  const detail: ErrorDetail = { path, rule: 'reference', message };
  return new AppError('VALIDATION_FAILED', message, { details: [detail] });
};

/** Both documents with their stable ids. Instructions name what they make as the new document does. */
export function conversionsOf(instructions: readonly Instruction[], current: SchemaDocument, next: SchemaDocument): Conversion[] {
  return instructions.flatMap((instruction, index): Conversion[] => {
    const path = `migrate.${String(index)}`;
    if ('convert' in instruction) return [converted(instruction.convert, current, next, `${path}.convert`)];
    if ('fill' in instruction) {
      const { entity, field, expression } = instruction.fill;
      refuseUnknownField(next, entity, field, `${path}.fill`);
      return [{ entity, kind: 'fill', from: [], to: [field], up: { [field]: expression }, down: {} }];
    }
    if ('transform' in instruction) return [transformed(instruction.transform, current, next, `${path}.transform`)];
    return [];
  });
}

/** Both documents with their stable ids; whether what it says can be done is settled with the plan. */
export function movesOf(instructions: readonly Instruction[], current: SchemaDocument, next: SchemaDocument): Move[] {
  const taken = new Set(
    instructions.flatMap((one) => ('transform' in one ? one.transform.from.map((field) => `${one.transform.entity}.${field}`) : [])),
  );
  return instructions.flatMap((instruction, index): Move[] => {
    if (!('move' in instruction)) return [];
    const path = `migrate.${String(index)}.move`;
    for (const one of [instruction.move.from, instruction.move.to]) {
      if (taken.has(one)) throw mistake(path, `${path}: "${one}" is in another instruction already; a value moves one way at a time.`);
      taken.add(one);
    }
    const [from, to] = [pathOf(instruction.move.from), pathOf(instruction.move.to)];
    const before = refuseUnknown(current.entities, from.entity, `${path}.from`, 'entity of the served version');
    const field = refuseUnknown(before.fields, from.field, `${path}.from`, `field of "${before.name}" in the served version`);
    if (next.entities.some((entity) => entity.fields.some((one) => one.id === field.id))) {
      throw mistake(
        `${path}.from`,
        `${path}.from: "${from.entity}.${from.field}" is in the new document too; what moves is no longer there.`,
      );
    }
    refuseUnknownField(next, to.entity, to.field, path, 'to');
    return [{ from, to, via: instruction.move.via }];
  });
}

type Regroup = Extract<Instruction, { split: unknown }>['split'];

/** Both documents with their stable ids; whether what it says can be done is settled with the plan. */
export function splitsOf(instructions: readonly Instruction[], current: SchemaDocument, next: SchemaDocument): Split[] {
  const splits = instructions.flatMap((instruction, index): Split[] => {
    const path = `migrate.${String(index)}`;
    if ('split' in instruction) return [split(instruction.split, current, next, `${path}.split`)];
    return 'merge' in instruction ? [merged(instruction.merge, current, next, `${path}.merge`)] : [];
  });
  const taken = new Set(instructions.flatMap(carriedElsewhere));
  for (const { direction, whole, part, fields } of splits) {
    const names = [part, ...fields.flatMap((field) => [`${whole}.${field.whole}`, `${part}.${field.part}`])];
    const twice = names.find((name) => taken.has(name));
    if (twice !== undefined) throw mistake('migrate', `migrate: "${twice}" is in a ${direction} and in another instruction too.`);
    names.forEach((name) => taken.add(name));
  }
  return splits;
}

/** Fields whose values another instruction carries over. */
function carriedElsewhere(instruction: Instruction): string[] {
  if ('move' in instruction) return [instruction.move.from, instruction.move.to];
  if ('convert' in instruction) return [`${instruction.convert.entity}.${instruction.convert.field}`];
  if ('fill' in instruction) return [`${instruction.fill.entity}.${instruction.fill.field}`];
  if (!('transform' in instruction)) return [];
  const { entity, from, to } = instruction.transform;
  return [...from, ...to].map((field) => `${entity}.${field}`);
}

/** `entity` is the whole as it is served, `into` the part as the new document has it. */
function split({ entity, into, fields, via }: Regroup, current: SchemaDocument, next: SchemaDocument, path: string): Split {
  const whole = refuseUnknown(current.entities, entity, `${path}.entity`, 'entity of the served version');
  const part = refuseUnknown(next.entities, into, `${path}.into`, 'entity of the new document');
  const carried = fields.map((field) => (typeof field === 'string' ? { from: field, to: field } : field));
  for (const { from, to } of carried) {
    refuseUnknown(whole.fields, from, `${path}.fields`, `field of "${entity}" in the served version`);
    refuseUnknown(part.fields, to, `${path}.fields`, `field of "${into}" in the new document`);
  }
  const relation = relationOf(next, into, via, `${path}.via`);
  return {
    direction: 'split',
    whole: entity,
    part: into,
    fields: carried.map(({ from, to }) => ({ whole: from, part: to })),
    via: relation,
  };
}

/** `entity` is the part as it is served, `into` the whole as the new document has it. */
function merged({ entity, into, fields, via }: Regroup, current: SchemaDocument, next: SchemaDocument, path: string): Split {
  const part = refuseUnknown(current.entities, entity, `${path}.entity`, 'entity of the served version');
  const whole = refuseUnknown(next.entities, into, `${path}.into`, 'entity of the new document');
  const carried = fields.map((field) => (typeof field === 'string' ? { from: field, to: field } : field));
  for (const { from, to } of carried) {
    refuseUnknown(part.fields, from, `${path}.fields`, `field of "${entity}" in the served version`);
    refuseUnknown(whole.fields, to, `${path}.fields`, `field of "${into}" in the new document`);
  }
  const relation = relationOf(current, entity, via, `${path}.via`);
  return {
    direction: 'merge',
    whole: into,
    part: entity,
    fields: carried.map(({ from, to }) => ({ whole: to, part: from })),
    via: relation,
  };
}

/** The name of the relation that is called so, or whose end at the part is. */
function relationOf(document: SchemaDocument, part: string, via: string, path: string): string {
  const entity = buildModel(document).entities.get(part);
  const end = entity?.ends.get(via) ?? entity?.relations.find(({ relation }) => relation.name === via);
  if (end?.direction === 'forward') return end.relation.name;
  const known = (entity?.relations ?? []).filter(({ direction }) => direction === 'forward').map(({ name }) => name);
  const has = known.length === 0 ? '' : `; it has: ${known.join(', ')}`;
  throw mistake(path, `${path}: "${part}" has no relation "${via}" that leads to one record${has}.`);
}

function pathOf(text: string): FieldPath {
  const [entity = '', field = ''] = text.split('.');
  return { entity, field };
}

type Convert = Extract<Instruction, { convert: unknown }>['convert'];
type Transform = Extract<Instruction, { transform: unknown }>['transform'];

function converted({ entity, field, up, down }: Convert, current: SchemaDocument, next: SchemaDocument, path: string): Conversion {
  const now = refuseUnknownField(next, entity, field, path);
  const before = beforeOf(entity, current, next)?.fields.find((one) => one.id === now.id);
  if (before === undefined) throw mistake(`${path}.field`, `${path}.field: "${entity}.${field}" is new, so there is nothing to convert.`);
  return {
    entity,
    kind: 'convert',
    from: [before.name],
    to: [field],
    up: up === undefined ? {} : { [field]: up },
    down: down === undefined ? {} : { [before.name]: down },
  };
}

function transformed(transform: Transform, current: SchemaDocument, next: SchemaDocument, path: string): Conversion {
  const { entity, from, to, up, down } = transform;
  const before = beforeOf(entity, current, next);
  const after = refuseUnknown(next.entities, entity, `${path}.entity`, 'entity of the new document');
  for (const field of from) {
    refuseUnknown(before?.fields ?? [], field, `${path}.from`, `field of "${entity}" in the served version`);
  }
  for (const field of to) {
    const now = refuseUnknown(after.fields, field, `${path}.to`, `field of "${entity}" in the new document`);
    if (before?.fields.some((one) => one.id === now.id) === true)
      throw mistake(`${path}.to`, `${path}.to: "${field}" is there already; convert it instead.`);
    if (up[field] === undefined) throw mistake(`${path}.up`, `${path}.up says nothing about "${field}".`);
  }
  for (const field of Object.keys(up)) if (!to.includes(field)) throw mistake(`${path}.up`, `${path}.up: "${field}" is not in \`to\`.`);
  for (const field of Object.keys(down))
    if (!from.includes(field)) throw mistake(`${path}.down`, `${path}.down: "${field}" is not in \`from\`.`);
  return { entity, kind: 'transform', from, to, up, down };
}

function refuseUnknownField(
  next: SchemaDocument,
  entity: string,
  field: string,
  path: string,
  member?: string,
): EntityDefinition['fields'][number] {
  const definition = refuseUnknown(next.entities, entity, `${path}.${member ?? 'entity'}`, 'entity of the new document');
  const found = definition.fields.find((one) => one.name === field || fieldName(one) === field);
  return found ?? refuseUnknown(definition.fields, field, `${path}.${member ?? 'field'}`, `field of "${entity}" in the new document`);
}

const beforeOf = (entity: string, current: SchemaDocument, next: SchemaDocument): EntityDefinition | undefined => {
  const id = next.entities.find((one) => one.name === entity)?.id;
  return current.entities.find((one) => one.id === id);
};

/** The conversions of a migration, the other way round and with nothing left to say: its own triggers know how. */
export function takenBack({ conversions }: Undone, current: SchemaDocument, next: SchemaDocument): Conversion[] {
  return conversions.map(({ kind, entity, from, to }) => {
    const id = current.entities.find((one) => one.name === entity)?.id;
    return { kind, entity: next.entities.find((one) => one.id === id)?.name ?? entity, from: to, to: from, up: {}, down: {} };
  });
}

/** The moves of a migration the other way round, for whoever reads the changes: nothing is copied again. */
export const movedBack = ({ moves = [] }: Undone): Move[] => moves.map(({ from, to, via }) => ({ from: to, to: from, via }));

/** As `movedBack`. */
export const splitBack = ({ splits = [] }: Undone): Split[] =>
  splits.map((one) => ({ ...one, direction: one.direction === 'split' ? 'merge' : 'split' }));
