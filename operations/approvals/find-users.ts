import { run, type Db } from '../../adapters/postgres/run.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppRuntime } from '../context.ts';

/** Ids of users named by id or email address, active ones or all. */
export async function findUsers(db: Db, app: AppRuntime, named: readonly unknown[], which: 'active' | 'all' = 'active'): Promise<string[]> {
  const names = named.filter((name): name is string => typeof name === 'string' && name !== '' && !name.includes('\0'));
  if (names.length === 0) return [];
  const rows = await run<{ id: string }>(
    db,
    sql`
    select id from ${id(app.storage, '_users')}
    where (active or ${value(which === 'all', 'boolean')}) and (id = any(${value(
      names.filter((name) => isUuid(name)),
      'uuid[]',
    )}) or lower(email) = any(${value(
      names.map((name) => name.toLowerCase()),
      'text[]',
    )}))
    order by id limit 100`,
  );
  return rows.map((row) => row.id);
}
