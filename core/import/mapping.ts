/**
 * Which column of a file fills which field. A column goes to a field (`email`), to a relation by the key of the other record
 * (`customer`), or to a relation by one of its unique fields (`customer.email`).
 */
import { AppError, nearestNames, type ErrorDetail } from '../errors.ts';
import type { EntityModel, FieldModel, RelationEnd } from '../model/model.ts';

/** A column's name, and where its cells go; null: nowhere. */
export type Mapping = Readonly<Record<string, string | null>>;

/** Where the cells of a column go. */
export interface Target {
  readonly field: FieldModel;
  /** The cell names the other record by this field of it instead of the key. */
  readonly by?: { readonly entity: EntityModel; readonly field: FieldModel; readonly end: RelationEnd };
}

/** What the caller can do with the fields, as they see the app. */
export interface FieldView {
  entity(name: string): EntityModel | undefined;
  /** Whether there is such a field for the caller. */
  isKnown(entity: EntityModel, field: FieldModel): boolean;
  isWritable(entity: EntityModel, field: FieldModel): boolean;
  isReadable(entity: EntityModel, field: FieldModel): boolean;
}

export interface MappingRequest {
  readonly entity: EntityModel;
  readonly view: FieldView;
  /** A new record is given no key the engine makes, and one that exists is found by it. */
  readonly namesRecords: boolean;
}

const plain = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/[^\p{L}\p{N}]/gu, '');

/** The mapping that the names of the columns suggest: names and labels of fields, whatever their case and separators. */
export function suggestMapping(request: MappingRequest, columns: readonly string[]): Mapping {
  const known = candidates(request);
  const taken = new Set<string>();
  return Object.fromEntries(
    columns.map((column) => {
      // What a result file has added.
      const target = column.startsWith('_') ? undefined : known.get(plain(column));
      if (target === undefined || taken.has(target.field)) return [column, null];
      taken.add(target.field);
      return [column, target.text];
    }),
  );
}

interface Candidate {
  readonly text: string;
  /** Of two columns for one field only the first is taken. */
  readonly field: string;
}

function candidates({ entity, view, namesRecords }: MappingRequest): ReadonlyMap<string, Candidate> {
  const found = new Map<string, Candidate>();
  const add = (name: string | undefined, candidate: Candidate): void => {
    const key = plain(name ?? '');
    if (key !== '' && !found.has(key)) found.set(key, candidate);
  };
  const open = [...entity.fields.values()].filter((field) => isFillable(field, namesRecords) && view.isWritable(entity, field));
  for (const field of open) add(field.name, { text: field.name, field: field.name });
  for (const field of open) add(field.definition.label, { text: field.name, field: field.name });
  for (const field of open) {
    for (const end of forwardEnds(entity, field)) {
      for (const name of end.names) add(name, { text: end.name, field: field.name });
      for (const other of uniquesOf(view, end)) {
        const candidate = { text: `${end.name}.${other.name}`, field: field.name };
        for (const word of [other.name, other.definition.label]) if (word !== undefined) add(`${end.name} ${word}`, candidate);
      }
    }
  }
  return found;
}

const isFillable = (field: FieldModel, namesRecords: boolean): boolean => !field.isAuto || (namesRecords && field.isKey);

const forwardEnds = (entity: EntityModel, field: FieldModel): RelationEnd[] =>
  entity.relations.filter((end) => end.direction === 'forward' && end.localField === field.name);

function uniquesOf(view: FieldView, end: RelationEnd): FieldModel[] {
  const target = view.entity(end.target);
  if (target === undefined) return [];
  return [...target.fields.values()].filter((field) => (field.unique || isOnlyKey(target, field)) && view.isReadable(target, field));
}

const isOnlyKey = (entity: EntityModel, field: FieldModel): boolean => entity.key.length === 1 && entity.key[0] === field;

/** The targets of a mapping's columns; VALIDATION_FAILED with every mistake. */
export function readMapping(request: MappingRequest, columns: readonly string[], mapping: Mapping): ReadonlyMap<string, Target> {
  const targets = new Map<string, Target>();
  const errors: ErrorDetail[] = [];
  const takenBy = new Map<string, string>();
  for (const [column, text] of Object.entries(mapping)) {
    if (!columns.includes(column)) {
      errors.push(mistake(column, `the file has no column "${shown(column)}"`, nearestNames(column, columns)));
      continue;
    }
    if (text === null) continue;
    const target = targetOf(request, column, text);
    if ('message' in target) {
      errors.push(target);
      continue;
    }
    const other = takenBy.get(target.field.name);
    if (other !== undefined) errors.push(mistake(column, `"${shown(other)}" goes to ${target.field.name} already`));
    takenBy.set(target.field.name, column);
    targets.set(column, target);
  }
  if (errors.length > 0)
    throw new AppError('VALIDATION_FAILED', `The mapping is not valid: ${errors[0]?.message ?? ''}.`, { details: errors });
  return targets;
}

const shown = (text: string): string => text.slice(0, 100);

const mistake = (column: string, message: string, allowed?: readonly string[]): ErrorDetail => ({
  field: 'mapping',
  path: `mapping.${shown(column)}`,
  rule: 'mapping',
  message,
  ...(allowed === undefined || allowed.length === 0 ? {} : { allowed }),
});

function targetOf(request: MappingRequest, column: string, text: string): Target | ErrorDetail {
  const { entity, view } = request;
  const [name = '', other, ...more] = text.split('.');
  const field = fieldOf(entity, name);
  if (field === undefined || more.length > 0 || !view.isKnown(entity, field)) return unknownField(request, column, text);
  if (!isFillable(field, request.namesRecords)) {
    return mistake(column, `${field.name} is made by the engine and cannot be imported`);
  }
  if (!view.isWritable(entity, field)) return mistake(column, `${field.name} is read-only for you`);
  if (other === undefined) return { field };
  for (const end of forwardEnds(entity, field)) {
    const by = uniquesOf(view, end).find((one) => one.name === other);
    const target = view.entity(end.target);
    if (by !== undefined && target !== undefined)
      return by.name === end.targetField ? { field } : { field, by: { entity: target, field: by, end } };
  }
  const known = forwardEnds(entity, field).flatMap((end) => uniquesOf(view, end).map((one) => `${end.name}.${one.name}`));
  if (known.length === 0) return mistake(column, `${field.name} is no relation that is found by a field`);
  return mistake(column, `a ${name} is found by a unique field: ${known.join(', ')}`, known);
}

/** By the field's own name or that of the relation. */
function fieldOf(entity: EntityModel, name: string): FieldModel | undefined {
  const end = entity.ends.get(name);
  return entity.fields.get(name) ?? (end?.direction === 'forward' ? entity.fields.get(end.localField) : undefined);
}

function unknownField(request: MappingRequest, column: string, text: string): ErrorDetail {
  const known = [...new Set([...candidates(request).values()].map((candidate) => candidate.text))];
  return mistake(column, `${shown(text)} is no field of ${request.entity.name}`, nearestNames(text, known));
}
