/** Who still asks in an older shape: counted in memory, added to the catalog now and then. A grace does not end under its clients. */
import type pg from 'pg';
import { execute } from '../adapters/postgres/run.ts';
import { sql, value } from '../core/sql/sql.ts';

export class ShapeUses {
  readonly #pool: pg.Pool;
  #counts = new Map<string, { readonly app: string; readonly version: number; requests: number }>();

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  count(app: string, version: number): void {
    const key = `${app} ${String(version)}`;
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { app, version, requests: 1 });
    else known.requests += 1;
  }

  /** What cannot be written is counted on. */
  async flush(): Promise<void> {
    if (this.#counts.size === 0) return;
    const counts = this.#counts;
    this.#counts = new Map();
    try {
      await execute(
        this.#pool,
        sql`
        insert into durabase.shape_uses (app, version, requests)
        select u.app, u.version, u.requests
        from jsonb_to_recordset(${value(JSON.stringify([...counts.values()]), 'jsonb')}) as u(app text, version integer, requests bigint)
        on conflict (app, version) do update
          set requests = durabase.shape_uses.requests + excluded.requests, last_used_at = now()`,
      );
    } catch (error) {
      for (const { app, version, requests } of counts.values()) {
        this.count(app, version);
        const entry = this.#counts.get(`${app} ${String(version)}`);
        if (entry !== undefined) entry.requests += requests - 1;
      }
      throw error;
    }
  }
}
