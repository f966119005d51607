/** Makes the registry again from its events alone and compares it, row by row, with the tables that are served from. */
import type pg from 'pg';
import { PROJECTIONS, type Projection } from '../../adapters/schema-events/projections.ts';
import { run } from '../../adapters/postgres/run.ts';
import { differences, type JsonDifference } from '../../core/json-difference.ts';
import { literal, sql, value, type Sql } from '../../core/sql/sql.ts';

export interface RegistryDifference {
  readonly table: Projection['name'];
  /** The row's id or name; of a version `schema/number`. */
  readonly key: string;
  /** `missing`: the events tell of a row that is not stored; `unknown`: a stored row no event tells of. */
  readonly kind: 'missing' | 'unknown' | 'differs';
  /** Of a row that differs: where, what the events say and what is stored. */
  readonly members: readonly JsonDifference[];
}

export interface RegistryReport {
  readonly isEqual: boolean;
  readonly events: number;
  /** How many rows of each table follow from the events. */
  readonly rows: Readonly<Record<Projection['name'], number>>;
  readonly differences: readonly RegistryDifference[];
}

/** More than these would not be read. */
const MOST_DIFFERENCES = 200;

/** Each table is compared in one statement, so in one snapshot: publishes may go on meanwhile. */
export async function verifyRegistry(pool: pg.Pool): Promise<RegistryReport> {
  const [head] = await run<{ events: number }>(pool, sql`select count(*)::integer as events from durabase.schema_events`);
  const rows: Partial<Record<Projection['name'], number>> = {};
  const found: RegistryDifference[] = [];
  for (const projection of PROJECTIONS) {
    const answer = await compare(pool, projection);
    rows[projection.name] = answer.count;
    found.push(...answer.differences);
  }
  return {
    isEqual: found.length === 0,
    events: head?.events ?? 0,
    rows: rows as RegistryReport['rows'],
    differences: found.slice(0, MOST_DIFFERENCES),
  };
}

/** The last event about a row says how it is. */
const rebuilt = ({ name, part, key }: Projection): Sql => sql`
  select distinct on (key) key, row from (
    select told.id, ${key} as key, told.row from (
      select e.id, e.state->${literal(part)} as row from durabase.schema_events e where jsonb_typeof(e.state->${literal(part)}) = 'object'
      union all
      select e.id, s.row from durabase.schema_events e cross join lateral jsonb_array_elements(e.state->${literal(name)}) as s(row)
      where e.type = 'registry.snapshot') told) named
  order by key, id desc`;

/** An app that is being made, or could not be made, is no part of the registry until an event tells of it. */
const isUnborn = ({ name }: Projection): Sql =>
  name === 'apps' ? sql`r.key is null and s.row->>'status' in ('provisioning', 'failed')` : sql`false`;

interface Pair {
  readonly key: string;
  readonly rebuilt: Readonly<Record<string, unknown>> | null;
  readonly stored: Readonly<Record<string, unknown>> | null;
}

async function compare(
  pool: pg.Pool,
  projection: Projection,
): Promise<{ readonly count: number; readonly differences: RegistryDifference[] }> {
  const [answer] = await run<{ count: number; pairs: Pair[] }>(
    pool,
    sql`
    with rebuilt as materialized (${rebuilt(projection)}),
      stored as materialized (select ${projection.key} as key, row from (select ${projection.row} as row from ${projection.table} t) f),
      pairs as (
        select key, r.row as rebuilt, s.row as stored from rebuilt r full join stored s using (key)
        where not (${isUnborn(projection)})
          -- An event of an older build does not tell of a column that is newer than it.
          and (r.key is null or s.key is null
            or r.row is distinct from (select jsonb_object_agg(k, s.row->k) from jsonb_object_keys(r.row) k where s.row ? k))
        order by key limit ${value(MOST_DIFFERENCES, 'integer')})
    select (select count(*)::integer from rebuilt) as count,
      coalesce((select jsonb_agg(to_jsonb(p)) from pairs p), '[]') as pairs`,
  );
  return { count: answer?.count ?? 0, differences: (answer?.pairs ?? []).map((pair) => difference(projection, pair)) };
}

function difference({ name }: Projection, { key, rebuilt: told, stored }: Pair): RegistryDifference {
  if (stored === null) return { table: name, key, kind: 'missing', members: [] };
  if (told === null) return { table: name, key, kind: 'unknown', members: [] };
  const known = Object.fromEntries(Object.entries(stored).filter(([member]) => member in told));
  return { table: name, key, kind: 'differs', members: differences(told, known) };
}
