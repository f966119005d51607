/** The registry of one process: a cache of runtimes that follows the event log, and in an api process a lease that says how far it is. */
import type { Logger } from 'pino';
import type pg from 'pg';
import { uuidv7 } from '../adapters/ids.ts';
import { RecentLatency } from '../adapters/recent-latency.ts';
import { execute, run } from '../adapters/postgres/run.ts';
import { lastSchemaEvent, listenForSchemaEvents, readSchemaEvents, type WakeUps } from '../adapters/schema-events/postgres.ts';
import { sql, value } from '../core/sql/sql.ts';
import type { AppRuntime, Shapes } from './app-runtime.ts';
import type { Registry } from './registry.ts';
import { clientOf, ShapeUses } from './shape-uses.ts';
import { loadShapes } from './shapes.ts';
import { loadByIds, loadByName, servedVersion } from './registry-runtimes.ts';

export interface RegistryOptions {
  readonly pool: pg.Pool;
  /** A direct connection, never a pooler's: for LISTEN. */
  readonly listenUrl: string;
  readonly log: Logger;
  readonly redisUrl?: string | undefined;
  /** Only an api process holds a lease: a publish waits for what answers clients. */
  readonly role: 'api' | 'worker';
  /** Shown beside the lease. */
  readonly address?: string;
}

const POLL_MS = 1_000;
const RENEW_MS = 2_000;
/** Beyond this without a renewal the process may be behind without knowing. */
export const LEASE_MS = 5_000;

/** Starts following. Resolves when the process is at the head of the log and, as an api, holds its lease. */
export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  const cache = new AppCache(options.pool);
  const uses = new ShapeUses(options.pool);
  const writes = new RecentLatency();
  const lease = options.role === 'api' ? new Lease(options) : undefined;
  let seenEvent = await lastSchemaEvent(options.pool);
  await lease?.renew(seenEvent);
  let running: Promise<void> | undefined;
  let isDirty = false;

  const applyAll = async (): Promise<void> => {
    for (;;) {
      const events = await readSchemaEvents(options.pool, seenEvent);
      if (events.length === 0) return;
      await cache.reload(new Set(events.flatMap((event) => event.app ?? [])));
      seenEvent = events.at(-1)?.id ?? seenEvent;
      await lease?.renew(seenEvent);
    }
  };
  // A wake-up during a pass asks for one more pass: the event may have been committed after the pass read the log.
  const refresh = (): Promise<void> => {
    if (running !== undefined) {
      isDirty = true;
      return running;
    }
    running = (async () => {
      try {
        do {
          isDirty = false;
          await applyAll();
        } while (isDirty);
      } finally {
        running = undefined;
      }
    })();
    return running;
  };
  const quietly = (): void =>
    void refresh().catch((error: unknown) => options.log.warn({ err: error }, 'the registry could not be read; trying again'));
  const timers = [setInterval(quietly, POLL_MS)];
  timers.push(setInterval(() => void uses.flush().catch(() => undefined), RENEW_MS));
  if (lease !== undefined) timers.push(setInterval(() => void lease.renew(seenEvent, writes.take()).catch(() => undefined), RENEW_MS));
  const sources: WakeUps[] = [listenForSchemaEvents(options.listenUrl, quietly, options.log)];
  if (options.redisUrl !== undefined) {
    // Loaded where there is one to follow.
    const { createSchemaEventStream } = await import('../adapters/schema-events/redis.ts');
    sources.push(createSchemaEventStream(options.redisUrl, options.log, quietly));
  }

  return {
    byName: (name) => cache.byName(name),
    byId: (appId) => cache.byId(appId),
    cachedByName: (name) => cache.cachedByName(name),
    newerThan: (app) => cache.newerThan(app),
    shapesOf: (app) => cache.shapesOf(app),
    countUse(app, actor) {
      if (app.beside?.kind === 'older') uses.count(app, app.beside.version, clientOf(actor));
    },
    olderUses: () => uses.totals(),
    noteWrite: (ms) => writes.add(ms),
    noteStreams: (count) => lease?.noteStreams(count),
    get hasStreams() {
      // A worker holds no lease and hears of none; its writes are few.
      return lease?.hasStreams ?? true;
    },
    get seenEvent() {
      return seenEvent;
    },
    get isHealthy() {
      return lease?.isLive() ?? true;
    },
    async refresh() {
      await refresh();
    },
    async close() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(sources.map((source) => source.close()));
      await running?.catch(() => undefined);
      await uses.flush().catch(() => undefined);
      await lease?.end().catch(() => undefined);
    },
  };
}

/** Runtimes by name and id; concurrent misses of one name share one read. */
class AppCache {
  readonly #pool: pg.Pool;
  readonly #byId = new Map<string, AppRuntime>();
  readonly #byName = new Map<string, AppRuntime>();
  readonly #flights = new Map<string, Promise<AppRuntime | undefined>>();
  /** Raised by each reload: a read that began before one must not put its older answer back. */
  #epoch = 0;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  cachedByName(name: string): AppRuntime | undefined {
    return this.#byName.get(name);
  }

  async byName(name: string): Promise<AppRuntime | undefined> {
    return this.#byName.get(name) ?? this.#once(`name/${name}`, () => loadByName(this.#pool, name));
  }

  async byId(appId: string): Promise<AppRuntime | undefined> {
    return this.#byId.get(appId) ?? this.#once(`id/${appId}`, async () => (await loadByIds(this.#pool, [appId]))[0]);
  }

  async newerThan(app: AppRuntime): Promise<AppRuntime | undefined> {
    const cached = this.#byId.get(app.id);
    if (cached !== undefined && cached.version > app.version) return cached;
    return this.#flight(`newer/${app.id}/${app.version}`, async () => {
      const served = await servedVersion(this.#pool, app.id);
      if (served === undefined || served === app.version) return undefined;
      await this.reload(new Set([app.id]), true);
      return this.#byId.get(app.id);
    });
  }

  readonly #shapes = new WeakMap<AppRuntime, Promise<Shapes>>();

  /** A runtime is replaced with every event of its app, the end of a grace included. */
  shapesOf(app: AppRuntime): Promise<Shapes> {
    const served = app.beside?.served ?? app;
    const known = this.#shapes.get(served);
    if (known !== undefined) return known;
    const read = loadShapes(this.#pool, served);
    this.#shapes.set(served, read);
    read.catch(() => this.#shapes.delete(served));
    return read;
  }

  /** Reads the named apps again; those nobody asked for yet stay unread. */
  async reload(appIds: ReadonlySet<string>, isWanted = false): Promise<void> {
    this.#epoch += 1;
    const wanted = [...appIds].filter((appId) => isWanted || this.#byId.has(appId));
    if (wanted.length === 0) return;
    const fresh = await loadByIds(this.#pool, wanted);
    for (const appId of wanted) this.#remove(appId);
    for (const app of fresh) this.#put(app);
  }

  async #once(key: string, load: () => Promise<AppRuntime | undefined>): Promise<AppRuntime | undefined> {
    return this.#flight(key, async () => {
      for (;;) {
        const epoch = this.#epoch;
        const app = await load();
        if (epoch !== this.#epoch) continue;
        if (app !== undefined) this.#put(app);
        return app;
      }
    });
  }

  #flight(key: string, work: () => Promise<AppRuntime | undefined>): Promise<AppRuntime | undefined> {
    const open = this.#flights.get(key);
    if (open !== undefined) return open;
    const flight = work().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  #put(app: AppRuntime): void {
    const known = this.#byId.get(app.id);
    if (known !== undefined && known.version > app.version) return;
    this.#remove(app.id);
    this.#byId.set(app.id, app);
    this.#byName.set(app.name, app);
  }

  #remove(appId: string): void {
    const known = this.#byId.get(appId);
    if (known === undefined) return;
    this.#byId.delete(appId);
    if (this.#byName.get(known.name) === known) this.#byName.delete(known.name);
  }
}

/** The row by which a publish knows what this process has seen. */
class Lease {
  readonly #options: RegistryOptions;
  readonly #processId = uuidv7();
  #renewedAt = 0;
  #streams = 0;
  #othersStream = false;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  noteStreams(count: number): void {
    this.#streams = count;
  }

  get hasStreams(): boolean {
    return this.#streams > 0 || this.#othersStream;
  }

  isLive(): boolean {
    return performance.now() - this.#renewedAt < LEASE_MS;
  }

  /** Without the latency of writes it stays as it was told last. */
  async renew(seenEvent: number, writeMs?: number | null): Promise<void> {
    // The time before the statement: the database's renewal is never older than what this process believes.
    const askedAt = performance.now();
    const [row] = await run<{ streams: boolean }>(
      this.#options.pool,
      sql`
      insert into durabase.api_leases (process_id, seen_event, address, write_ms, streams)
      values (${value(this.#processId, 'uuid')}, ${value(seenEvent, 'bigint')}, ${value(this.#options.address ?? null, 'text')},
        ${value(writeMs ?? null, 'double precision')}, ${value(this.#streams, 'integer')})
      on conflict (process_id) do update
        set seen_event = greatest(durabase.api_leases.seen_event, excluded.seen_event), renewed_at = now(), streams = excluded.streams,
          write_ms = case when ${value(writeMs !== undefined, 'boolean')} then excluded.write_ms else durabase.api_leases.write_ms end
      returning exists (select from durabase.api_leases o where o.streams > 0 and o.renewed_at > now() - interval '10 seconds') as streams`,
      { prepared: true },
    );
    this.#othersStream = row?.streams === true;
    this.#renewedAt = Math.max(this.#renewedAt, askedAt);
  }

  async end(): Promise<void> {
    await execute(this.#options.pool, sql`delete from durabase.api_leases where process_id = ${value(this.#processId, 'uuid')}`);
  }
}
