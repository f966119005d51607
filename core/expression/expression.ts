/**
 * The expression language: one meaning, two back ends (`evaluate` here, `expressionToSql` in to-sql.ts), and whole JSONata in
 * the sandbox for what lies outside the common subset. See docs/expressions.md.
 */
import { AppError } from '../errors.ts';
import { compileClosure, type ExpressionScope } from './evaluate.ts';
import { normalize, normalizeExpression, type NormalizedExpression } from './normalize.ts';
import { NotCommon, parseTree, toExpression } from './parse.ts';
import { isRoot, ROOTS, visitExpression, type Expression, type Root } from './syntax.ts';
import { isTrue } from './values.ts';

export { isTrue, normalizeExpression };
export type { ExpressionScope };

/** A path into one of the variables, as far as it is made of plain names. */
export interface VariablePath {
  readonly root: Root;
  readonly path: readonly string[];
}

export interface CompiledExpression {
  /** The stored form: JSONata. */
  readonly source: string;
  /** The variables it reads. With whole JSONata: all of them. */
  readonly roots: ReadonlySet<string>;
  /** What it reads of the record, `[]` for the whole. Empty, like `paths`, when `isCommon` is false. */
  readonly recordPaths: readonly (readonly string[])[];
  readonly paths: readonly VariablePath[];
  /** False: only the sandbox (adapters/sandbox) can run it. */
  readonly isCommon: boolean;
  /** What makes it not common, in words. */
  readonly uncommonConstruct: string | undefined;
  readonly tree: Expression | undefined;
  /** Synchronous. Throws UNSUPPORTED when `isCommon` is false. */
  evaluate(scope: ExpressionScope): unknown;
}

const MAX_CACHED = 5_000;
const cache = new Map<string, CompiledExpression>();

/** Accepts the familiar and the stored form. Throws VALIDATION_FAILED with the position of a mistake. Remembered, within a bound. */
export function compileExpression(text: string): CompiledExpression {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const compiled = compileAnew(text);
  if (cache.size >= MAX_CACHED) {
    const oldest = cache.keys().next().value;
    if (oldest !== undefined) cache.delete(oldest);
  }
  cache.set(text, compiled);
  return compiled;
}

function compileAnew(text: string): CompiledExpression {
  const normalized = normalize(text);
  const syntaxTree = parseTree(normalized);
  try {
    return common(normalized, toExpression(syntaxTree, normalized));
  } catch (error) {
    if (!(error instanceof NotCommon)) throw error;
    return uncommon(normalized, error.message);
  }
}

function common(normalized: NormalizedExpression, tree: Expression): CompiledExpression {
  const paths = pathsOf(tree);
  return Object.freeze({
    source: normalized.text,
    roots: new Set(paths.map((path) => path.root)),
    recordPaths: paths.filter((path) => path.root === 'record').map((path) => path.path),
    paths,
    isCommon: true,
    uncommonConstruct: undefined,
    tree,
    evaluate: compileClosure(tree),
  });
}

function uncommon(normalized: NormalizedExpression, construct: string): CompiledExpression {
  return Object.freeze({
    source: normalized.text,
    roots: new Set(ROOTS),
    recordPaths: [],
    paths: [],
    isCommon: false,
    uncommonConstruct: construct,
    tree: undefined,
    evaluate: () => {
      throw new AppError('UNSUPPORTED', `An expression that uses ${construct} cannot be used here.`, {
        hint: 'Rules, guards, policies and conditions take the common subset of docs/expressions.md.',
      });
    },
  });
}

function pathsOf(tree: Expression): VariablePath[] {
  const paths = new Map<string, VariablePath>();
  const add = (root: Root, path: readonly string[]): void => {
    paths.set(JSON.stringify([root, ...path]), { root, path });
  };
  visitExpression(tree, (node) => {
    if (node.kind !== 'path') return;
    if (node.head.kind === 'name' && isRoot(node.head.name)) add(node.head.name, namesOf(node));
    if (node.head.kind === 'root') add(node.head.root, namesOf(node));
  });
  return [...paths.values()];
}

/** The plain names a path begins with. */
export function namesOf(node: Extract<Expression, { kind: 'path' }>): string[] {
  const names: string[] = [];
  for (const step of node.filters.length > 0 ? [] : node.steps) {
    if (typeof step.member !== 'string') break;
    names.push(step.member);
    if (step.filters.length > 0) break;
  }
  return names;
}
