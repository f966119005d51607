/** Who still asks in an older shape: counted in memory, added to the catalog now and then. A grace does not end under its clients. */
import type pg from 'pg';
import { execute } from '../adapters/postgres/run.ts';
import { sql, value } from '../core/sql/sql.ts';
import type { AppRuntime } from './app-runtime.ts';

export interface OlderUse {
  /** Its name. */
  readonly app: string;
  readonly version: string;
  readonly requests: number;
}

/** Metrics are kept by whoever scrapes: beyond so many apps and versions they are counted as one. */
const MOST_SERIES = 200;
const OTHERS = 'others';

export class ShapeUses {
  readonly #pool: pg.Pool;
  /** Not written yet. */
  #counts = new Map<string, { readonly app: string; readonly version: number; requests: number }>();
  /** Since this process began. */
  readonly #totals = new Map<string, { readonly app: string; readonly version: string; requests: number }>();

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  count({ id, name }: Pick<AppRuntime, 'id' | 'name'>, version: number): void {
    this.#add(id, version, 1);
    const key = `${name} ${String(version)}`;
    const isOne = this.#totals.has(key) || this.#totals.size < MOST_SERIES;
    const known = this.#totals.get(isOne ? key : OTHERS);
    if (known !== undefined) known.requests += 1;
    else if (isOne) this.#totals.set(key, { app: name, version: String(version), requests: 1 });
    else this.#totals.set(OTHERS, { app: OTHERS, version: OTHERS, requests: 1 });
  }

  totals(): readonly OlderUse[] {
    return [...this.#totals.values()];
  }

  #add(app: string, version: number, requests: number): void {
    const key = `${app} ${String(version)}`;
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { app, version, requests });
    else known.requests += requests;
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
      for (const { app, version, requests } of counts.values()) this.#add(app, version, requests);
      throw error;
    }
  }
}
