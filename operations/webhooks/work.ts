import { sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppRuntime } from '../context.ts';

const mark = (app: Pick<AppRuntime, 'id'>, kind: 'deliveries' | 'replays'): Sql => sql`
  insert into durabase.work (app, kind, due_at) values (${value(app.id)}, ${value(kind)}, now())
  on conflict (app, kind) do update set due_at = least(work.due_at, excluded.due_at)`;

/** Says that the app has deliveries to be looked at. */
export const markDeliveries = (app: Pick<AppRuntime, 'id'>): Sql => mark(app, 'deliveries');
/** Says that the app has a replay to go on with. */
export const markReplays = (app: Pick<AppRuntime, 'id'>): Sql => mark(app, 'replays');
