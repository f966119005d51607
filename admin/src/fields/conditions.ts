/**
 * The conditions of a list: which operators a field offers, how they stand in the address (`priority.in=high,low`) and in what the API
 * is asked (`{and: [{field, op, value}]}`). Pure, so that a link, a saved list and a filter chip cannot mean different things.
 */
import type { DiscoveredEntity, DiscoveredField } from '../discovery.ts';

export const OPERATORS = [
  'eq',
  'neq',
  'icontains',
  'contains',
  'starts_with',
  'ends_with',
  'in',
  'not_in',
  'gte',
  'lte',
  'gt',
  'lt',
  'between',
  'last',
  'next',
  'is_empty',
  'not_empty',
] as const;
export type Operator = (typeof OPERATORS)[number];

/** How many values an operator takes: none, one, two ends, a list, or a span of time such as `7d`. */
export type Operands = 'none' | 'one' | 'two' | 'many' | 'span';

export interface Condition {
  readonly field: string;
  readonly op: Operator;
  readonly values: readonly string[];
}

const isOperator = (text: string): text is Operator => (OPERATORS as readonly string[]).includes(text);

export function operandsOf(op: Operator): Operands {
  switch (op) {
    case 'is_empty':
    case 'not_empty':
      return 'none';
    case 'in':
    case 'not_in':
      return 'many';
    case 'between':
      return 'two';
    case 'last':
    case 'next':
      return 'span';
    default:
      return 'one';
  }
}

const EMPTINESS = ['is_empty', 'not_empty'] as const;
const CHOICE: readonly Operator[] = ['in', 'not_in', 'eq', 'neq', ...EMPTINESS];
const TEXT: readonly Operator[] = ['icontains', 'eq', 'neq', 'starts_with', 'ends_with', 'in', 'not_in', ...EMPTINESS];
const NUMBER: readonly Operator[] = ['eq', 'gte', 'lte', 'between', 'gt', 'lt', 'neq', 'in', 'not_in', ...EMPTINESS];
const MOMENT: readonly Operator[] = ['last', 'next', 'gte', 'lte', 'between', ...EMPTINESS];

const BY_TYPE: Readonly<Record<DiscoveredField['type'], readonly Operator[]>> = {
  string: TEXT,
  text: TEXT,
  email: TEXT,
  url: TEXT,
  enum: CHOICE,
  int: NUMBER,
  float: NUMBER,
  bigint: NUMBER,
  decimal: NUMBER,
  boolean: ['eq', ...EMPTINESS],
  uuid: ['eq', 'neq', 'in', 'not_in', ...EMPTINESS],
  timestamp: MOMENT,
  date: ['eq', ...MOMENT],
  time: ['eq', 'gte', 'lte', 'between', ...EMPTINESS],
  json: ['contains', ...EMPTINESS],
  file: EMPTINESS,
};

/** The usual one first. `isState` is a field that a state machine moves. */
export function operatorsOf(field: DiscoveredField, isState = false): readonly Operator[] {
  return field.enum !== null || field.references !== null || isState ? CHOICE : BY_TYPE[field.type];
}

export type Tree = Readonly<Record<string, unknown>>;

/** One leaf of the API's tree. In JSON a number is no text, so values have the type of their field there. */
export function leafOf(entity: DiscoveredEntity | undefined, { field, op, values }: Condition): Tree {
  const definition = entity?.fields.find((one) => one.name === field);
  const typed = values.map((value) => typedValue(definition, value));
  const [first = '', second = ''] = typed;
  switch (op) {
    case 'is_empty':
      return { field, op: 'is_empty', value: true };
    case 'not_empty':
      return { field, op: 'is_empty', value: false };
    case 'last':
      return { field, op: 'between', value: [`$now-${values[0] ?? ''}`, '$now'] };
    case 'next':
      return { field, op: 'between', value: ['$now', `$now+${values[0] ?? ''}`] };
    case 'in':
    case 'not_in':
      return { field, op, value: typed };
    case 'between':
      return { field, op, value: [first, second] };
    case 'contains':
      return { field, op, value: jsonOf(values[0] ?? '') };
    default:
      return { field, op, value: first };
  }
}

/** What cannot be read stays text, for the API to refuse by name. */
function typedValue(field: DiscoveredField | undefined, text: string): unknown {
  if (field?.enum !== null && field?.enum !== undefined) return field.enum.find((choice) => String(choice) === text) ?? text;
  if (field?.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  const isNumber = field?.type === 'int' || field?.type === 'float';
  return isNumber && text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Only json fields offer `contains`, and what they contain is JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** All of them together; undefined asks for everything. `further` is a tree that is no list of conditions, from a saved list. */
export function treeOf(entity: DiscoveredEntity | undefined, conditions: readonly Condition[], further?: Tree): Tree | undefined {
  const leaves = [...conditions.map((condition) => leafOf(entity, condition)), ...(further === undefined ? [] : [further])];
  return leaves.length === 0 ? undefined : leaves.length === 1 ? leaves[0] : { and: leaves };
}

/** A tree as conditions of this entity; what does not read as some stays a tree in `further`. */
export function conditionsOf(entity: DiscoveredEntity, tree: unknown): { conditions: readonly Condition[]; further: Tree | undefined } {
  if (!isObject(tree)) return { conditions: [], further: undefined };
  const parts = Array.isArray(tree['and']) && Object.keys(tree).length === 1 ? (tree['and'] as unknown[]) : [tree];
  const read = parts.map((part) => ({ part, condition: conditionOf(entity, part) }));
  const conditions = read.flatMap(({ condition }) => condition ?? []);
  const rest = read.flatMap(({ part, condition }) => (condition === undefined && isObject(part) ? [part] : []));
  return { conditions, further: rest.length === 0 ? undefined : rest.length === 1 ? rest[0] : { and: rest } };
}

function conditionOf(entity: DiscoveredEntity, leaf: unknown): Condition | undefined {
  if (!isObject(leaf)) return undefined;
  const { field: name, op = 'eq', value } = leaf;
  const field = entity.fields.find((one) => one.name === name);
  if (field === undefined || typeof op !== 'string') return undefined;
  const isState = entity.state_machines.some((machine) => machine.field === field.name);
  const condition = readLeaf(field.name, op, value);
  return condition !== undefined && operatorsOf(field, isState).includes(condition.op) ? condition : undefined;
}

function readLeaf(field: string, op: string, value: unknown): Condition | undefined {
  if (op === 'is_empty' || op === 'is_null' || op === 'not_null') {
    const wants = (value === true || value === 'true') !== (op === 'not_null');
    return { field, op: wants ? 'is_empty' : 'not_empty', values: [] };
  }
  if (op === 'between' && Array.isArray(value)) return betweenOf(field, value.map(String));
  if ((op === 'in' || op === 'not_in') && Array.isArray(value)) return { field, op, values: value.map(String) };
  if (op === 'contains') return { field, op, values: [JSON.stringify(value)] };
  if (!isOperator(op) || operandsOf(op) !== 'one' || isObject(value) || Array.isArray(value) || value === null || value === undefined)
    return undefined;
  return { field, op, values: [String(value as string)] };
}

function betweenOf(field: string, [from = '', to = '']: readonly string[]): Condition | undefined {
  const past = /^\$now-(\d+[hdw])$/.exec(from)?.[1];
  if (past !== undefined && to === '$now') return { field, op: 'last', values: [past] };
  const coming = /^\$now\+(\d+[hdw])$/.exec(to)?.[1];
  if (coming !== undefined && from === '$now') return { field, op: 'next', values: [coming] };
  return from.startsWith('$') || to.startsWith('$') ? undefined : { field, op: 'between', values: [from, to] };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A comma and a backslash within a value are told apart from those between values. */
export const joinValues = (values: readonly string[]): string => values.map((value) => value.replace(/[\\,]/g, '\\$&')).join(',');

export function splitValues(text: string): string[] {
  const values = [''];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? '';
    if (letter === ',') values.push('');
    else values[values.length - 1] += letter === '\\' ? (text[++at] ?? '') : letter;
  }
  return values;
}

/** `priority.in` and `high,low`, as they stand in the address. */
export function paramOf({ field, op, values }: Condition): readonly [name: string, value: string] {
  switch (operandsOf(op)) {
    case 'none':
      return [`${field}.${op}`, ''];
    case 'many':
    case 'two':
      return [`${field}.${op}`, joinValues(values)];
    case 'one':
    case 'span':
      return [`${field}.${op}`, values[0] ?? ''];
  }
}

/** Undefined for parameters that are none, and for those a condition cannot be made of. */
export function conditionFromParam(entity: DiscoveredEntity, name: string, text: string): Condition | undefined {
  const dot = name.lastIndexOf('.');
  const [field, op] = [name.slice(0, dot), name.slice(dot + 1)];
  if (dot < 1 || !isOperator(op) || !entity.fields.some((one) => one.name === field && one.readable)) return undefined;
  const operands = operandsOf(op);
  if (operands === 'none') return { field, op, values: [] };
  const values = operands === 'many' || operands === 'two' ? splitValues(text) : [text];
  if (values.every((value) => value === '') || (operands === 'span' && !/^\d{1,5}[hdw]$/.test(text))) return undefined;
  return { field, op, values: operands === 'two' ? [values[0] ?? '', values[1] ?? ''] : values };
}
