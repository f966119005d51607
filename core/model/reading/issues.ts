/** From zod's issues to the details of our errors: dotted path, what is wrong, and the near names of an unknown option. */
import type { z } from 'zod';
import { nearestNames, type ErrorDetail } from '../../errors.ts';

type Issue = z.core.$ZodIssue;

/** The details of a failed parse; `base` is where the value stands in the document. */
export function detailsOf(issues: readonly Issue[], schema: z.ZodType, base: readonly PropertyKey[], input: unknown): ErrorDetail[] {
  return issues.flatMap((issue) => detailsOfIssue(issue, schema, base, input));
}

function detailsOfIssue(issue: Issue, schema: z.ZodType, base: readonly PropertyKey[], input: unknown): ErrorDetail[] {
  const path = dotted([...base, ...issue.path]);
  const value = valueAt(input, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(schema, issue.path, input);
      return issue.keys.map((key) => unknownKey(path, key, known));
    }
    case 'invalid_value':
      return [listed(path, issue.path, value, issue.values.map(String), issue.message)];
    case 'invalid_union':
      return [unionDetail(issue, path, schema, value)];
    case 'invalid_type':
      if (value === undefined) return [{ path, rule: 'required', message: `${path} is missing.` }];
      return [{ path, rule: 'type', message: `${path} must be ${article(issue.expected)}.` }];
    case 'too_small':
    case 'too_big':
      return [{ path, rule: issue.code, message: `${path} ${sizeMessage(issue)}.` }];
    default:
      return [{ path, rule: issue.code === 'invalid_format' ? 'format' : issue.code, message: `${path} ${readable(issue.message)}.` }];
  }
}

function unknownKey(path: string, key: string, known: readonly string[]): ErrorDetail {
  const at = path === '' ? key : `${path}.${key}`;
  const near = nearestNames(key, known);
  return {
    path: at,
    rule: 'unknown',
    near,
    message: `${at} is not known here.${near.length === 0 ? '' : ` Near: ${near.join(', ')}.`}`,
  };
}

function listed(path: string, at: readonly PropertyKey[], value: unknown, values: readonly string[], message: string): ErrorDetail {
  if (value === undefined && values.length > 1)
    return { path, rule: 'required', message: `${path} is missing; it is one of ${values.join(', ')}.` };
  if (at.at(-1) === 'version') return { path, rule: 'version', message: `${path}: ${message}.` };
  const near = typeof value === 'string' ? nearestNames(value, values) : [];
  const shown = typeof value === 'string' ? `"${value}"` : typeof value;
  const choice = values.length <= 20 ? values.join(', ') : near.join(', ');
  return { path, rule: 'enum', near, message: `${path} must be one of ${choice}, not ${shown}.` };
}

function unionDetail(issue: Extract<Issue, { code: 'invalid_union' }>, path: string, schema: z.ZodType, value: unknown): ErrorDetail {
  const types = issue.discriminator === undefined ? [] : discriminators(schemaAt(schema, issue.path.slice(0, -1)), issue.discriminator);
  if (types.length > 0) return listed(path, issue.path, value, types, issue.message);
  const reasons = issue.errors.flat().map((inner) => readable(inner.message));
  return { path, rule: 'type', message: `${path} ${[...new Set(reasons)].join(', or ')}.` };
}

/** Our own words where the schema has them, else the limit in units a reader knows. */
function sizeMessage(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  if (!/^Too (small|big)/.test(issue.message)) return `is refused: ${issue.message}`;
  const limit = issue.code === 'too_small' ? `at least ${String(issue.minimum)}` : `at most ${String(issue.maximum)}`;
  if (issue.origin === 'array') return `must have ${limit} ${limit.endsWith(' 1') ? 'entry' : 'entries'}`;
  return issue.origin === 'string' ? `must have ${limit} ${limit.endsWith(' 1') ? 'character' : 'characters'}` : `must be ${limit}`;
}

const readable = (message: string): string =>
  message
    .replace(/^(Invalid input: expected|Too small: expected|Too big: expected) /, 'must be ')
    .replace(/^(\w+) to /, '$1 to ')
    .replace(/, received .*$/, '');

const article = (expected: string): string =>
  ({
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'an object',
    record: 'an object',
  })[expected] ?? expected;

/** `entities.2.fields.0.type`. */
export const dotted = (path: readonly PropertyKey[]): string => path.map(String).join('.');

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value: unknown = input;
  for (const key of path) value = typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined;
  return value;
}

// --- walking the schema, to know which names are allowed at a path ---------------------------------------------------

type Shape = Readonly<Record<string, z.ZodType>>;

interface Definition {
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly shape?: Shape;
  readonly options?: readonly z.ZodType[];
  readonly valueType?: z.ZodType;
  readonly values?: readonly unknown[];
}

const definitionOf = (schema: z.ZodType): Definition => schema.def as Definition;

/** Every schema a value at this place may have: wrappers peeled, unions opened. */
function peel(schema: z.ZodType): z.ZodType[] {
  const definition = definitionOf(schema);
  if (definition.innerType !== undefined) return peel(definition.innerType);
  return definition.options === undefined ? [schema] : definition.options.flatMap(peel);
}

function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType[] {
  let schemas = peel(schema);
  for (const key of path) {
    schemas = schemas.flatMap((each) => {
      const { element, shape, valueType } = definitionOf(each);
      const next: z.ZodType | undefined = element ?? (shape === undefined ? valueType : shape[String(key)]);
      return next === undefined ? [] : peel(next);
    });
  }
  return schemas;
}

/** The option names at a path; in a union those of the members whose `type` is the value's, else of all. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[], input: unknown): string[] {
  const shapes = schemaAt(schema, path).flatMap((each): Shape[] => {
    const { shape } = definitionOf(each);
    return shape === undefined ? [] : [shape];
  });
  const value = valueAt(input, path);
  const type = typeof value === 'object' && value !== null ? (value as { type?: unknown }).type : undefined;
  const same = shapes.filter((shape) => shape['type'] !== undefined && definitionOf(shape['type']).values?.includes(type) === true);
  return [...new Set((same.length > 0 ? same : shapes).flatMap((shape) => Object.keys(shape)))];
}

function discriminators(schemas: readonly z.ZodType[], key: string): string[] {
  return schemas.flatMap((schema) =>
    definitionOf(schema).shape?.[key] === undefined ? [] : literalsOf(definitionOf(schema).shape?.[key]),
  );
}

const literalsOf = (schema: z.ZodType | undefined): string[] =>
  schema === undefined ? [] : (definitionOf(schema).values ?? []).map(String);
