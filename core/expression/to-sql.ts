/** The second back end: an expression as SQL. Same meaning as the closure; docs/expressions.md says what is refused. */
import type { StoredType } from '../model/model.ts';
import { and, join, or, raw, sql, value, type Sql } from '../sql/sql.ts';
import { compileClosure, type ExpressionScope } from './evaluate.ts';
import { namesOf, type CompiledExpression } from './expression.ts';
import { compareSql, equalSql, inColumnSql, inConstantsSql } from './sql-compare.ts';
import { functionSql } from './sql-functions.ts';
import {
  asNumber,
  asText,
  asTime,
  boolean,
  columnScalar,
  computed,
  describe,
  FALSE,
  noSql,
  truthOf,
  type ColumnScalar,
  type ConstantScalar,
  type Scalar,
  type ScalarClass,
} from './sql-scalar.ts';
import { isRoot, meansText, visitExpression, type Expression, type Root } from './syntax.ts';
import { microsOf } from './time.ts';
import { isTrue, listOf } from './values.ts';

/** How an expression's names are found in a statement. */
export interface SqlScope {
  /** The column behind `record.<path>`, also through relations; undefined when there is none. */
  column(path: readonly string[]): { readonly sql: Sql; readonly type: StoredType } | undefined;
  /** The value to bind for another variable; null when it is empty, undefined when there is no such variable here. */
  variable(root: string, path: readonly string[]): unknown;
}

/** A boolean that is never null. Throws UNSUPPORTED naming the construct that has no SQL. */
export function expressionToSql(expression: CompiledExpression, scope: SqlScope): Sql {
  return new Compiler(scope).truth(treeOf(expression));
}

export type ValueSql = ColumnScalar;

/** The value of an expression, null where it has none: for fills and conversions of a migration. Plain null is a text. */
export function expressionToValueSql(expression: CompiledExpression, scope: SqlScope): ColumnScalar {
  const scalar = new Compiler(scope).scalar(treeOf(expression));
  return scalar.kind === 'sql' ? scalar : typedConstant(scalar);
}

function treeOf(expression: CompiledExpression): Expression {
  if (expression.tree === undefined) throw noSql(expression.uncommonConstruct ?? 'whole JSONata');
  return expression.tree;
}

type PathNode = Extract<Expression, { kind: 'path' }>;

/** Worked out once per expression node; the nodes live as long as the compiled expression. */
const constancy = new WeakMap<Expression, boolean>();
const closures = new WeakMap<Expression, (scope: ExpressionScope) => unknown>();

/** True when nothing of the record is read, so that the value is known before the statement is made. */
function isConstant(node: Expression): boolean {
  let known = constancy.get(node);
  if (known === undefined) {
    let reads = false;
    visitExpression(node, (part) => {
      if (part.kind === 'path' && part.head.kind === 'root' && part.head.root === 'record') reads = true;
      if (part.kind === 'path' && part.head.kind === 'name' && part.head.name === 'record') reads = true;
    });
    known = !reads;
    constancy.set(node, known);
  }
  return known;
}

class Compiler {
  readonly #scope: SqlScope;
  #products = 0;

  constructor(scope: SqlScope) {
    this.#scope = scope;
  }

  truth(node: Expression): Sql {
    if (isConstant(node)) return boolean(isTrue(this.#evaluate(node)));
    switch (node.kind) {
      case 'logic': {
        const parts = node.parts.map((part) => this.truth(part));
        return node.operator === 'and' ? and(parts) : or(parts);
      }
      case 'compare':
        if (isWholeRecord(node.left) || isWholeRecord(node.right)) return this.#wholeRecord(node);
        return compareSql(node.operator, this.scalar(node.left), this.scalar(node.right));
      case 'in':
        return this.#membership(node.left, node.right);
      case 'choose':
        return sql`(case when ${this.truth(node.when)} then ${this.truth(node.then)} else ${this.truth(node.otherwise)} end)`;
      case 'call':
        if (node.name === 'not') return sql`(not ${this.truth(argumentOf(node))})`;
        if (node.name === 'boolean') return this.truth(argumentOf(node));
        break;
      case 'literal':
      case 'path':
      case 'list':
      case 'object':
      case 'arithmetic':
      case 'negate':
      case 'concat':
    }
    const scalar = this.scalar(node);
    return scalar.kind === 'constant' ? boolean(isTrue(scalar.value)) : truthOf(scalar);
  }

  scalar(node: Expression): Scalar {
    if (isConstant(node))
      return { kind: 'constant', value: this.#evaluate(node), meansText: meansText(node), isLiteral: node.kind === 'literal' };
    switch (node.kind) {
      case 'path':
        return this.#column(node);
      case 'compare':
      case 'in':
      case 'logic':
        return computed('boolean', this.truth(node));
      case 'arithmetic':
        return this.#arithmetic(node);
      case 'negate':
        return computed('number', sql`(- ${asNumber(this.scalar(node.value))})`);
      case 'concat':
        return computed(
          'text',
          sql`(${join(
            node.parts.map((part) => sql`coalesce(${asText(this.scalar(part))}, '')`),
            ' || ',
          )})`,
        );
      case 'choose':
        return this.#choice(node);
      case 'call':
        if (node.name === 'not' || node.name === 'boolean') return computed('boolean', this.truth(node));
        if (node.name === 'exists' && isWholeRecord(argumentOf(node))) return computed('boolean', raw('true'));
        return functionSql(
          node.name,
          node.args.map((argument) => this.scalar(argument)),
        );
      case 'list':
      case 'object':
        throw noSql(node.kind === 'list' ? 'a list with fields in it' : 'an object');
      case 'literal':
        return { kind: 'constant', value: node.value, meansText: meansText(node), isLiteral: true };
    }
  }

  #evaluate(node: Expression): unknown {
    if (node.kind === 'literal') return node.value;
    let run = closures.get(node);
    if (run === undefined) closures.set(node, (run = compileClosure(node)));
    const scope: Partial<Record<Root, unknown>> = {};
    visitExpression(node, (part) => {
      if (part.kind !== 'path') return;
      const root =
        part.head.kind === 'root' ? part.head.root : part.head.kind === 'name' && isRoot(part.head.name) ? part.head.name : undefined;
      if (root === undefined) return;
      const names = namesOf(part);
      const found = this.#scope.variable(root, names);
      if (found === undefined) throw noSql(`"${[root, ...names].join('.')}", which is not known here,`);
      put(scope, [root, ...names], found);
    });
    return run(scope);
  }

  #column(node: PathNode): ColumnScalar {
    const names = node.steps.map((step) => step.member);
    const isPlain =
      node.head.kind === 'root' &&
      node.filters.length === 0 &&
      node.steps.every((step) => typeof step.member === 'string' && step.filters.length === 0);
    if (!isPlain) throw noSql('a filter or a mapped bracket in a path');
    const path = names as string[];
    for (let length = path.length; length > 0; length--) {
      const found = this.#scope.column(path.slice(0, length));
      if (found === undefined) continue;
      if (length === path.length) return columnScalar(found.sql, found.type);
      if (found.type !== 'json') break;
      return jsonMember(found.sql, path.slice(length));
    }
    throw noSql(path.length === 0 ? 'the whole record' : `"record.${path.join('.')}", which is no field with one value per record,`);
  }

  #membership(leftNode: Expression, rightNode: Expression): Sql {
    const left = this.scalar(leftNode);
    if (rightNode.kind === 'list') {
      const items = rightNode.items.map((item) => this.scalar(item));
      const constants = items.filter((item): item is ConstantScalar => item.kind === 'constant');
      if (constants.length === items.length)
        return inConstantsSql(
          left,
          constants.map((item) => asMeant(item, leftNode)),
        );
      return or(items.map((item) => equalSql(left, item)));
    }
    const right = this.scalar(rightNode);
    if (right.kind === 'sql') return inColumnSql(left, right);
    const items = listOf(right.value).map((item) => ({ ...right, value: item, isLiteral: false }));
    return inConstantsSql(
      left,
      items.map((item) => asMeant(item, leftNode)),
    );
  }

  #arithmetic(node: Extract<Expression, { kind: 'arithmetic' }>): ColumnScalar {
    const left = this.scalar(node.left);
    const right = this.scalar(node.right);
    if (node.operator === '-' && isTime(left) && isTime(right)) {
      return computed('number', sql`(extract(epoch from (${asTime(left)} - ${asTime(right)})) * 1000)`);
    }
    for (const side of [left, right]) {
      if (side.kind === 'sql' && side.class === 'json' && (node.operator === '+' || node.operator === '-')) {
        throw noSql(`"${node.operator}" with a json value`, 'Say what it is: $number(record.data.price).');
      }
      if (side.kind === 'sql' && side.class === 'text' && (node.operator === '+' || node.operator === '-')) {
        throw noSql(`"${node.operator}" with a text field`, 'Join texts with &; calculate with $number(record.code).');
      }
      if (side.kind === 'constant' && typeof side.value === 'string' && node.operator === '+' && side.isLiteral)
        throw noSql('"+" with a text', 'Join texts with &.');
    }
    const [a, b] = [asNumber(left), asNumber(right)];
    switch (node.operator) {
      case '+':
        return computed('number', sql`(${a} + ${b})`);
      case '-':
        return computed('number', sql`(${a} - ${b})`);
      case '*':
        this.#products += 1;
        // Each factor may add its digits, and Postgres ends at 131,072.
        if (this.#products > 100) throw noSql('a calculation with more than 100 products');
        return computed('number', sql`(${a} * ${b})`);
      case '%':
        return computed('number', sql`(${a} % nullif(${b}, 0))`);
      case '/':
        // Divided as doubles, like the closure: a quotient of numerics is rounded twice, and its fifteenth digit may differ.
        return computed(
          'number',
          sql`(select case when abs(q.a) <= 1e300 and abs(q.b) between 1e-300 and 1e300 and abs(q.a) <= abs(q.b) * 1e300
          then case when abs(q.a) < greatest(1e-300, abs(q.b) * 1e-300) then 0 else (q.a::double precision / q.b::double precision)::numeric end end
          from (select ${a} as a, ${b} as b) q)`,
        );
    }
  }

  #choice(node: Extract<Expression, { kind: 'choose' }>): ColumnScalar {
    const branches = [this.scalar(node.then), this.scalar(node.otherwise)];
    const typed =
      branches.find((branch): branch is ColumnScalar => branch.kind === 'sql') ??
      branches.map(typedConstantOrNull).find((branch) => branch !== undefined);
    const areTexts = branches.every((branch) =>
      branch.kind === 'sql' ? TEXTUAL.has(branch.class) : branch.value === null || typeof branch.value === 'string',
    );
    const kind = areTexts ? 'text' : (typed?.class ?? 'text');
    const [then, otherwise] = branches.map((branch) => castTo(kind, branch));
    if (then === undefined || otherwise === undefined) throw noSql('an incomplete choice');
    const when = this.truth(node.when);
    const choice = computed(kind, sql`(case when ${when} then ${then} else ${otherwise} end)`);
    if (kind !== 'number' && kind !== 'time') return choice;
    // The text of a decimal or a date is not that of the number or timestamp it is chosen beside.
    const [first, second] = branches;
    return { ...choice, text: () => sql`(case when ${when} then ${textOrNull(first)} else ${textOrNull(second)} end)` };
  }

  /** A stored row is never null. */
  #wholeRecord(node: Extract<Expression, { kind: 'compare' }>): Sql {
    const other = isWholeRecord(node.left) ? node.right : node.left;
    if (!isConstant(other) || this.#evaluate(other) !== null) throw noSql('the whole record compared with anything but null');
    return node.operator === '!=' ? raw('true') : FALSE;
  }
}

/** Classes whose values are texts in JSON and compare as such. */
const TEXTUAL: ReadonlySet<ScalarClass> = new Set(['text', 'uuid', 'clock']);

const textOrNull = (scalar: Scalar | undefined): Sql => (scalar === undefined ? raw('null::text') : asText(scalar));

/**
 * A member inside a json field. Where a list lies on the way the members of its items are meant, one alone without the list,
 * as in the closure; lists in lists are opened to the third level.
 */
function jsonMember(column: Sql, names: readonly string[]): ColumnScalar {
  let member = column;
  const lists: Sql[] = [];
  for (const name of names) {
    lists.push(sql`jsonb_typeof(${member}) = 'array'`);
    member = sql`(${member} -> ${value(name, 'text')})`;
  }
  const when = sql`coalesce(${or(lists)}, false)`;
  const path = `$${names.map((name) => `[*][*].${JSON.stringify(name)}`).join('')}[*] ? (@.type() != "null")`;
  const items = sql`jsonb_path_query_array(${column}, ${value(path, 'text')}::jsonpath)`;
  const one = sql`(select case jsonb_array_length(m.x) when 0 then null when 1 then m.x -> 0 else m.x end from (select ${items} as x) m)`;
  return { ...computed('json', sql`(case when ${when} then ${one} else ${member} end)`), mapped: { when, items } };
}

const isWholeRecord = (node: Expression): boolean =>
  node.kind === 'path' && node.head.kind === 'root' && node.head.root === 'record' && node.steps.length === 0 && node.filters.length === 0;

const isTime = (scalar: Scalar): boolean => (scalar.kind === 'sql' ? scalar.class === 'time' : typeof scalar.value === 'string');

const asMeant = (item: ConstantScalar, left: Expression): ConstantScalar => (meansText(left) ? { ...item, meansText: true } : item);

function argumentOf(node: Extract<Expression, { kind: 'call' }>): Expression {
  const [argument] = node.args;
  if (argument === undefined) throw noSql(`$${node.name} without an argument`);
  return argument;
}

function put(target: Record<string, unknown>, path: readonly string[], found: unknown): void {
  const [first = '', ...rest] = path;
  if (rest.length === 0) {
    target[first] = found;
    return;
  }
  const inner = target[first];
  const next: Record<string, unknown> = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
  target[first] = next;
  put(next, rest, found);
}

const typedConstantOrNull = (scalar: Scalar): ColumnScalar | undefined =>
  scalar.kind === 'constant' && scalar.value !== null ? typedConstant(scalar) : undefined;

function typedConstant(scalar: ConstantScalar): ColumnScalar {
  if (typeof scalar.value === 'number') return computed('number', asNumber(scalar));
  if (typeof scalar.value === 'boolean') return computed('boolean', value(scalar.value, 'boolean'));
  if (typeof scalar.value === 'object' && scalar.value !== null) return computed('json', value(JSON.stringify(scalar.value), 'jsonb'));
  return computed('text', asText(scalar));
}

/** A branch in the class of its sibling; null fits every class. */
function castTo(kind: ScalarClass, scalar: Scalar): Sql {
  const isEmpty = scalar.kind === 'constant' && scalar.value === null;
  if (isEmpty) return raw('null');
  if (kind === 'number' && (scalar.kind === 'constant' ? typeof scalar.value === 'number' : scalar.class === 'number'))
    return asNumber(scalar);
  if (kind === 'time' && (scalar.kind === 'sql' ? scalar.class === 'time' : microsOf(scalar.value) !== undefined)) return asTime(scalar);
  if (kind === 'text' && scalar.kind === 'sql' && TEXTUAL.has(scalar.class)) return asText(scalar);
  const typed = scalar.kind === 'constant' ? typedConstant(scalar) : scalar;
  if (typed.class !== kind) throw noSql(`a choice between a ${kind} and a ${describe(typed)}`);
  return typed.sql;
}
