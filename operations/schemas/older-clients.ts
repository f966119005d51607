/** Who still asks in an older shape, and how accounts and keys that did something to a migration are called. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';

export interface OlderClient extends pg.QueryResultRow {
  readonly version: number;
  readonly kind: 'user' | 'platform' | 'api_key' | 'system';
  readonly id: string | null;
  /** The address of an account, the name of a key; null when it is gone. */
  readonly name: string | null;
  readonly requests: number;
  readonly last_used_at: string;
}

/** The ones that asked last are those to talk to. */
const MOST = 50;

/** Those of this version and of any before it, as its grace waits for all of them. */
export const olderClients = (ctx: AppContext, version: number): Promise<OlderClient[]> =>
  run<OlderClient>(
    ctx.services.pool,
    sql`
    select c.version, split_part(c.client, ':', 1) as kind, nullif(split_part(c.client, ':', 2), '') as id,
           (${nameOf(ctx.app.storage)}) as name, c.requests::integer as requests, to_json(c.last_used_at)#>>'{}' as last_used_at
    from durabase.shape_clients c
    where c.app = ${value(ctx.app.id)} and c.version <= ${value(version, 'integer')}
    order by c.last_used_at desc limit ${value(MOST, 'integer')}`,
  );

const nameOf = (storage: string) => sql`
  select u.email from ${id(storage, '_users')} u where u.id::text = split_part(c.client, ':', 2)
  union all select p.email from durabase.platform_users p where p.id::text = split_part(c.client, ':', 2)
  union all select k.name from ${id(storage, '_api_keys')} k where k.id::text = split_part(c.client, ':', 2)
  union all select k.name from durabase.platform_api_keys k where k.id::text = split_part(c.client, ':', 2)
  limit 1`;

/** The address of an account of the app or the platform; null for keys and for what is gone. */
export async function addressOf(ctx: AppContext, account: string): Promise<string | null> {
  const [row] = await run<{ email: string }>(
    ctx.services.pool,
    sql`
    select email from ${id(ctx.app.storage, '_users')} where id::text = ${value(account)}
    union all select email from durabase.platform_users where id::text = ${value(account)} limit 1`,
  );
  return row?.email ?? null;
}
