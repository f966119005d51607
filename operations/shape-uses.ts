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
/** Clients between two writes; a process has few at a time. The requests of the others are counted without them. */
const MOST_CLIENTS = 1_000;

interface Client {
  readonly app: string;
  readonly version: number;
  /** `kind:id` of the account or the API key. */
  readonly client: string;
  requests: number;
}

/** Who asks: an account, or an API key. */
export interface Asking {
  readonly kind: string;
  readonly id: string | null;
  readonly keyId?: string | undefined;
}

/** An API key is a client of its own, whoever it acts as. */
export const clientOf = ({ kind, id, keyId }: Asking): string => (keyId === undefined ? `${kind}:${id ?? ''}` : `api_key:${keyId}`);

export class ShapeUses {
  readonly #pool: pg.Pool;
  /** Not written yet. */
  #counts = new Map<string, { readonly app: string; readonly version: number; requests: number }>();
  #clients = new Map<string, Client>();
  /** Since this process began. */
  readonly #totals = new Map<string, { readonly app: string; readonly version: string; requests: number }>();

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  count({ id, name }: Pick<AppRuntime, 'id' | 'name'>, version: number, client: string): void {
    this.#add(id, version, 1);
    this.#addClient({ app: id, version, client, requests: 1 });
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

  #addClient(one: Client): void {
    const key = `${one.app} ${String(one.version)} ${one.client}`;
    const known = this.#clients.get(key);
    if (known !== undefined) known.requests += one.requests;
    else if (this.#clients.size < MOST_CLIENTS) this.#clients.set(key, { ...one });
  }

  /** What cannot be written is counted on. */
  async flush(): Promise<void> {
    if (this.#counts.size === 0) return;
    const [counts, clients] = [this.#counts, this.#clients];
    this.#counts = new Map();
    this.#clients = new Map();
    try {
      await execute(
        this.#pool,
        sql`
        with clients as (
          insert into durabase.shape_clients (app, version, client, requests)
          select u.app, u.version, u.client, u.requests
          from jsonb_to_recordset(${value(JSON.stringify([...clients.values()]), 'jsonb')}) as u(app text, version integer, client text, requests bigint)
          order by u.app, u.version, u.client
          on conflict (app, version, client) do update
            set requests = durabase.shape_clients.requests + excluded.requests, last_used_at = now())
        insert into durabase.shape_uses (app, version, requests)
        select u.app, u.version, u.requests
        from jsonb_to_recordset(${value(JSON.stringify([...counts.values()]), 'jsonb')}) as u(app text, version integer, requests bigint)
        on conflict (app, version) do update
          set requests = durabase.shape_uses.requests + excluded.requests, last_used_at = now()`,
      );
    } catch (error) {
      for (const { app, version, requests } of counts.values()) this.#add(app, version, requests);
      for (const one of clients.values()) this.#addClient(one);
      throw error;
    }
  }
}
