/** What one field looks like in answers, in bodies, and as the value of a filter. */
import type { AppSettings } from '../model/document.ts';
import { isFilledByFunction } from '../functions/attachment.ts';
import type { EntityModel, FieldModel, StoredType } from '../model/model.ts';
import { arrayOf, compact, nullable, objectOf, ref, type Json, type Schema } from './json.ts';

type Numbers = Pick<AppSettings, 'exact_numbers'>;

const DIGITS: Schema = { type: 'string', pattern: '^-?\\d{1,19}$' };
const DECIMAL: Schema = { type: 'string', pattern: '^-?\\d{1,18}(\\.\\d{1,17})?$' };
const TIME: Schema = { type: 'string', pattern: '^([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d{1,6})?)?$' };
const UUID: Schema = { type: 'string', format: 'uuid' };
const INT: Schema = { type: 'integer', format: 'int32', minimum: -2_147_483_648, maximum: 2_147_483_647 };
const STORED_FILE: Schema = objectOf(
  {
    id: UUID,
    filename: { type: ['string', 'null'] },
    size: { type: ['integer', 'null'] },
    mime_type: { type: ['string', 'null'] },
  },
  ['id', 'filename', 'size', 'mime_type'],
);

/** A field as answers show it. */
export function readSchema(field: FieldModel, settings: Numbers): Schema {
  const shape = withNotes(field, readShape(field, settings));
  return field.isKey || field.required ? shape : nullable(shape);
}

function readShape(field: FieldModel, settings: Numbers): Schema {
  const isText = settings.exact_numbers === 'string';
  switch (field.type) {
    case 'bigint':
      return isText ? DIGITS : { type: 'integer' };
    case 'decimal':
      return isText ? DECIMAL : { type: 'number' };
    case 'file':
      return STORED_FILE;
    case 'json':
      return {};
    default:
      return listed(field, plainShape(field.type));
  }
}

/** A field as bodies may give it. */
export function writeSchema(entity: EntityModel, field: FieldModel): Schema {
  const limits = limitsOf(entity, field);
  const shape = withNotes(field, writeShape(field, limits));
  const given = field.definition.default;
  const described = given === undefined ? shape : { ...shape, default: given as Json };
  return limits.isRequired ? described : nullable(described);
}

function writeShape(field: FieldModel, limits: Limits): Schema {
  switch (field.type) {
    case 'int':
    case 'float':
      return listed(field, compact({ ...plainShape(field.type), ...numberLimits(limits) }));
    case 'bigint':
      return { anyOf: [{ type: 'integer', minimum: -9_007_199_254_740_991, maximum: 9_007_199_254_740_991 }, DIGITS] };
    case 'decimal':
      return decimalShape(field, limits);
    case 'json':
      return ref('schemas', 'Json');
    case 'file':
      return { ...UUID, description: 'The id of an uploaded file.' };
    case 'string':
    case 'text':
    case 'email':
    case 'url':
      return listed(
        field,
        compact({ ...plainShape(field.type), minLength: limits.minLength, maxLength: limits.maxLength, pattern: limits.pattern }),
      );
    default:
      return listed(field, plainShape(field.type));
  }
}

function decimalShape(field: FieldModel, limits: Limits): Schema {
  const scale = field.definition.precision ?? 2;
  const most = 10 ** Math.min(18 - scale, 15) - 1;
  const { minimum = -most, maximum = most } = numberLimits(limits);
  return {
    anyOf: [
      { type: 'number', minimum, maximum },
      { type: 'string', pattern: `^-?\\d{1,${String(18 - scale)}}${scale === 0 ? '' : `(\\.\\d{1,${String(scale)}})?`}$` },
    ],
  };
}

/** The JSON of one value of a type that looks the same in answers and bodies. */
function plainShape(type: StoredType): Schema {
  switch (type) {
    case 'int':
      return INT;
    case 'float':
      return { type: 'number' };
    case 'boolean':
      return { type: 'boolean' };
    case 'uuid':
      return UUID;
    case 'timestamp':
      return { type: 'string', format: 'date-time' };
    case 'date':
      return { type: 'string', format: 'date' };
    case 'time':
      return TIME;
    case 'email':
      return { type: 'string', format: 'email' };
    case 'url':
      return { type: 'string', format: 'uri' };
    default:
      return { type: 'string' };
  }
}

const NUMERIC: ReadonlySet<StoredType> = new Set(['int', 'float']);

function listed(field: FieldModel, shape: Schema): Schema {
  const values = field.definition.enum;
  if (values === undefined) return shape;
  const isNumeric = NUMERIC.has(field.type);
  return { ...shape, enum: [...new Set(values.flatMap((value) => (value === null ? [] : [isNumeric ? Number(value) : String(value)])))] };
}

const withNotes = (field: FieldModel, shape: Schema): Schema =>
  field.definition.description === undefined ? shape : { ...shape, description: field.definition.description };

interface Limits {
  readonly isRequired: boolean;
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly min?: number | string | undefined;
  readonly max?: number | string | undefined;
  readonly pattern?: string | undefined;
}

/** The field's own limits, and those of rules that always hold. */
function limitsOf(entity: EntityModel, field: FieldModel): Limits {
  const { definition } = field;
  let limits: Limits = {
    isRequired: field.required,
    minLength: definition.min_length,
    maxLength: definition.max_length,
    min: definition.min,
    max: definition.max,
    pattern: portablePattern(definition.pattern),
  };
  for (const rule of entity.rules) {
    if (rule.type !== 'field' || rule.hook !== 'before_write' || rule.definition.field !== field.name) continue;
    if (rule.definition.condition !== undefined) continue;
    const { operator, value } = rule.definition;
    if (operator === 'required' || operator === 'not_empty') limits = { ...limits, isRequired: true };
    if (operator === 'min_length' && typeof value === 'number') limits = { ...limits, minLength: Math.max(value, limits.minLength ?? 0) };
    if (operator === 'max_length' && typeof value === 'number') limits = { ...limits, maxLength: value };
    if (operator === 'min' && typeof value === 'number') limits = { ...limits, min: value };
    if (operator === 'max' && typeof value === 'number') limits = { ...limits, max: value };
  }
  return limits;
}

/** True when a create without the field is refused. */
export function isNeeded(entity: EntityModel, field: FieldModel, presets: ReadonlySet<string>): boolean {
  const isGiven =
    field.definition.default !== undefined ||
    presets.has(field.name) ||
    entity.machines.some((machine) => machine.field === field.name) ||
    (entity.slugField?.name === field.name && entity.definition.slug?.source !== undefined);
  return !isGiven && !isFilledByFunction(entity, field.name) && limitsOf(entity, field).isRequired;
}

function numberLimits({ min, max }: Limits): { minimum?: number; maximum?: number } {
  const read = (bound: number | string | undefined): number | undefined =>
    bound === undefined || !Number.isFinite(Number(bound)) ? undefined : Number(bound);
  const minimum = read(min);
  const maximum = read(max);
  return { ...(minimum === undefined ? {} : { minimum }), ...(maximum === undefined ? {} : { maximum }) };
}

/** RE2 has spellings that JavaScript lacks: such a pattern is left to the engine. */
function portablePattern(pattern: string | undefined): string | undefined {
  if (pattern === undefined) return undefined;
  try {
    new RegExp(pattern, 'u');
    return pattern;
  } catch {
    return undefined;
  }
}

/** A text that can be compared with a stored one: anything Postgres could hold. Sizes are bounded by those of the request. */
export const COMPARED_TEXT: Schema = { type: 'string', pattern: '^[^\\u0000]*$' };

/** A value a filter compares the field with. Limits of the field do not apply: what cannot be stored matches nothing. */
export function operandSchema(field: FieldModel): Schema {
  switch (field.type) {
    case 'string':
    case 'text':
    case 'email':
    case 'url':
    case 'enum':
      return COMPARED_TEXT;
    case 'bigint':
      return { type: 'string', pattern: '^-?\\d{1,18}$' };
    case 'decimal':
      return DECIMAL;
    case 'file':
      return UUID;
    case 'json':
      return {};
    default:
      return plainShape(field.type);
  }
}

/** None at all is a list that nothing is in. */
export const operandList = (field: FieldModel): Schema => arrayOf(operandSchema(field));
