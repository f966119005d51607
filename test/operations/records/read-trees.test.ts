import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AppRuntime } from '../../../operations/context.ts';
import { queryRecords } from '../../../operations/records/list.ts';
import { readingWorld, uuid, type ReadingWorld } from '../../support/records.ts';
import '../../support/fixed-seed.ts';

/** A filter tree as a client sends it, and what it means for one record, worked out without SQL. */
interface Tree {
  readonly json: unknown;
  holds(item: Item): boolean;
}

interface Item {
  readonly id: string;
  readonly n: number | null;
  readonly s: string | null;
  readonly b: boolean | null;
  readonly parts: readonly Part[];
}

interface Part {
  readonly size: number | null;
}

const NUMBERS = [null, 0, 1, 2, 3];
const TEXTS = [null, '', 'a', 'ab', 'A', 'b%', '_', '\\'];

const ITEMS: readonly Item[] = Array.from({ length: 80 }, (_, i) => ({
  id: uuid(i + 1),
  n: NUMBERS[i % 5] ?? null,
  s: TEXTS[(i >> 1) % 8] ?? null,
  b: [true, false, null][i % 3] ?? null,
  parts: Array.from({ length: i % 4 }, (__, k) => ({ size: NUMBERS[(i + k) % 5] ?? null })),
}));

let world: ReadingWorld;
let app: AppRuntime;

beforeAll(async () => {
  world = await readingWorld();
  app = await world.app('trees', {
    version: 1,
    entities: [
      {
        name: 'item',
        fields: [
          { name: 'n', type: 'int' },
          { name: 's', type: 'string' },
          { name: 'b', type: 'boolean' },
        ],
      },
      {
        name: 'part',
        fields: [
          { name: 'size', type: 'int' },
          { name: 'item', type: 'relation', target: 'item' },
        ],
      },
    ],
  });
  for (const { parts, ...item } of ITEMS) {
    await world.insert(app, 'item', [item]);
    await world.insert(
      app,
      'part',
      parts.map((part, k) => ({ id: uuid(Number.parseInt(item.id.slice(-6), 16) * 100 + k), ...part, item_id: item.id })),
    );
  }
});

type Value = number | string | boolean | null;
type Test = (given: Value) => boolean;

const leaf = (field: 'n' | 's' | 'b', op: string, value: unknown, test: Test): Tree => ({
  json: { field, op, value },
  holds: (item) => test(item[field]),
});
const known =
  (test: (given: string) => boolean): Test =>
  (given) =>
    typeof given === 'string' && test(given);

const number =
  (test: (given: number) => boolean): Test =>
  (given) =>
    typeof given === 'number' && test(given);

/** Comparisons of numbers, for a record or one of its parts. */
const numberTest = fc.oneof(
  fc.tuple(fc.constantFrom('eq', 'neq', 'gt', 'gte', 'lt', 'lte'), fc.integer({ min: -1, max: 4 })).map(([op, x]) => {
    const tests: Record<string, Test> = {
      eq: (given) => given === x,
      neq: (given) => given !== x,
      gt: number((given) => given > x),
      gte: number((given) => given >= x),
      lt: number((given) => given < x),
      lte: number((given) => given <= x),
    };
    return { op, value: x as unknown, test: tests[op] ?? (() => false) };
  }),
  fc.tuple(fc.constantFrom('in', 'not_in'), fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 })).map(([op, list]) => ({
    op,
    value: list as unknown,
    test: ((given) => (given !== null && list.includes(given as number)) === (op === 'in')) as Test,
  })),
  fc.tuple(fc.integer({ min: -1, max: 4 }), fc.integer({ min: -1, max: 4 })).map(([from, to]) => ({
    op: 'between',
    value: [from, to] as unknown,
    test: number((given) => given >= from && given <= to),
  })),
  fc.tuple(fc.constantFrom('is_null', 'not_null', 'is_empty'), fc.boolean()).map(([op, isTrue]) => ({
    op,
    value: isTrue as unknown,
    test: ((given) => (given === null) === ((op !== 'not_null') === isTrue)) as Test,
  })),
  fc.constantFrom('eq', 'neq').map((op) => ({ op, value: null as unknown, test: ((given) => (given === null) === (op === 'eq')) as Test })),
);

const leaves: fc.Arbitrary<Tree> = fc.oneof(
  numberTest.map(({ op, value, test }) => leaf('n', op, value, test)),
  fc
    .tuple(fc.constantFrom('contains', 'icontains', 'starts_with', 'ends_with', 'eq', 'neq'), fc.constantFrom('', 'a', 'B', '%', '_', '\\'))
    .map(([op, x]) => {
      const tests: Record<string, Test> = {
        contains: known((given) => given.includes(x)),
        icontains: known((given) => given.toLowerCase().includes(x.toLowerCase())),
        starts_with: known((given) => given.startsWith(x)),
        ends_with: known((given) => given.endsWith(x)),
        eq: (given) => given === x,
        neq: (given) => given !== x,
      };
      return leaf('s', op, x, tests[op] ?? (() => false));
    }),
  fc.boolean().map((x) => leaf('s', 'is_empty', x, (given) => (given === null || given === '') === x)),
  fc.boolean().map((x): Tree => ({ json: { b: x }, holds: ({ b }) => b === x })),
  fc.tuple(fc.constantFrom('some', 'none'), numberTest).map(([quantifier, { op, value, test }]): Tree => ({
    json: { field: `part.${quantifier}.size`, op, value },
    holds: ({ parts }) => parts.some(({ size }) => test(size)) === (quantifier === 'some'),
  })),
  fc.tuple(fc.constantFrom('some', 'none'), numberTest, numberTest).map(([op, one, two]): Tree => ({
    json: {
      field: 'part',
      op,
      value: { and: [one, { ...two }].map(({ op: inner, value }) => ({ field: 'size', op: inner, value })) },
    },
    holds: ({ parts }) => parts.some(({ size }) => one.test(size) && two.test(size)) === (op === 'some'),
  })),
);

const trees = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaves,
    fc.array(tie('tree'), { maxLength: 3 }).map((items): Tree => ({
      json: { and: items.map(({ json }) => json) },
      holds: (item) => items.every(({ holds }) => holds(item)),
    })),
    fc.array(tie('tree'), { maxLength: 3 }).map((items): Tree => ({
      json: { or: items.map(({ json }) => json) },
      holds: (item) => items.some(({ holds }) => holds(item)),
    })),
    tie('tree').map((inner): Tree => ({ json: { not: inner.json }, holds: (item) => !inner.holds(item) })),
  ),
})).tree;

describe('a filter tree', () => {
  it('finds exactly the records it means, however it is built', async () => {
    await fc.assert(
      fc.asyncProperty(trees, async (tree) => {
        const answer = await queryRecords(world.context(app), 'item', { filter: tree.json, fields: 'id', per_page: 100, count: 'none' });
        const found = (JSON.parse(answer.text) as { data: { id: string }[] }).data.map(({ id }) => id);
        expect(found).toEqual(ITEMS.filter((item) => tree.holds(item)).map(({ id }) => id));
      }),
      { numRuns: 300 },
    );
  });
});
