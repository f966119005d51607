/** Open and ended work that is stored under the name of its entity: in the switch it gets the name of the version that is served from then on. */
import type pg from 'pg';
import { execute } from '../../adapters/postgres/run.ts';
import { OlderNames } from '../../core/change/older-shape/names.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { fromStore } from '../../core/model/stored.ts';
import { id, sql, value } from '../../core/sql/sql.ts';

const TABLES = ['_clocks', '_runs', '_waits'];

export async function renameWork(
  client: pg.PoolClient,
  storage: string,
  { previous, next }: { readonly previous: SchemaDocument | null; readonly next: SchemaDocument },
): Promise<void> {
  if (previous === null) return;
  const names = new OlderNames(fromStore(previous), fromStore(next));
  const renamed = [...names.served.entities.keys()].flatMap((before) => {
    const now = names.entity(before)?.name;
    return now === undefined || now === before ? [] : [{ before, now }];
  });
  if (renamed.length === 0) return;
  for (const table of TABLES) {
    // One statement: two entities may have changed their names with each other.
    await execute(
      client,
      sql`update ${id(storage, table)} w set entity = r.now
          from jsonb_to_recordset(${value(JSON.stringify(renamed), 'jsonb')}) as r(before text, now text) where w.entity = r.before`,
    );
  }
}
