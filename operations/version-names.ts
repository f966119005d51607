/** What the names of one version of an app are called in another: rows of the log and definitions keep the names of their version. */
import { OlderNames } from '../core/change/older-shape/names.ts';
import type { SchemaDocument } from '../core/model/document.ts';
import { fromStore } from '../core/model/stored.ts';
import { sql, value } from '../core/sql/sql.ts';
import { type Db, run } from '../adapters/postgres/run.ts';
import type { AppRuntime } from './app-runtime.ts';
import type { EventRow } from './events.ts';

type Row = Readonly<Record<string, unknown>>;

const NAMES = {};

/** From the names of version `from` to those of `to`; undefined where both are one, or one is not in the catalog: names stay as they are. */
export async function versionNames(db: Db, app: AppRuntime, from: number, to: number): Promise<OlderNames | undefined> {
  if (from === to) return undefined;
  const known = app.memo(NAMES, () => new Map<string, OlderNames>());
  const key = `${String(from)}>${String(to)}`;
  const found = known.get(key) ?? (await load(db, app, from, to));
  if (found !== undefined) known.set(key, found);
  return found;
}

async function load(db: Db, app: AppRuntime, from: number, to: number): Promise<OlderNames | undefined> {
  const rows = await run<{ version: number; document: SchemaDocument }>(
    db,
    sql`select version, document from durabase.schema_versions
        where schema_name = ${value(app.schemaName)} and version = any(${value([from, to], 'integer[]')})`,
  );
  const documentOf = (version: number): SchemaDocument | undefined => rows.find((row) => row.version === version)?.document;
  const [before, after] = [documentOf(from), documentOf(to)];
  return before === undefined || after === undefined ? undefined : new OlderNames(fromStore(before), fromStore(after));
}

export const entityIn = (names: OlderNames | undefined, entity: string): string =>
  names === undefined ? entity : (names.entity(entity)?.name ?? entity);

/** A record's fields under their other names; those that are not there are left out. */
export function rowIn<T extends Row | null>(names: OlderNames | undefined, entity: string, row: T): T {
  if (names === undefined || row === null) return row;
  const fields = names.served.entities.get(entity)?.fields;
  const entries = Object.entries(row).flatMap(([name, member]): [string, unknown][] => {
    const told = fields?.has(name) === true ? names.field(entity, name)?.name : name;
    return told === undefined ? [] : [[told, member]];
  });
  return Object.fromEntries(entries) as T;
}

type Event = Pick<EventRow, 'entity' | 'record' | 'old' | 'action' | 'schema_version'>;

/** An event as another version calls its entity and fields; null stands for the app's. */
export async function eventIn<T extends Event>(db: Db, app: AppRuntime, event: T, version: number | null = app.version): Promise<T> {
  const to = version ?? app.version;
  const names = await versionNames(db, app, event.schema_version, to);
  if (names === undefined) return event;
  const { entity, record, old } = event;
  const now = { ...event, entity: entityIn(names, entity), schema_version: to };
  // The data of a custom event are no record.
  return event.action === 'custom' ? now : { ...now, record: rowIn(names, entity, record), old: rowIn(names, entity, old) };
}
