/** What the reviewer of plans believes about rewrites, asked of Postgres itself: a table that is written again gets another file. */
import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { freshDatabase } from '../../support/database.ts';

interface CorpusPlan {
  readonly name: string;
  readonly expect?: string;
  readonly steps: readonly { readonly mode?: string; readonly sql: string | readonly string[] }[];
}

const corpus = (file: string): CorpusPlan[] =>
  parse(fs.readFileSync(path.join(import.meta.dirname, '../../fixtures/plans', file), 'utf8')) as CorpusPlan[];

const REWRITING = new Set(['no-rewrite', 'volatile-default', 'generated-stored']);
/** Postgres refuses these without our saying so: no such tablespace; VACUUM is no part of a transaction; no such function. */
const NOT_TRIED = new Set(['another tablespace', 'vacuum full', 'a function of the app in a default']);
const rewriting = corpus('bad.yaml').filter((plan) => REWRITING.has(plan.expect ?? '') && !NOT_TRIED.has(plan.name));
const good = corpus('good.yaml').filter((plan) => plan.steps.every((step) => step.mode !== 'long'));

describe('the corpus of plans on a real Postgres', () => {
  let client: pg.Client;
  beforeAll(async () => {
    client = new pg.Client({ connectionString: await freshDatabase() });
    await client.connect();
    await client.query(`
      create schema app;
      create table app.customer (id uuid primary key, email text, note text, level integer);
      create table app.ticket (id uuid primary key, title varchar(50), amount numeric(10, 2), priority integer, due text,
        customer_id uuid, code text, first text, last text, level integer, owner text, deleted_at timestamptz);
      create table app.customer_note (id uuid primary key);
      create table app.empty (id uuid primary key, name text);
      create type app.level as enum ('low', 'high');
      insert into app.customer select gen_random_uuid(), 'x' from generate_series(1, 10);
      insert into app.ticket (id, title, amount, priority, due, first, last)
        select gen_random_uuid(), 'x' || i, i, i, '2026-01-01', 'a', 'b' from generate_series(1, 10) i`);
  });
  afterAll(() => client.end());

  /** Names of tables whose file is another after the plan; undefined when Postgres refuses a statement of it. */
  async function rewritten(plan: CorpusPlan): Promise<string[] | undefined> {
    const files = async () =>
      (
        await client.query<{ name: string; file: string }>(
          `select oid::text as name, relfilenode::text as file from pg_class where relnamespace = 'app'::regnamespace and relkind = 'r'`,
        )
      ).rows;
    const before = new Map((await files()).map((row) => [row.name, row.file]));
    await client.query('begin');
    try {
      for (const step of plan.steps) for (const text of [step.sql].flat()) await client.query(text);
      return (await files()).filter((row) => before.has(row.name) && before.get(row.name) !== row.file).map((row) => row.name);
    } catch {
      return undefined;
    } finally {
      await client.query('rollback');
    }
  }

  it.each(rewriting.map((plan) => [plan.name, plan] as const))('rewrites: %s', async (_name, plan) => {
    expect(await rewritten(plan)).toHaveLength(1);
  });

  it('rewrites nothing with any good plan that it takes', async () => {
    const taken: string[] = [];
    for (const plan of good) {
      const tables = await rewritten(plan);
      if (tables === undefined) continue;
      taken.push(plan.name);
      expect(tables, plan.name).toEqual([]);
    }
    expect(taken).toContain('now() is asked once for all rows');
    expect(taken).toContain('a wider varchar');
    expect(taken.length).toBeGreaterThanOrEqual(40);
  });
});
