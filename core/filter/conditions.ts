/** Conditions as they arrive: `filter[field.op]=value`, or a JSON tree. Pure: no name is looked up here. */
import { AppError } from '../errors.ts';
import { isObject } from '../is-object.ts';
import { invalidValue, MAX_FILTER_NODES, tooLarge, type Filter } from './query.ts';

const MAX_TREE_DEPTH = 32;

/** Conditions read so far; shared by the filters of one request. */
export interface ConditionBudget {
  nodes: number;
}

/** Collects the conditions of one parameter (`filter`, `having`) in whatever form they come; all of them must hold. */
export class ConditionReader {
  readonly #parameter: string;
  readonly #leaves = new Map<string, { readonly path: string[]; readonly texts: string[] }>();
  readonly #trees: Filter[] = [];
  readonly #budget: ConditionBudget;

  constructor(parameter: string, budget: ConditionBudget = { nodes: 0 }) {
    this.#parameter = parameter;
    this.#budget = budget;
  }

  /** Takes one pair of a query string; false when it is not about this parameter. */
  take(key: string, text: string): boolean {
    if (key === this.#parameter) this.#trees.push(this.#readText(text));
    else if (key.startsWith(`${this.#parameter}[`)) this.#addLeaf(key, text);
    else return false;
    return true;
  }

  /** Takes a tree that is JSON already. */
  takeTree(tree: unknown): void {
    this.#trees.push(this.#readTree(tree, 1));
  }

  result(): Filter | undefined {
    const items: Filter[] = [...this.#trees];
    for (const { path, texts } of this.#leaves.values()) {
      items.push({ kind: 'leaf', path, operator: undefined, operand: { kind: 'text', texts } });
    }
    return items.length > 1 ? { kind: 'and', items } : items[0];
  }

  #addLeaf(key: string, text: string): void {
    const path = this.#readBrackets(key);
    // `filter[status][]=a` and `filter[status][0]=a` are lists.
    while (path.length > 1 && /^\d*$/.test(path.at(-1) ?? '')) path.pop();
    const name = path.join('.');
    const leaf = this.#leaves.get(name);
    if (leaf !== undefined) {
      leaf.texts.push(text);
      return;
    }
    this.#spend();
    this.#leaves.set(name, { path, texts: [text] });
  }

  #readBrackets(key: string): string[] {
    const parameter = this.#parameter;
    const inner = key.slice(parameter.length);
    if (!/^(\[[^[\]]*\])+$/.test(inner)) {
      throw new AppError('UNKNOWN_PARAMETER', `"${key.length > 100 ? `${key.slice(0, 100)}…` : key}" is no ${parameter}.`, {
        hint: `Write ${parameter}[field]=value or ${parameter}[field][operator]=value.`,
      });
    }
    return inner
      .slice(1, -1)
      .split('][')
      .flatMap((part) => part.split('.'));
  }

  #readText(text: string): Filter {
    const parameter = this.#parameter;
    let tree: unknown;
    try {
      tree = JSON.parse(text);
    } catch {
      throw invalidValue(
        parameter,
        `The parameter "${parameter}" is not valid JSON.`,
        `Write ${parameter}[field]=value, or ${parameter}={"field":"…","op":"eq","value":"…"}.`,
      );
    }
    return this.#readTree(tree, 1);
  }

  /** `{field, op, value}`, `{and: [...]}`, `{or: [...]}`, `{not: {...}}`, or `{field: value, ...}` for plain equality. */
  #readTree(tree: unknown, depth: number): Filter {
    if (!isObject(tree)) throw this.#badTree();
    if (depth > MAX_TREE_DEPTH)
      throw invalidValue(this.#parameter, `A ${this.#parameter} may be nested at most ${MAX_TREE_DEPTH} levels deep.`);
    this.#spend();
    if (typeof tree['field'] === 'string') return this.#readLeaf(tree, tree['field'], depth);
    const items = Object.entries(tree).map(([key, part]): Filter => {
      if (key === 'and' || key === 'or') {
        if (!Array.isArray(part)) throw this.#badTree();
        return { kind: key, items: part.map((item) => this.#readTree(item, depth + 1)) };
      }
      if (key === 'not') return { kind: 'not', item: this.#readTree(part, depth + 1) };
      this.#spend();
      return { kind: 'leaf', path: key.split('.'), operator: undefined, operand: { kind: 'json', value: part } };
    });
    return items.length === 1 && items[0] !== undefined ? items[0] : { kind: 'and', items };
  }

  #readLeaf(tree: Record<string, unknown>, field: string, depth: number): Filter {
    const extra = Object.keys(tree).find((key) => !['field', 'op', 'operator', 'value'].includes(key));
    const operator = tree['op'] ?? tree['operator'] ?? 'eq';
    if (extra !== undefined || typeof operator !== 'string') throw this.#badTree();
    const path = field.split('.');
    if ((operator === 'some' || operator === 'none') && isObject(tree['value'])) {
      return { kind: 'related', path, quantifier: operator, item: this.#readTree(tree['value'], depth + 1) };
    }
    return { kind: 'leaf', path, operator, operand: { kind: 'json', value: tree['value'] ?? null } };
  }

  #spend(): void {
    this.#budget.nodes += 1;
    if (this.#budget.nodes > MAX_FILTER_NODES)
      throw tooLarge(this.#parameter, `A ${this.#parameter} may have at most ${MAX_FILTER_NODES} conditions.`);
  }

  #badTree(): AppError {
    return invalidValue(
      this.#parameter,
      `The ${this.#parameter} is not a tree of conditions.`,
      'A leaf is {"field", "op", "value"}; branches are {"and": [...]}, {"or": [...]} and {"not": {...}}.',
    );
  }
}
