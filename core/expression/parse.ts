/** JSONata's own parser, then the check against the allowed tree, then the typed form. */
import jsonata from 'jsonata';
import { FUNCTION_ARITY, isKnownFunction, isOwnFunction, type FunctionName } from './function-names.ts';
import { compilePattern } from './functions.ts';
import { unknownFunction, type NormalizedExpression } from './normalize.ts';
import { isRoot, type CompareOperator, type Expression, type Literal, type PathFilter, type PathHead, type PathStep } from './syntax.ts';
import { expressionError, withinStack } from './tokens.ts';

/** What we read of JSONata's tree. Its published types leave out half of the fields. */
export interface AstNode {
  readonly type: string;
  readonly value?: unknown;
  readonly position?: number;
  readonly steps?: readonly AstNode[];
  readonly stages?: readonly { readonly type: string; readonly expr?: AstNode }[];
  readonly predicate?: readonly { readonly type: string; readonly expr?: AstNode }[];
  readonly group?: unknown;
  readonly focus?: string;
  readonly index?: string;
  readonly keepArray?: boolean;
  readonly keepSingletonArray?: boolean;
  readonly tuple?: boolean;
  readonly lhs?: unknown;
  readonly rhs?: AstNode;
  readonly expression?: AstNode;
  readonly expressions?: readonly AstNode[];
  readonly arguments?: readonly AstNode[];
  readonly procedure?: AstNode;
  readonly condition?: AstNode;
  readonly then?: AstNode;
  readonly else?: AstNode;
}

const MAX_DEPTH = 300;
const REFUSED_FUNCTIONS = new Set(['eval', 'random', 'shuffle', 'millis', 'error', 'assert']);

/** Parses, and maps JSONata's complaint back to where the author typed. */
export function parseTree(source: NormalizedExpression): AstNode {
  let tree: AstNode;
  try {
    tree = jsonata(source.text).ast() as unknown as AstNode;
  } catch (error) {
    const failure = error as { readonly message?: string; readonly position?: number; readonly token?: string };
    const end = failure.position ?? source.text.length;
    const start = Math.max(end - (failure.token === undefined || failure.token === '(end)' ? 0 : failure.token.length), 0);
    const reason =
      typeof failure.position === 'number' && failure.message !== undefined ? failure.message : 'it cannot be read, or is nested too deep';
    throw expressionError(`${reason.replace(/\.$/, '')}.`, source.sourceOffset(start));
  }
  checkTree(tree, source);
  return tree;
}

/** Refuses, anywhere in the tree: unknown names, patterns run natively, and functions that are not pure. */
function checkTree(tree: AstNode, source: NormalizedExpression): void {
  const bound = new Set<string>(['', '$']);
  const variables: { readonly name: string; readonly at: number }[] = [];
  const pending: { readonly node: object; readonly depth: number }[] = [{ node: tree, depth: 0 }];
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    const { depth } = entry;
    const node = entry.node as AstNode;
    const at = source.sourceOffset(Math.max((node.position ?? 1) - 1, 0));
    if (depth > MAX_DEPTH) throw expressionError('it is nested too deep.', at);
    if (node.type === 'regex') throw expressionError('a pattern between slashes is not allowed.', at, 'Give the pattern as a text.');
    if (node.type === 'variable') variables.push({ name: String(node.value), at });
    if (node.type === 'lambda') for (const parameter of node.arguments ?? []) bound.add(String(parameter.value));
    if (node.type === 'bind') bound.add(String((node.lhs as AstNode).value));
    for (const name of [node.focus, node.index]) if (typeof name === 'string') bound.add(name);
    for (const child of Object.values(node)) {
      if (typeof child === 'object' && child !== null)
        pending.push({ node: child as object, depth: depth + (isSameLevel(node, child as AstNode) ? 0 : 1) });
    }
  }
  for (const { name, at } of variables) checkVariable(name, at, bound);
}

/** Lists, and chains of `and`, `or` and `&`, which become one node. */
const isSameLevel = (parent: AstNode, child: AstNode): boolean =>
  Array.isArray(child) ||
  (parent.type === 'binary' && child.type === 'binary' && child.value === parent.value && CHAINED.has(String(child.value)));
const CHAINED = new Set(['and', 'or', '&']);

function checkVariable(name: string, at: number, bound: ReadonlySet<string>): void {
  if (bound.has(name) || isRoot(name) || isKnownFunction(name)) return;
  if (REFUSED_FUNCTIONS.has(name))
    throw expressionError(
      `the function "$${name}" is not allowed here.`,
      at,
      'Expressions are pure: the same values give the same result.',
    );
  throw unknownFunction(`$${name}`, at);
}

/** Thrown inside the parser: the expression is whole JSONata, outside the common subset. */
export class NotCommon extends Error {}

/** The typed form. Throws NotCommon, naming the construct, for what only the sandbox runs. */
export function toExpression(tree: AstNode, source: NormalizedExpression): Expression {
  return withinStack(() => new Reader(source).read(tree, false));
}

const COMPARE = new Set(['=', '!=', '<', '<=', '>', '>=']);
const ARITHMETIC = new Set(['+', '-', '*', '/', '%']);

class Reader {
  readonly #source: NormalizedExpression;

  constructor(source: NormalizedExpression) {
    this.#source = source;
  }

  /** `inItem`: inside a filter or a mapped bracket, where bare names are the item's members. */
  read(node: AstNode, inItem: boolean): Expression {
    if (node.group !== undefined) throw new NotCommon('grouping with { }');
    if (node.type !== 'path' && node.predicate !== undefined) return this.#filtered(node, inItem);
    switch (node.type) {
      case 'string':
      case 'number':
      case 'value':
        return { kind: 'literal', value: (node.value ?? null) as Literal };
      case 'path':
        return this.#path(node, inItem);
      case 'name':
        return { kind: 'path', filters: [], ...nameHead(String(node.value), inItem) };
      case 'variable':
        return this.#variable(node, inItem);
      case 'binary':
        return this.#binary(node, inItem);
      case 'unary':
        return this.#unary(node, inItem);
      case 'condition':
        return {
          kind: 'choose',
          when: this.read(required(node.condition), inItem),
          then: this.read(required(node.then), inItem),
          otherwise: node.else === undefined ? { kind: 'literal', value: null } : this.read(node.else, inItem),
        };
      case 'block':
        if (node.expressions?.length !== 1) throw new NotCommon('several expressions in one bracket');
        return this.read(required(node.expressions[0]), inItem);
      case 'function':
        return this.#call(node, inItem);
      default:
        throw new NotCommon(CONSTRUCTS[node.type] ?? `"${node.type}"`);
    }
  }

  #filtered(node: AstNode, inItem: boolean): Expression {
    const { predicate, ...bare } = node;
    const value = this.read(bare, inItem);
    return { kind: 'path', head: { kind: 'value', value }, filters: this.#filters(predicate), steps: [] };
  }

  #filters(stages: AstNode['stages']): PathFilter[] {
    return (stages ?? []).map((stage) => {
      if (stage.type !== 'filter' || stage.expr === undefined) throw new NotCommon(`"${stage.type}"`);
      if (stage.expr.type === 'number') return { kind: 'index', index: Number(stage.expr.value) };
      return { kind: 'predicate', predicate: this.read(stage.expr, true) };
    });
  }

  #path(node: AstNode, inItem: boolean): Expression {
    const [first, ...rest] = node.steps ?? [];
    if (first === undefined || node.keepSingletonArray === true) throw new NotCommon('[ ] after a path');
    for (const step of [first, ...rest]) {
      if (step.tuple === true || step.focus !== undefined || step.index !== undefined) throw new NotCommon('@ or # in a path');
      if (step.group !== undefined) throw new NotCommon('grouping with { }');
    }
    const head = this.#head(first, inItem);
    const filters = this.#filters([...(first.stages ?? []), ...(first.predicate ?? [])]);
    const lead = head.steps.map((step, index) => (index === head.steps.length - 1 ? { ...step, filters } : step));
    return {
      kind: 'path',
      head: head.head,
      filters: head.steps.length === 0 ? filters : [],
      steps: [...lead, ...rest.map((step) => this.#step(step))],
    };
  }

  #head(first: AstNode, inItem: boolean): { head: PathHead; steps: PathStep[] } {
    if (first.type === 'name') return nameHead(String(first.value), inItem);
    const { stages: _stages, predicate: _predicate, ...bare } = first;
    const value = this.read(bare, inItem);
    if (value.kind === 'path' && value.filters.length === 0) return { head: value.head, steps: [...value.steps] };
    return { head: { kind: 'value', value }, steps: [] };
  }

  #step(step: AstNode): PathStep {
    const filters = this.#filters([...(step.stages ?? []), ...(step.predicate ?? [])]);
    if (step.type === 'name' || step.type === 'string') return { member: String(step.value), filters };
    if (step.type !== 'block' || step.expressions?.length !== 1) throw new NotCommon(CONSTRUCTS[step.type] ?? `"${step.type}" in a path`);
    return { member: this.read(required(step.expressions[0]), true), filters };
  }

  #variable(node: AstNode, inItem: boolean): Expression {
    const name = String(node.value);
    if (isRoot(name)) return { kind: 'path', head: { kind: 'root', root: name }, filters: [], steps: [] };
    if (name === '' && inItem) return { kind: 'path', head: { kind: 'item' }, filters: [], steps: [] };
    throw new NotCommon(`"$${name}"`);
  }

  #binary(node: AstNode, inItem: boolean): Expression {
    const operator = String(node.value);
    if (operator === 'and' || operator === 'or') return { kind: 'logic', operator, parts: this.#chain(node, operator, inItem) };
    if (operator === '&') return { kind: 'concat', parts: this.#chain(node, operator, inItem) };
    const left = this.read(node.lhs as AstNode, inItem);
    const right = this.read(required(node.rhs), inItem);
    if (operator === 'in') return { kind: 'in', left, right };
    if (COMPARE.has(operator)) return { kind: 'compare', operator: operator as CompareOperator, left, right };
    if (ARITHMETIC.has(operator)) return { kind: 'arithmetic', operator: operator as '+', left, right };
    throw new NotCommon(`the operator "${operator}"`);
  }

  /** `a or b or c` leans to the left in JSONata's tree; here it is one node. */
  #chain(node: AstNode, operator: string, inItem: boolean): Expression[] {
    const parts: Expression[] = [];
    let left: AstNode = node;
    while (left.type === 'binary' && left.value === operator && left.predicate === undefined) {
      parts.unshift(this.read(required(left.rhs), inItem));
      left = left.lhs as AstNode;
    }
    parts.unshift(this.read(left, inItem));
    return parts;
  }

  #unary(node: AstNode, inItem: boolean): Expression {
    if (node.value === '-') return { kind: 'negate', value: this.read(required(node.expression), inItem) };
    if (node.value === '[') return { kind: 'list', items: (node.expressions ?? []).map((item) => this.read(item, inItem)) };
    if (node.value !== '{') throw new NotCommon(`"${String(node.value)}"`);
    const entries = node.lhs as readonly (readonly [AstNode, AstNode])[];
    return { kind: 'object', entries: entries.map(([key, value]) => [this.read(key, inItem), this.read(value, inItem)] as const) };
  }

  #call(node: AstNode, inItem: boolean): Expression {
    const name = String(node.procedure?.value);
    const at = this.#source.sourceOffset(Math.max((node.position ?? 1) - 1, 0));
    if (node.procedure?.type !== 'variable') throw expressionError('only functions of the language can be called.', at);
    if (!isOwnFunction(name)) throw new NotCommon(`$${name}`);
    const args = node.arguments ?? [];
    checkArguments(name, args, at);
    if (name === 'now') return { kind: 'path', head: { kind: 'root', root: 'now' }, filters: [], steps: [] };
    return { kind: 'call', name, args: args.map((argument) => this.read(argument, inItem)) };
  }
}

function checkArguments(name: FunctionName, args: readonly AstNode[], at: number): void {
  const [least, most] = FUNCTION_ARITY[name];
  if (args.length < least || args.length > most) {
    throw expressionError(`$${name} takes ${least === most ? least : `${least} to ${most}`} arguments, not ${args.length}.`, at);
  }
  const pattern = args[1];
  if ((name === 'match' || name === 'test') && pattern?.type === 'string') compilePattern(String(pattern.value));
}

/** A first name that is no variable is a field of the record; inside an item it is known only at run time. */
function nameHead(name: string, inItem: boolean): { head: PathHead; steps: PathStep[] } {
  if (inItem) return { head: { kind: 'name', name }, steps: [] };
  if (isRoot(name)) return { head: { kind: 'root', root: name }, steps: [] };
  return { head: { kind: 'root', root: 'record' }, steps: [{ member: name, filters: [] }] };
}

function required(node: AstNode | undefined): AstNode {
  if (node === undefined) throw new NotCommon('an incomplete expression');
  return node;
}

const CONSTRUCTS: Readonly<Record<string, string>> = {
  lambda: 'a function of your own',
  bind: 'a variable of your own (:=)',
  apply: 'the chain operator ~>',
  wildcard: 'the wildcard *',
  descendant: 'the wildcard **',
  parent: 'the parent operator %',
  sort: 'sorting with ^( )',
  transform: 'a transform | |',
  partial: 'a function with missing arguments',
  function: 'a function inside a path',
};
