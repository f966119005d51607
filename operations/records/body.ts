/**
 * Reads the body of a write without asking the database: own fields are checked by their type, relation names lead to nested
 * rows, which are read the same way, everything else is a mistake. All mistakes of the whole tree are kept, none is thrown.
 */
import { AppError, nearestNames, type ErrorDetail } from '../../core/errors.ts';
import { isObject } from '../../core/is-object.ts';
import { coerceValue } from '../../core/model/field-types.ts';
import type { WriteMode } from '../../core/model/document.ts';
import type { EntityModel, FieldModel, RelationEnd, StoredType } from '../../core/model/model.ts';
import { isFilledByFunction } from '../../core/functions/attachment.ts';
import type { Access } from '../../core/policy/access.ts';
import { isEmpty } from '../../core/rules/field-rule.ts';
import type { Draft, FieldValue, NestedPart, NestedRow } from './draft.ts';
import { accessOf, type Write } from './write-state.ts';

export const MAX_NESTED_DEPTH = 5;
export const MAX_NESTED_ROWS = 1000;

export interface BodyInput {
  readonly write: Write;
  readonly entity: EntityModel;
  readonly action: 'create' | 'update';
  readonly body: Readonly<Record<string, unknown>>;
  /** The foreign key that the parent fills in. */
  readonly linkField?: string;
  readonly depth?: number;
  readonly counter?: { rows: number };
}

interface Reading {
  readonly input: BodyInput;
  readonly access: Access;
  readonly read: Access;
  readonly given: Map<string, FieldValue>;
  readonly bad: Set<string>;
  readonly nested: NestedPart[];
  readonly errors: ErrorDetail[];
  readonly claimedKey: Map<string, string>;
}

/** True when a body names a relation whose rows can be nested. */
export const hasNested = (entity: EntityModel, body: Readonly<Record<string, unknown>>): boolean =>
  isObject(body) &&
  Object.keys(body).some((key) => body[key] !== undefined && !entity.fields.has(key) && entity.ends.get(key)?.canNest === true);

export function readBody(input: BodyInput): Draft {
  const { write, entity, action, body } = input;
  if (!isObject(body)) throw new AppError('INVALID_PAYLOAD', 'The body of a write must be a JSON object.');
  const access = accessOf(write, entity, action);
  const reading: Reading = {
    input,
    access,
    read: accessOf(write, entity, 'read'),
    given: new Map(),
    bad: new Set(),
    nested: [],
    errors: [],
    claimedKey: new Map(),
  };
  if (!access.isGranted) throw forbidden(entity, action);
  for (const [key, given] of Object.entries(body)) {
    if (given === undefined || key === input.linkField) continue;
    const field = entity.fields.get(key);
    if (field !== undefined && isKnown(reading, field)) readField(reading, field, given);
    else readRelation(reading, key, given);
  }
  reading.errors.push(...requiredErrors(reading));
  return {
    entity,
    action,
    given: reading.given,
    bad: reading.bad,
    nested: reading.nested,
    errors: reading.errors,
    claimedKey: reading.claimedKey,
  };
}

export const forbidden = (entity: EntityModel, action: string): AppError =>
  new AppError('FORBIDDEN', `You may not ${action} ${entity.name} records.`);

/** A field one may neither read nor write behaves as if it did not exist. */
const isKnown = ({ access, read }: Reading, field: FieldModel): boolean => isOpen(access, field) || isOpen(read, field);

const isOpen = (access: Access, { name }: FieldModel): boolean => access.isGranted && access.field(name).mode !== 'never';

// --- own fields ------------------------------------------------------------------------------------------------------

function readField(reading: Reading, field: FieldModel, given: unknown): void {
  const { write, action } = reading.input;
  if (field.isAuto && write.options.asSampleData !== true) return;
  if (field.isFixed && action === 'update') {
    // An object of JSON may have a `toString` that is no function.
    reading.claimedKey.set(field.name, typeof given === 'object' ? JSON.stringify(given) : String(given));
    return;
  }
  if (reading.access.field(field.name).mode === 'never') {
    throw new AppError('FORBIDDEN', `You may not write the field "${field.name}".`, {
      details: [{ field: field.name, rule: 'permission', message: `${field.name} is read-only for you` }],
    });
  }
  const coerced = coerceValue(field, given === '' && !TEXTS.has(field.type) ? null : given);
  if (coerced.ok) {
    reading.given.set(field.name, { field, value: coerced.value, plain: coerced.plain });
  } else {
    reading.bad.add(field.name);
    reading.errors.push({ field: field.name, rule: coerced.rule, message: coerced.message });
  }
}

/** In these an empty text is a value; in all others a form means "nothing" by it. */
const TEXTS: ReadonlySet<StoredType> = new Set<StoredType>(['string', 'text', 'email', 'url', 'json']);

function requiredErrors(reading: Reading): ErrorDetail[] {
  const { entity, linkField, action, write } = reading.input;
  const errors: ErrorDetail[] = [];
  for (const field of entity.fields.values()) {
    if (!field.required || field.name === linkField || reading.bad.has(field.name)) continue;
    const given = reading.given.get(field.name);
    const isMissing =
      given === undefined
        ? action === 'create' && !isFilledIn(reading, field)
        : isEmpty(given.plain) && !isMadeSlug(entity, field) && !(action === 'create' && hasMachine(entity, field));
    if (!isMissing) continue;
    const isMade = field.isAuto || (action === 'create' && isFilledByFunction(entity, field.name));
    if (!isMade || write.options.asSampleData === true) errors.push(requiredError(field));
  }
  return errors;
}

export const requiredError = (field: FieldModel): ErrorDetail => ({
  field: field.name,
  rule: 'required',
  message: `${field.name} is required`,
});

const isMadeSlug = (entity: EntityModel, field: FieldModel): boolean =>
  entity.slugField?.name === field.name && entity.definition.slug?.source !== undefined;

/** What the engine puts in when the client says nothing. */
function isFilledIn({ input, access }: Reading, field: FieldModel): boolean {
  const { entity } = input;
  return (
    field.isAuto ||
    (field.definition.default !== undefined && field.definition.default !== null) ||
    isMadeSlug(entity, field) ||
    access.presets[field.name] !== undefined ||
    hasMachine(entity, field)
  );
}

/** A new record starts in the machine's first state when the client names none. */
export const hasMachine = (entity: EntityModel, field: FieldModel): boolean =>
  entity.machines.some((machine) => machine.field === field.name);

// --- nested rows -----------------------------------------------------------------------------------------------------

function readRelation(reading: Reading, key: string, given: unknown): void {
  const { entity, depth = 0 } = reading.input;
  const end = entity.ends.get(key);
  if (end !== undefined && end.direction === 'forward' && (given === null || typeof given !== 'object')) {
    const field = entity.fields.get(end.localField);
    if (field !== undefined && isKnown(reading, field)) return readField(reading, field, given);
  }
  if (end === undefined || !end.canNest || !isReachable(reading, end)) {
    reading.errors.push(unknownKey(reading, key, end));
    return;
  }
  if (depth >= MAX_NESTED_DEPTH) {
    throw new AppError('TOO_LARGE', `Rows may be nested at most ${String(MAX_NESTED_DEPTH)} levels deep.`);
  }
  reading.nested.push(readPart(reading, end, key, given));
}

/** A relation to something the caller may neither read nor write does not exist for them. */
const isReachable = ({ input: { write } }: Reading, end: RelationEnd): boolean => reachedBy(write, end) !== undefined;

type Asker = Pick<Write, 'ctx' | 'authority'>;
const FIELD_ACTIONS = ['read', 'create', 'update'] as const;
const ACTIONS = [...FIELD_ACTIONS, 'delete'] as const;

/** What rows nested under this relation would be; undefined where there is none for the caller. */
export function reachedBy(write: Asker, end: RelationEnd): EntityModel | undefined {
  const target = write.ctx.app.model.entities.get(end.target);
  return target !== undefined && ACTIONS.some((action) => accessOf(write, target, action).isGranted) ? target : undefined;
}

/** The field of this name, unless the caller may do nothing with it. */
export function knownField(write: Asker, entity: EntityModel, name: string): FieldModel | undefined {
  const field = entity.fields.get(name);
  return field !== undefined && FIELD_ACTIONS.some((action) => isOpen(accessOf(write, entity, action), field)) ? field : undefined;
}

/** The field of this name, unless the caller may read it in no row. */
export function readableField(write: Asker, entity: EntityModel, name: string): FieldModel | undefined {
  const field = entity.fields.get(name);
  return field !== undefined && isOpen(accessOf(write, entity, 'read'), field) ? field : undefined;
}

function unknownKey(reading: Reading, key: string, end: RelationEnd | undefined): ErrorDetail {
  const { entity } = reading.input;
  const shown = key.slice(0, 100);
  const column = end?.direction === 'forward' ? entity.fields.get(end.localField) : undefined;
  if (end !== undefined && column !== undefined && isKnown(reading, column)) {
    return {
      field: shown,
      rule: 'unknown',
      message: `${shown} cannot be nested here; set ${end.localField} to the key of an existing record`,
    };
  }
  const known = [...entity.fields.values()].filter((field) => isKnown(reading, field)).map((field) => field.name);
  const near = nearestNames(shown, [
    ...known,
    ...entity.relations.filter((candidate) => candidate.canNest && isReachable(reading, candidate)).map((candidate) => candidate.name),
  ]);
  return { field: shown, rule: 'unknown', message: `${shown} is no field of ${entity.name}; did you mean ${near.slice(0, 3).join(', ')}?` };
}

function readPart(reading: Reading, end: RelationEnd, name: string, given: unknown): NestedPart {
  const errors: ErrorDetail[] = [];
  const wrapper = isObject(given) && ('data' in given || '_write_mode' in given) ? given : undefined;
  const mode = readMode(wrapper?.['_write_mode'], end, name, errors);
  for (const key of Object.keys(wrapper ?? {})) {
    if (key !== 'data' && key !== '_write_mode')
      errors.push({
        field: name,
        rule: 'unknown',
        relation: name,
        message: `${name} takes _write_mode and data, not "${key.slice(0, 100)}"`,
      });
  }
  // Never taken for an empty list: `replace` would remove every row for the sake of a member that was forgotten.
  const content = wrapper === undefined ? given : wrapper['data'];
  const list = Array.isArray(content)
    ? content
    : end.cardinality === 'one' && isObject(content)
      ? [content]
      : content === null && end.cardinality === 'one'
        ? []
        : undefined;
  if (list === undefined) {
    errors.push({
      field: name,
      rule: 'type',
      relation: name,
      message: `${name} must be a list of rows, or {"_write_mode", "data": [...]}`,
    });
    return { end, name, mode, rows: [], errors };
  }
  if (end.cardinality === 'one' && list.length > 1) {
    errors.push({ field: name, rule: 'type', relation: name, message: `${name} takes one row` });
  }
  const counter = reading.input.counter ?? { rows: 0 };
  counter.rows += list.length;
  if (counter.rows > MAX_NESTED_ROWS) throw new AppError('TOO_LARGE', `A write may have at most ${String(MAX_NESTED_ROWS)} nested rows.`);
  const part: PartReading = { reading, end, name, mode, errors, counter };
  const rows = list.map((row, index) => (end.direction === 'link' ? readLink(part, row, index) : readRow(part, row, index)));
  // `null` for the one row of a one_to_one takes it away.
  return { end, name, mode: content === null ? 'replace' : mode, rows, errors };
}

interface PartReading {
  readonly reading: Reading;
  readonly end: RelationEnd;
  readonly name: string;
  readonly mode: WriteMode;
  readonly errors: ErrorDetail[];
  readonly counter: { rows: number };
}

const MODES: readonly WriteMode[] = ['diff', 'replace', 'append'];

function readMode(given: unknown, end: RelationEnd, name: string, errors: ErrorDetail[]): WriteMode {
  if (given === undefined) return end.writeMode;
  const mode = MODES.find((candidate) => candidate === given);
  if (mode !== undefined) return mode;
  errors.push({ field: name, rule: 'enum', relation: name, message: `_write_mode of ${name} must be one of ${MODES.join(', ')}` });
  return end.writeMode;
}

const rowError = (part: PartReading, index: number, field: string, rule: string, message: string): NestedRow => {
  part.errors.push({ relation: part.name, index, field, rule, message, path: `${part.name}.${String(index)}.${field}` });
  return { kind: 'ignored', index };
};

const targetOf = ({ reading, end }: PartReading): EntityModel => {
  const target = reading.input.write.ctx.app.model.entities.get(end.target);
  if (target === undefined) throw new AppError('INTERNAL_ERROR', `The relation "${end.name}" leads nowhere.`);
  return target;
};

function readLink(part: PartReading, row: unknown, index: number): NestedRow {
  const target = targetOf(part);
  const keyName = target.key[0]?.name ?? 'id';
  const body = isObject(row) ? row : { [keyName]: row };
  const extra = Object.keys(body).find((key) => key !== keyName && key !== '_delete');
  if (extra !== undefined)
    return rowError(
      part,
      index,
      extra,
      'unknown',
      `${part.name} takes the keys of existing ${target.name} records, not "${extra.slice(0, 100)}"`,
    );
  const key = body[keyName];
  if (isEmpty(key) || typeof key === 'object') return rowError(part, index, keyName, 'required', `${keyName} is required`);
  const isDelete = body['_delete'] === true;
  return { kind: isDelete && part.mode !== 'append' ? 'unlink' : 'link', key: String(key), index };
}

function readRow(part: PartReading, row: unknown, index: number): NestedRow {
  const { reading, end, counter } = part;
  const { write, depth = 0 } = reading.input;
  if (!isObject(row)) return rowError(part, index, part.name, 'type', `each row of ${part.name} must be an object`);
  const target = targetOf(part);
  const key = keyOfRow(target, row);
  const { _delete: isDelete, ...body } = row;
  if (isDelete === true || isDelete === 'true') {
    if (part.mode === 'append') return { kind: 'ignored', index };
    if (key !== undefined) return { kind: 'delete', key, index };
    return rowError(part, index, target.key[0]?.name ?? 'id', 'required', 'a row with _delete needs its key');
  }
  const isNew = key === undefined || write.options.asSampleData === true;
  // An appended row that carries a key of ours is one that is there already.
  if (part.mode === 'append' && key !== undefined && target.isKeyGenerated && !isNew) return { kind: 'ignored', index };
  const isUpdate = !isNew && part.mode !== 'append' && reading.input.action === 'update';
  if (key !== undefined && !isNew && reading.input.action === 'create' && target.isKeyGenerated) {
    return rowError(
      part,
      index,
      target.key[0]?.name ?? 'id',
      'unknown',
      `there is no ${target.name} "${key.slice(0, 100)}" under this record`,
    );
  }
  const linkField = end.targetField;
  const read = (action: 'create' | 'update'): Draft =>
    readBody({ write, entity: target, body, action, depth: depth + 1, counter, linkField });
  return { kind: 'write', key: isUpdate ? key : undefined, draft: read(isUpdate ? 'update' : 'create'), index, read };
}

/** The key a row carries, as text. */
function keyOfRow(entity: EntityModel, row: Readonly<Record<string, unknown>>): string | undefined {
  const parts = entity.key.map((field) => row[field.name]);
  if (parts.some((part) => isEmpty(part) || typeof part === 'object')) return undefined;
  return parts.map(String).join(',');
}

/** Every mistake of the nested rows, with the way to it. */
export function nestedErrors(draft: Draft): ErrorDetail[] {
  return draft.nested.flatMap((part) => [
    ...part.errors,
    ...part.rows.flatMap((row) =>
      row.kind === 'write' ? [...row.draft.errors, ...nestedErrors(row.draft)].map((detail) => within(part.name, row.index, detail)) : [],
    ),
  ]);
}

/** A detail of a nested row as its parent reports it. */
export const within = (relation: string, index: number, detail: ErrorDetail): ErrorDetail => ({
  ...detail,
  relation,
  index,
  path: `${relation}.${String(index)}.${detail.path ?? detail.field ?? ''}`.replace(/\.$/, ''),
});
