/** NOT NULL by proof, on a real Postgres: what is true after each step, and that nothing scans the table under its lock. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { hasNoNulls, provenNotNull } from '../../../core/change/ops/not-null.ts';
import { shapeOf } from '../../../core/change/shape.ts';
import type { Step } from '../../../core/change/step.ts';
import { documentSchema } from '../../../core/model/document.ts';
import { buildModel } from '../../../core/model/model.ts';
import { render } from '../../../core/sql/sql.ts';
import { freshDatabase } from '../../support/database.ts';
import { applyStep, applySteps, isDone, undoSteps } from '../../support/steps.ts';

let client: pg.Client;
beforeAll(async () => {
  client = new pg.Client({ connectionString: await freshDatabase() });
  await client.connect();
});
afterAll(() => client.end());
beforeEach(async () => {
  await client.query(
    'drop schema if exists app_x cascade; create schema app_x; create table app_x.item (id int primary key, a int, b text)',
  );
  await client.query("insert into app_x.item select n, n, 'b' from generate_series(1, 20) n");
});

const facts = async (): Promise<unknown> => {
  const { rows } = await client.query<{ required: number; checks: number }>(
    `select (select count(*)::int from pg_attribute where attrelid = 'app_x.item'::regclass and attname in ('a', 'b') and attnotnull) as required,
            (select count(*)::int from pg_constraint where conrelid = 'app_x.item'::regclass and contype = 'c') as checks`,
  );
  return rows[0];
};
const steps = provenNotNull('app_x', 'item', ['a', 'b'], 'contract');

it('makes both columns required by one proof and leaves no check behind', async () => {
  await applySteps(client, steps, 'contract');
  expect(await facts()).toEqual({ required: 2, checks: 0 });
  for (const step of steps) expect(await isDone(client, step)).toBe(true);
});

it('comes to the same end when it goes on after a stop at any step', async () => {
  for (let stop = 1; stop < steps.length; stop++) {
    for (const step of steps.slice(0, stop)) if (!(await isDone(client, step))) await applyStep(client, step);
    await applySteps(client, steps, 'contract');
    expect(await facts()).toEqual({ required: 2, checks: 0 });
    await client.query('alter table app_x.item alter a drop not null, alter b drop not null');
  }
});

it('sets NOT NULL without reading the rows again', async () => {
  const [check, validate, set] = steps as [Step, Step, Step];
  await applyStep(client, check);
  await applyStep(client, validate);
  await client.query('set client_min_messages = debug1');
  const notices: string[] = [];
  const listen = (notice: { message?: string | undefined }): void => void notices.push(notice.message ?? '');
  client.on('notice', listen);
  await applyStep(client, set);
  client.off('notice', listen);
  await client.query('reset client_min_messages');
  expect(notices.join('\n')).toMatch(/existing constraints on column "item.a" are sufficient to prove/);
});

it('leaves rows that refuse it as they are, writable, and without a check', async () => {
  await client.query('update app_x.item set a = null where id = 3');
  await applySteps(client, steps, 'contract');
  expect(await facts()).toEqual({ required: 0, checks: 0 });
  expect(await client.query("update app_x.item set b = 'c' where id = 3")).toMatchObject({ rowCount: 1 });
});

it('refuses a null from its first step on, and stops a migration whose rows refuse it before the switch', async () => {
  const early = provenNotNull('app_x', 'item', ['a'], 'verify');
  await client.query('update app_x.item set a = null where id = 3');
  await expect(applySteps(client, early, 'verify')).rejects.toMatchObject({ code: '23514' });
  await expect(client.query('insert into app_x.item (id) values (99)')).rejects.toMatchObject({ code: '23514' });
  await undoSteps(client, early);
  expect(await facts()).toEqual({ required: 0, checks: 0 });
});

it('counts the records in the way and says how they get a value', async () => {
  const model = buildModel(
    documentSchema.parse({
      version: 1,
      entities: [{ name: 'item', primary_key: { field: 'id', type: 'int' }, fields: [{ name: 'a', type: 'int', required: true }] }],
    }),
  );
  const table = shapeOf(model).tables.get('item');
  const column = table?.columns.get('a');
  if (table === undefined || column === undefined) throw new Error('no such column');
  const check = hasNoNulls('app_x', table, column);
  const count = async (): Promise<unknown> => (await client.query(render(check.count).text)).rows[0];
  expect(await count()).toEqual({ count: 0 });
  await client.query('update app_x.item set a = null where id in (3, 4)');
  expect(await count()).toEqual({ count: 2 });
  expect(check.message(2)).toBe('Field "item.a" cannot become required: 2 records lack a value.');
  expect(check.hint).toContain('{"fill": {"entity": "item", "field": "a"');
});
