import { sql, value, type Sql } from '../core/sql/sql.ts';
import type { AppRuntime } from './context.ts';

/** Says that the app has due rows; whoever works next finds it by one small index. */
export function markWork(app: Pick<AppRuntime, 'id'>, starts: boolean, deliveries: boolean): Sql {
  const kinds = [...(starts ? ['starts'] : []), ...(deliveries ? ['deliveries'] : [])];
  return sql`
    insert into durabase.work (app, kind, due_at)
    select ${value(app.id)}, kind, now() from unnest(${value(kinds, 'text[]')}) as k(kind)
    on conflict (app, kind) do update set due_at = least(work.due_at, excluded.due_at)`;
}
