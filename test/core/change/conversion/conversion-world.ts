/** One table of one app on a real Postgres, in two versions, and the steps that lead from the first to the second. */
import pg from 'pg';
import { afterAll } from 'vitest';
import { migrateApp, migrateControl } from '../../../../adapters/postgres/migrate.ts';
import type { Conversion } from '../../../../core/change/change.ts';
import { conversionSteps } from '../../../../core/change/conversion/conversion.ts';
import { createTable } from '../../../../core/change/ops/create-table.ts';
import { shapeOf } from '../../../../core/change/shape.ts';
import type { Phase, Step } from '../../../../core/change/step.ts';
import { documentSchema } from '../../../../core/model/document.ts';
import { buildModel, type AppModel } from '../../../../core/model/model.ts';
import { freshDatabase } from '../../../support/database.ts';
import { applyStep, applySteps, runBatchesOf, undoSteps, type BatchesDone } from '../../../support/steps.ts';

export const STORAGE = 'app_x';
type Fields = readonly Record<string, unknown>[];

export async function conversionDatabase(): Promise<string> {
  const url = await freshDatabase();
  await migrateControl(url);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    "insert into durabase.apps (id, name, display_name, storage, schema_name, status) values ('x', 'x', 'X', $1, 'x', 'active')",
    [STORAGE],
  );
  await client.end();
  await migrateApp(url, STORAGE);
  return url;
}

const modelOf = (fields: Fields): AppModel =>
  buildModel(documentSchema.parse({ version: 1, entities: [{ name: 'item', primary_key: { field: 'id', type: 'int' }, fields }] }));

export const conversion = (given: Partial<Conversion>): Conversion => ({
  entity: 'item',
  kind: 'convert',
  from: [],
  to: [],
  up: {},
  down: {},
  ...given,
});

export function stepsBetween(before: Fields, after: Fields, wanted: Conversion): Step[] {
  return conversionSteps({ storage: STORAGE, version: 7, conversion: wanted, previous: modelOf(before), next: modelOf(after) }).steps;
}

export class ConversionWorld {
  readonly client: pg.Client;
  readonly steps: readonly Step[];

  private constructor(client: pg.Client, steps: readonly Step[]) {
    this.client = client;
    this.steps = steps;
  }

  static async open(url: string, before: Fields, after: Fields, wanted: Conversion): Promise<ConversionWorld> {
    const client = new pg.Client({ connectionString: url, options: '-c TimeZone=UTC' });
    await client.connect();
    afterAll(() => client.end());
    await client.query(`drop table if exists ${STORAGE}.item cascade; truncate ${STORAGE}._quarantine`);
    // Trigger functions do not go with their table.
    await client.query(`do $$ declare f regprocedure; begin
      for f in select oid::regprocedure from pg_proc where pronamespace = '${STORAGE}'::regnamespace loop execute 'drop function ' || f; end loop; end $$`);
    const table = shapeOf(modelOf(before)).tables.get('item');
    if (table === undefined) throw new Error('no table');
    await applyStep(client, createTable(STORAGE, table));
    return new ConversionWorld(client, stepsBetween(before, after, wanted));
  }

  to(phase: Phase): Promise<void> {
    return applySteps(this.client, this.steps, phase);
  }

  step(prefix: string): Step {
    const step = this.steps.find((candidate) => candidate.key.startsWith(prefix));
    if (step === undefined) throw new Error(`no step ${prefix}`);
    return step;
  }

  batches(prefix: string): Promise<BatchesDone> {
    return runBatchesOf(this.client, this.step(prefix));
  }

  undo(): Promise<void> {
    return undoSteps(
      this.client,
      this.steps.filter((step) => step.phase === 'expand'),
    );
  }

  async write(text: string, given: readonly unknown[] = []): Promise<void> {
    await this.client.query(text.replaceAll('item', `${STORAGE}.item`), [...given]);
  }

  async rows(columns: string): Promise<Record<string, unknown>[]> {
    const { rows } = await this.client.query<Record<string, unknown>>(`select id, ${columns} from ${STORAGE}.item order by id`);
    return rows;
  }

  async row(id: number, columns: string): Promise<Record<string, unknown>> {
    const { rows } = await this.client.query<Record<string, unknown>>(`select ${columns} from ${STORAGE}.item where id = $1`, [id]);
    return rows[0] ?? {};
  }

  async quarantine(): Promise<Record<string, unknown>[]> {
    const { rows } = await this.client.query<Record<string, unknown>>(
      `select record_id, field, direction, value, error from ${STORAGE}._quarantine order by record_id, field, direction`,
    );
    return rows;
  }

  /** What a conversion leaves in the database: triggers, functions, columns beside the documents'. */
  async leftovers(): Promise<string[]> {
    const { rows } = await this.client.query<{ name: string }>(
      `select tgname as name from pg_trigger where tgrelid = '${STORAGE}.item'::regclass and not tgisinternal
       union all select proname from pg_proc where pronamespace = '${STORAGE}'::regnamespace
       union all select attname from pg_attribute where attrelid = '${STORAGE}.item'::regclass and attname like '\\_m%'
       union all select conname from pg_constraint where conrelid = '${STORAGE}.item'::regclass and contype = 'c'`,
    );
    return rows.map((row) => row.name);
  }
}
