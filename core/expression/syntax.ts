/** The typed form of an expression of the common subset: what both back ends compile. */
import type { ArithmeticOperator } from './decimal.ts';
import type { FunctionName } from './function-names.ts';

/** The variables an expression may name. Any other first name is a field of the record. */
export const ROOTS = ['record', 'old', 'related', 'user', 'action', 'now', 'context', 'params', 'trigger'] as const;
export type Root = (typeof ROOTS)[number];
export const isRoot = (name: string): name is Root => (ROOTS as readonly string[]).includes(name);

export type Literal = string | number | boolean | null;
export type CompareOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';

export type PathHead =
  | { readonly kind: 'root'; readonly root: Root }
  /** Inside a filter or a mapped bracket: the list item at hand. */
  | { readonly kind: 'item' }
  /** Inside those: the item's member of that name, or else the variable. */
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'value'; readonly value: Expression };

export type PathFilter =
  { readonly kind: 'index'; readonly index: number } | { readonly kind: 'predicate'; readonly predicate: Expression };

export interface PathStep {
  /** A member's name, or what is worked out for every item. */
  readonly member: string | Expression;
  readonly filters: readonly PathFilter[];
}

export type Expression =
  | { readonly kind: 'literal'; readonly value: Literal }
  | { readonly kind: 'path'; readonly head: PathHead; readonly filters: readonly PathFilter[]; readonly steps: readonly PathStep[] }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [Expression, Expression])[] }
  | { readonly kind: 'compare'; readonly operator: CompareOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'in'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'logic'; readonly operator: 'and' | 'or'; readonly parts: readonly Expression[] }
  | { readonly kind: 'arithmetic'; readonly operator: ArithmeticOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'negate'; readonly value: Expression }
  | { readonly kind: 'concat'; readonly parts: readonly Expression[] }
  | { readonly kind: 'choose'; readonly when: Expression; readonly then: Expression; readonly otherwise: Expression }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly Expression[] };

/**
 * True when this side of a comparison says that texts are meant as texts: a quoted text, or something of the caller.
 * Otherwise two numeric texts (decimals are shown as texts) compare as numbers. Both back ends ask this one function.
 */
export function meansText(node: Expression): boolean {
  if (node.kind === 'literal') return typeof node.value === 'string';
  return node.kind === 'path' && node.head.kind === 'root' && (node.head.root === 'user' || node.head.root === 'action');
}

/** Calls `visit` with every node, outermost first. */
export function visitExpression(node: Expression, visit: (node: Expression) => void): void {
  visit(node);
  for (const child of childrenOf(node)) visitExpression(child, visit);
}

function childrenOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'literal':
      return [];
    case 'path':
      return [
        ...(node.head.kind === 'value' ? [node.head.value] : []),
        ...[node.filters, ...node.steps.map((step) => step.filters)].flat().flatMap((f) => (f.kind === 'predicate' ? [f.predicate] : [])),
        ...node.steps.flatMap((step) => (typeof step.member === 'string' ? [] : [step.member])),
      ];
    case 'list':
      return node.items;
    case 'object':
      return node.entries.flat();
    case 'compare':
    case 'in':
    case 'arithmetic':
      return [node.left, node.right];
    case 'logic':
    case 'concat':
      return node.parts;
    case 'negate':
      return [node.value];
    case 'choose':
      return [node.when, node.then, node.otherwise];
    case 'call':
      return node.args;
  }
}
