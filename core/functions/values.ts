/**
 * The values that an attachment gives to its function: literals, paths (`record.total`, `old.status`, `user.id`, `now`),
 * `{expression: …}`, and texts with `{{record.name}}` in them. Compiled once per schema version.
 */
import { compileExpression, type CompiledExpression, type ExpressionScope } from '../expression/expression.ts';
import { isObject } from '../is-object.ts';

const PATH = /^\$?(record|old|user)((?:\.[A-Za-z_][A-Za-z0-9_]*)+)$/;
const NOW = /^\$?now(\(\))?$/;
const HOLE = /\{\{\s*(?:\$?((?:record|old|user)(?:\.[A-Za-z_][A-Za-z0-9_]*)+)|(\$?now))\s*\}\}/g;

export type CompiledValue =
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'path'; readonly path: readonly string[] }
  | { readonly kind: 'now' }
  | { readonly kind: 'text'; readonly parts: readonly (string | readonly string[])[] }
  | { readonly kind: 'expression'; readonly expression: CompiledExpression }
  | { readonly kind: 'list'; readonly items: readonly CompiledValue[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, CompiledValue])[] };

/** `{expression: …}` and `{literal: …}` are words of ours, any other object is a value with values in it. */
export function compileValue(given: unknown): CompiledValue {
  if (typeof given === 'string') return compileText(given);
  if (Array.isArray(given)) return listed(given.map(compileValue));
  if (!isObject(given)) return { kind: 'literal', value: given };
  const keys = Object.keys(given);
  if (keys.length === 1 && keys[0] === 'literal') return { kind: 'literal', value: given['literal'] };
  if (keys.length === 1 && typeof given['expression'] === 'string')
    return { kind: 'expression', expression: compileExpression(given['expression']) };
  const members = Object.entries(given).map(([key, member]) => [key, compileValue(member)] as const);
  if (members.every(([, member]) => member.kind === 'literal')) return { kind: 'literal', value: given };
  return { kind: 'object', members };
}

const listed = (items: readonly CompiledValue[]): CompiledValue =>
  items.every((item) => item.kind === 'literal')
    ? { kind: 'literal', value: items.map((item) => (item as { value: unknown }).value) }
    : { kind: 'list', items };

function compileText(text: string): CompiledValue {
  if (NOW.test(text)) return { kind: 'now' };
  const path = PATH.exec(text);
  if (path !== null) return { kind: 'path', path: `${path[1] ?? ''}${path[2] ?? ''}`.split('.') };
  const parts: (string | readonly string[])[] = [];
  let end = 0;
  for (const hole of text.matchAll(HOLE)) {
    parts.push(text.slice(end, hole.index), hole[1] === undefined ? ['now'] : hole[1].split('.'));
    end = hole.index + hole[0].length;
  }
  return parts.length === 0 ? { kind: 'literal', value: text } : { kind: 'text', parts: [...parts, text.slice(end)] };
}

export type Evaluate = (expression: CompiledExpression, scope: ExpressionScope) => Promise<unknown>;

export async function resolveCompiled(value: CompiledValue, scope: ExpressionScope, evaluate: Evaluate): Promise<unknown> {
  switch (value.kind) {
    case 'literal':
      return value.value;
    case 'now':
      return scope.now;
    case 'path':
      return walk(scope, value.path);
    case 'text':
      return value.parts.map((part) => (typeof part === 'string' ? part : shown(walk(scope, part)))).join('');
    case 'expression':
      return (await evaluate(value.expression, scope)) ?? null;
    case 'list':
      return Promise.all(value.items.map((item) => resolveCompiled(item, scope, evaluate)));
    case 'object': {
      const made: [string, unknown][] = [];
      for (const [key, member] of value.members) made.push([key, await resolveCompiled(member, scope, evaluate)]);
      return Object.fromEntries(made);
    }
  }
}

const shown = (value: unknown): string => (value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value));

/** Own members only: a record has no `constructor`. */
function walk(from: unknown, path: readonly string[]): unknown {
  let current: unknown = from;
  for (const name of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, name)) return null;
    current = (current as Readonly<Record<string, unknown>>)[name];
  }
  return current ?? null;
}

/** The paths below `record` and `old` that a value reads. */
export function fieldsReadBy(value: CompiledValue): string[] {
  const below = (path: readonly string[]): string[] => (path[0] === 'record' || path[0] === 'old' ? path.slice(1, 2) : []);
  switch (value.kind) {
    case 'path':
      return below(value.path);
    case 'text':
      return value.parts.flatMap((part) => (typeof part === 'string' ? [] : below(part)));
    case 'list':
      return value.items.flatMap(fieldsReadBy);
    case 'object':
      return value.members.flatMap(([, member]) => fieldsReadBy(member));
    default:
      return [];
  }
}
