/**
 * Many apps without five hundred workflows: the rows of the catalog are copied, the tables are made by the product's own
 * migrations and plan. To the api they are apps like any other.
 */
import { appId } from '../../adapters/ids.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { migrateApp } from '../../adapters/postgres/migrate.ts';
import { run } from '../../adapters/postgres/run.ts';
import { diff } from '../../core/change/diff.ts';
import { plan } from '../../core/change/plan.ts';
import { documentSchema } from '../../core/model/document.ts';
import { buildModel } from '../../core/model/model.ts';

/** Copies of the app `name`, without its records. Answers their names. */
export async function copyApp(url: string, name: string, count: number): Promise<string[]> {
  const pool = createPool({ url, max: 1, applicationName: 'bench' });
  const names: string[] = [];
  try {
    const { rows } = await pool.query<{ document: unknown }>(
      'select v.document from durabase.apps a join durabase.schema_versions v on v.schema_name = a.schema_name and v.version = a.served_version where a.name = $1',
      [name],
    );
    const document = documentSchema.parse(rows[0]?.document);
    const nothing = documentSchema.parse({ version: 1 });
    const [previous, next] = [buildModel(nothing), buildModel(document)];
    const changes = diff(nothing, document);
    for (let index = 1; index <= count; index++) {
      const copy = `${name}${index}`;
      const id = appId();
      const storage = `app_${id}`;
      await pool.query(
        `insert into durabase.apps (id, name, display_name, storage, status, schema_name, served_version)
         select $2, $3, $3, $4, status, schema_name, served_version from durabase.apps where name = $1`,
        [name, id, copy, storage],
      );
      await migrateApp(url, storage);
      for (const step of plan(changes, { previous, next, storage }).steps) {
        for (const statement of step.statements) await run(pool, statement);
      }
      names.push(copy);
    }
  } finally {
    await pool.end();
  }
  return names;
}
