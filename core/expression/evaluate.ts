/** The synchronous back end: a tree of closures, built once. No recursion but over the expression itself, and a bound on the steps. */
import { AppError } from '../errors.ts';
import { calculate, negate, toNumeric, type ArithmeticOperator } from './decimal.ts';
import { FUNCTIONS } from './functions.ts';
import { countSteps, countText, startSteps } from './steps.ts';
import { isRoot, meansText, type Expression, type PathFilter, type PathHead, type PathStep } from './syntax.ts';
import { microsOf } from './time.ts';
import { boundedText, compareOrder, isEqual, isObject, isTrue, listOf, Sequence, single, toText } from './values.ts';

/** Plain JSON values by variable. */
export type ExpressionScope = {
  readonly record?: unknown;
  readonly old?: unknown;
  readonly related?: unknown;
  readonly user?: unknown;
  readonly action?: unknown;
  readonly now?: unknown;
  readonly context?: unknown;
  readonly params?: unknown;
  readonly trigger?: unknown;
};

type Run = (scope: ExpressionScope, item: unknown) => unknown;

/** A function from the variables to the result: a plain JSON value, null when there is none. */
export function compileClosure(expression: Expression): (scope: ExpressionScope) => unknown {
  const run = compile(expression);
  return (scope) => {
    startSteps();
    try {
      const result = run(scope, undefined);
      return typeof result === 'object' ? single(result) : (result ?? null);
    } catch (error) {
      // Values nested deeper than the stack, which comparing them would need.
      if (error instanceof RangeError) throw new AppError('TOO_LARGE', 'An expression met values that are nested too deep.');
      throw error;
    }
  };
}

function compile(node: Expression): Run {
  switch (node.kind) {
    case 'literal':
      return () => node.value;
    case 'path':
      return compilePath(node.head, node.filters, node.steps);
    case 'list':
      return compileList(node.items.map(compile));
    case 'object':
      return compileObject(node.entries.map(([key, value]) => [compile(key), compile(value)] as const));
    case 'compare':
      return compileCompare(node);
    case 'in':
      return compileIn(node);
    case 'logic':
      return compileLogic(node.operator, node.parts.map(compile));
    case 'arithmetic':
      return compileArithmetic(node.operator, compile(node.left), compile(node.right));
    case 'negate':
      return compileNegate(compile(node.value));
    case 'concat':
      return compileConcat(node.parts.map(compile));
    case 'choose': {
      const [when, then, otherwise] = [compile(node.when), compile(node.then), compile(node.otherwise)];
      return (scope, item) => (isTrue(when(scope, item)) ? then(scope, item) : otherwise(scope, item));
    }
    case 'call': {
      const apply = FUNCTIONS[node.name];
      const args = node.args.map(compile);
      return (scope, item) => apply(args.map((argument) => counted(argument(scope, item))));
    }
  }
}

/** What a function is given, it goes over at least once. */
function counted(value: unknown): unknown {
  if (typeof value === 'string') countText(value);
  else if (typeof value === 'object' && value !== null && (Array.isArray(value) || value instanceof Sequence))
    countSteps(listOf(value).length);
  return value;
}

function compileList(items: readonly Run[]): Run {
  return (scope, item) =>
    items.flatMap((run) => {
      const value = run(scope, item);
      return value instanceof Sequence ? value.items : [value ?? null];
    });
}

function compileObject(entries: readonly (readonly [Run, Run])[]): Run {
  return (scope, item) => Object.fromEntries(entries.map(([key, value]) => [toText(key(scope, item)) ?? '', single(value(scope, item))]));
}

function compileLogic(operator: 'and' | 'or', parts: readonly Run[]): Run {
  const isOr = operator === 'or';
  const [first, second] = parts;
  if (parts.length === 2 && first !== undefined && second !== undefined) {
    return isOr
      ? (scope, item) => isTrue(first(scope, item)) || isTrue(second(scope, item))
      : (scope, item) => isTrue(first(scope, item)) && isTrue(second(scope, item));
  }
  return (scope, item) => {
    for (const part of parts) if (isTrue(part(scope, item)) === isOr) return isOr;
    return !isOr;
  };
}

function compileCompare(node: Extract<Expression, { kind: 'compare' }>): Run {
  const left = compile(node.left);
  const right = compile(node.right);
  const asText = meansText(node.left) || meansText(node.right);
  switch (node.operator) {
    case '=':
      return compileEqual(node, left, right, asText);
    case '!=': {
      const equal = compileEqual(node, left, right, asText);
      return (scope, item) => equal(scope, item) === false;
    }
    case '<':
      return (scope, item) => (compareOrder(left(scope, item), right(scope, item)) ?? NaN) < 0;
    case '<=':
      return (scope, item) => (compareOrder(left(scope, item), right(scope, item)) ?? NaN) <= 0;
    case '>':
      return (scope, item) => (compareOrder(left(scope, item), right(scope, item)) ?? NaN) > 0;
    case '>=':
      return (scope, item) => (compareOrder(left(scope, item), right(scope, item)) ?? NaN) >= 0;
  }
}

function compileEqual(node: { readonly right: Expression }, left: Run, right: Run, asText: boolean): Run {
  // The usual case, `record.status = 'open'`, without a call: a text that is no time equals itself alone.
  if (node.right.kind === 'literal' && typeof node.right.value === 'string' && microsOf(node.right.value) === undefined) {
    const wanted = node.right.value;
    return (scope, item) => {
      const value = left(scope, item);
      return value === wanted || (typeof value !== 'string' && isEqual(value, wanted, true));
    };
  }
  return (scope, item) => isEqual(left(scope, item), right(scope, item), asText);
}

function compileIn(node: Extract<Expression, { kind: 'in' }>): Run {
  const left = compile(node.left);
  const right = compile(node.right);
  const leftIsText = meansText(node.left);
  const rightIsText = node.right.kind === 'list' ? node.right.items.map(meansText) : undefined;
  const rightMeansText = meansText(node.right);
  return (scope, item) => {
    const wanted = left(scope, item);
    const list = listOf(right(scope, item));
    countSteps(list.length);
    return list.some((candidate, index) => isEqual(wanted, candidate, leftIsText || rightMeansText || rightIsText?.[index] === true));
  };
}

function compileArithmetic(operator: ArithmeticOperator, left: Run, right: Run): Run {
  return (scope, item) => {
    const a = single(left(scope, item));
    const b = single(right(scope, item));
    if (a === null || b === null) return null;
    const x = toNumeric(a);
    const y = toNumeric(b);
    if (x !== undefined && y !== undefined) return calculate(operator, x, y);
    if (typeof a === 'string' || typeof b === 'string') return onTexts(operator, a, b);
    return null;
  };
}

/** `+` puts a text and anything plain together; `-` of two times is the milliseconds between them. */
function onTexts(operator: ArithmeticOperator, a: unknown, b: unknown): unknown {
  if (operator === '+' && typeof a !== 'object' && typeof b !== 'object') return boundedText(`${toText(a) ?? ''}${toText(b) ?? ''}`);
  if (operator !== '-') return null;
  const from = microsOf(b);
  const to = microsOf(a);
  return from === undefined || to === undefined ? null : (to - from) / 1000;
}

function compileNegate(run: Run): Run {
  return (scope, item) => {
    const number = toNumeric(single(run(scope, item)));
    return number === undefined ? null : negate(number);
  };
}

function compileConcat(parts: readonly Run[]): Run {
  return (scope, item) => boundedText(parts.map((part) => toText(part(scope, item)) ?? '').join(''));
}

function compilePath(head: PathHead, filters: readonly PathFilter[], path: readonly PathStep[]): Run {
  const names = path.map((step) => step.member);
  const isPlain = filters.length === 0 && path.every((step) => step.filters.length === 0);
  if (isPlain && head.kind === 'root' && names.every((name) => typeof name === 'string')) return compileMembers(head.root, names);
  let run = compileHead(head);
  run = compileFilters(run, filters);
  for (const step of path) {
    const { member } = step;
    run = typeof member === 'string' ? compileMember(run, member) : compileMap(run, compile(member));
    run = compileFilters(run, step.filters);
  }
  return run;
}

/** `record.a.b`: by far the most frequent. */
function compileMembers(root: keyof ExpressionScope, names: readonly string[]): Run {
  const [first] = names;
  if (root === 'now') return (scope) => plainNow(scope.now);
  if (first === undefined) return (scope) => scope[root];
  if (names.length === 1) return (scope) => memberOf(scope[root], first);
  return (scope) => {
    let value = scope[root];
    for (const name of names) value = memberOf(value, name);
    return value;
  };
}

const plainNow = (now: unknown): unknown => (now instanceof Date ? `${now.toISOString().slice(0, -1)}+00:00` : now);

function compileHead(head: PathHead): Run {
  switch (head.kind) {
    case 'root':
      return compileMembers(head.root, []);
    case 'item':
      return (_scope, item) => item;
    case 'name': {
      const { name } = head;
      const fallback: Run = isRoot(name) ? compileMembers(name, []) : () => null;
      return (scope, item) => (isObject(item) && Object.hasOwn(item, name) ? item[name] : fallback(scope, item));
    }
    case 'value':
      return compile(head.value);
  }
}

const compileMember =
  (run: Run, name: string): Run =>
  (scope, item) =>
    memberOf(run(scope, item), name);

/** Own members only: `record.constructor` is null. A list gives the members of its items. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value) || value instanceof Sequence) {
    return mapItems(listOf(value), (item) => memberOf(item, name));
  }
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : null;
}

function mapItems(items: readonly unknown[], apply: (item: unknown) => unknown): Sequence {
  countSteps(items.length);
  const results: unknown[] = [];
  for (const item of items) {
    const result = apply(item);
    if (result === null || result === undefined) continue;
    if (!Array.isArray(result) && !(result instanceof Sequence)) results.push(result);
    else for (const part of listOf(result)) if (part !== null && part !== undefined) results.push(part);
  }
  countSteps(results.length);
  return new Sequence(results);
}

const compileMap =
  (run: Run, apply: Run): Run =>
  (scope, item) =>
    mapItems(listOf(run(scope, item)), (each) => apply(scope, each));

function compileFilters(start: Run, filters: readonly PathFilter[]): Run {
  return filters.reduce<Run>((run, filter) => {
    if (filter.kind === 'index') {
      const index = Math.floor(filter.index);
      return (scope, item) => listOf(run(scope, item)).at(index) ?? null;
    }
    const predicate = compile(filter.predicate);
    return (scope, item) => keepItems(listOf(run(scope, item)), (each) => predicate(scope, each));
  }, start);
}

/** A predicate that gives a number picks that item; any other keeps the items for which it is true. */
function keepItems(items: readonly unknown[], predicate: (item: unknown) => unknown): Sequence {
  countSteps(items.length);
  return new Sequence(
    items.filter((item, index) => {
      const verdict = single(predicate(item));
      return typeof verdict === 'number' ? Math.floor(verdict < 0 ? items.length + verdict : verdict) === index : isTrue(verdict);
    }),
  );
}
