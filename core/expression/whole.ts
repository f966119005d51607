/**
 * Whole JSONata with this language's meaning: the library's tree is changed in place so that comparisons and arithmetic are
 * ours (numeric texts, null, exact decimals), and our functions stand in for its own. Only the sandbox calls this.
 */
import jsonata from 'jsonata';
import { calculate, toNumeric, type ArithmeticOperator } from './decimal.ts';
import type { ExpressionScope } from './evaluate.ts';
import { FUNCTIONS } from './functions.ts';
import { startSteps } from './steps.ts';
import { isEqual, compareOrder, listOf, single, toText } from './values.ts';

type Operation = (left: unknown, right: unknown) => unknown;

const ordered =
  (test: (order: number) => boolean): Operation =>
  (left, right) => {
    const order = compareOrder(left, right);
    return order !== undefined && test(order);
  };
const calculated =
  (operator: ArithmeticOperator): Operation =>
  (left, right) => {
    const [a, b] = [toNumeric(single(left)), toNumeric(single(right))];
    if (a !== undefined && b !== undefined) return calculate(operator, a, b) ?? undefined;
    const [x, y] = [single(left), single(right)];
    return operator === '+' && x !== null && y !== null && (typeof x === 'string' || typeof y === 'string')
      ? `${toText(x)}${toText(y)}`
      : undefined;
  };

const OPERATIONS: Readonly<Record<string, Operation>> = {
  '=': (left, right) => isEqual(left, right, false),
  '!=': (left, right) => !isEqual(left, right, false),
  '<': ordered((order) => order < 0),
  '<=': ordered((order) => order <= 0),
  '>': ordered((order) => order > 0),
  '>=': ordered((order) => order >= 0),
  '+': calculated('+'),
  '-': calculated('-'),
  '*': calculated('*'),
  '/': calculated('/'),
  '%': calculated('%'),
  in: (left, right) => listOf(right).some((item) => isEqual(left, item, false)),
};

/** A name no author can write, since JSONata's names hold no spaces. */
const bindingOf = (operator: string): string => `operator ${operator}`;

/** Evaluates a normalized expression with the library. The caller bounds its time and memory. */
export async function evaluateWhole(source: string, scope: ExpressionScope): Promise<unknown> {
  startSteps();
  const expression = jsonata(source);
  replaceOperators(expression.ast());
  for (const [operator, apply] of Object.entries(OPERATIONS)) expression.assign(bindingOf(operator), apply);
  for (const [name, apply] of Object.entries(FUNCTIONS)) {
    if (name !== 'now') expression.assign(name, (...args: unknown[]) => withoutNull(apply(args)));
  }
  const input = { ...(scope.record as object | null | undefined), ...scope };
  const value: unknown = await expression.evaluate(input, { ...scope, now: callableNow(source, scope.now) });
  return value === undefined ? null : (JSON.parse(JSON.stringify(value) ?? 'null') as unknown);
}

const withoutNull = (value: unknown): unknown => (value === null ? undefined : value);

/** `$now` and `$now()` are the same moment. */
const callableNow = (source: string, now: unknown): unknown => (/\$now\s*\(/.test(source) ? () => now : now);

interface Node {
  type?: string;
  value?: unknown;
  lhs?: unknown;
  rhs?: unknown;
  arguments?: unknown[];
  procedure?: unknown;
}

function replaceOperators(tree: unknown): void {
  const pending: unknown[] = [tree];
  while (pending.length > 0) {
    const node = pending.pop();
    if (typeof node !== 'object' || node === null) continue;
    const { type, value, lhs, rhs } = node as Node;
    if (type === 'binary' && typeof value === 'string' && Object.hasOwn(OPERATIONS, value)) {
      Object.assign(node, {
        type: 'function',
        value: '(',
        arguments: [lhs, rhs],
        procedure: { type: 'variable', value: bindingOf(value) },
      });
      delete (node as Node).lhs;
      delete (node as Node).rhs;
    }
    pending.push(...Object.values(node as object));
  }
}
