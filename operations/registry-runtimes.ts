/** From rows of the catalog to runtimes. An app that has no version yet serves the empty document. */
import type pg from 'pg';
import { run } from '../adapters/postgres/run.ts';
import type { SchemaDocument } from '../core/model/document.ts';
import { fromStore } from '../core/model/stored.ts';
import { buildModel, withFilledRows, type FilledRows } from '../core/model/model.ts';
import { EMPTY_DOCUMENT } from '../core/model/merge.ts';
import { sql, value } from '../core/sql/sql.ts';
import type { AppRuntime, BesideShape } from './app-runtime.ts';

interface AppRow extends pg.QueryResultRow {
  readonly id: string;
  readonly name: string;
  readonly display_name: string;
  readonly storage: string;
  readonly status: AppRuntime['status'];
  readonly schema_name: string;
  readonly served_version: number;
  readonly maintenance: readonly string[] | null;
  readonly document: SchemaDocument | null;
}

const SELECT = sql`
  select a.id, a.name, a.display_name, a.storage, a.status, a.schema_name, a.served_version, a.maintenance, v.document
  from durabase.apps a
  left join durabase.schema_versions v on v.schema_name = a.schema_name and v.version = a.served_version`;

export async function loadByName(pool: pg.Pool, name: string): Promise<AppRuntime | undefined> {
  const [row] = await run<AppRow>(pool, sql`${SELECT} where a.name = ${value(name)} and a.status <> 'retired'`);
  return row === undefined ? undefined : toRuntime(row);
}

export async function loadByIds(pool: pg.Pool, ids: readonly string[]): Promise<AppRuntime[]> {
  const rows = await run<AppRow>(pool, sql`${SELECT} where a.id = any(${value(ids, 'text[]')})`);
  return rows.filter((row) => row.status !== 'retired').map(toRuntime);
}

export async function servedVersion(pool: pg.Pool, appId: string): Promise<number | undefined> {
  const rows = await run<{ served_version: number }>(pool, sql`select served_version from durabase.apps where id = ${value(appId)}`, {
    prepared: true,
  });
  return rows[0]?.served_version;
}

const toRuntime = (row: AppRow): AppRuntime =>
  createAppRuntime({
    id: row.id,
    name: row.name,
    displayName: row.display_name,
    storage: row.storage,
    status: row.status,
    schemaName: row.schema_name,
    version: row.served_version,
    maintenance: new Set(row.maintenance ?? []),
    document: row.document === null ? EMPTY_DOCUMENT : fromStore(row.document),
  });

const NOTHING: ReadonlySet<string> = new Set();

/** One app at one version, with a memory for what is compiled from it. */
export function createAppRuntime(
  app: Pick<AppRuntime, 'id' | 'name' | 'displayName' | 'storage' | 'status' | 'schemaName' | 'version'> & {
    readonly document: SchemaDocument;
    readonly maintenance?: ReadonlySet<string>;
    readonly beside?: BesideShape;
    /** Tables that are read through a view, by their names. */
    readonly filled?: ReadonlyMap<string, FilledRows>;
  },
): AppRuntime {
  const { id, name, displayName, storage, status, schemaName, version, maintenance = NOTHING, document, beside, filled } = app;
  const built = new Map<object, unknown>();
  const runtime: AppRuntime = {
    id,
    name,
    displayName,
    storage,
    status,
    schemaName,
    version,
    maintenance,
    ...(beside === undefined ? {} : { beside }),
    // Two shapes of one version share no statement.
    generation: beside === undefined ? `${id}.${version}` : `${id}.${version}.${beside.version}`,
    model: filled === undefined ? buildModel(document) : withFilledRows(buildModel(document), filled),
    memo<T>(key: object, build: (self: AppRuntime) => T): T {
      if (!built.has(key)) built.set(key, build(runtime));
      return built.get(key) as T;
    },
  };
  return Object.freeze(runtime);
}
