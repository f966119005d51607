import { beforeAll, describe, expect, it } from 'vitest';
import type { Actor, AppRuntime } from '../../../operations/context.ts';
import { listRecords } from '../../../operations/records/list.ts';
import { readingWorld, type ReadingWorld } from '../../support/records.ts';

const DOCUMENT = {
  version: 1,
  entities: [
    {
      name: 'item',
      fields: [
        { name: 'kind', type: 'int' },
        { name: 'hint', type: 'string' },
      ],
    },
    {
      name: 'part',
      fields: [
        { name: 'name', type: 'string' },
        { name: 'item', type: 'relation', target: 'item' },
      ],
    },
  ],
  permissions: [
    { entity: 'item', action: 'read', roles: ['all', 'some'] },
    { entity: 'part', action: 'read', roles: ['all'] },
    { entity: 'part', action: 'read', roles: ['some'], conditions: [{ field: 'name', value: 'mine' }] },
    { entity: 'item', action: 'read', roles: ['few'], conditions: [{ field: 'kind', value: 1 }] },
    { entity: 'item', action: 'read', roles: ['some'], deny: true, fields: { read: ['hint'] }, conditions: [{ field: 'kind', value: 2 }] },
  ],
};

let world: ReadingWorld;
let app: AppRuntime;

beforeAll(async () => {
  world = await readingWorld();
  app = await world.app('count', DOCUMENT);
  await world.pool.query(
    `insert into app_count.item (id, kind, hint) select gen_random_uuid(), n % 3, 'h' || n % 3 from generate_series(1, 30000) n`,
  );
  await world.pool.query('analyze app_count.item');
});

const meta = async (query: string, actor: Partial<Actor> = {}): Promise<{ total?: number; estimated?: boolean }> =>
  (JSON.parse((await listRecords(world.context(app, actor), 'item', new URLSearchParams(query))).text) as { meta: object }).meta;

describe('count=estimated', () => {
  it('answers what Postgres expects of a long list, and says so', async () => {
    const found = await meta('count=estimated&filter[kind.gte]=0');
    expect(found.estimated).toBe(true);
    expect(Math.abs((found.total ?? 0) - 30_000)).toBeLessThan(1000);
    expect(await meta('count=estimated&limit=5&sort=hint', { roles: ['all'] })).toMatchObject({ estimated: true });
  });

  it('counts a short list', async () => {
    expect(await meta('count=estimated&filter[kind]=7')).toEqual({ page: 1, per_page: 25, total: 0 });
  });

  it('counts wherever the estimate rests on what the caller may not see', async () => {
    const asked: [string, string][] = [
      ['few', ''],
      ['some', 'filter[hint.not_null]=true'],
      ['some', 'filter[part.none.name]=x'],
      ['some', 'filter={"not":{"or":[{"hint":"x"}]}}'],
      ['some', 'filter[part.is_empty]=true'],
    ];
    for (const [role, query] of asked) {
      const exact = await meta(query, { roles: [role] });
      expect(exact.total).toBeGreaterThan(0);
      expect(await meta(`count=estimated&${query}`, { roles: [role] })).toEqual(exact);
    }
  });

  it('is not the only way: none leaves the total out, anything else is refused', async () => {
    expect(await meta('count=none')).toEqual({ page: 1, per_page: 25 });
    await expect(meta('count=planned')).rejects.toMatchObject({ code: 'INVALID_VALUE' });
  });
});
