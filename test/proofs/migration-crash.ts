/**
 * A migration that adds an entity, a relation, a column, an index and a unique to tables with records is cut by kill -9 of the worker at
 * each of its crash points, and of worker, api, Temporal and Postgres at any moment. Afterwards it is finished or it never was: the
 * version served, its document, the catalogue of Postgres and what HTTP answers agree, and no record is lost.
 *
 *   npm run prove -- migration-crash [--rounds 40] [--seed 7]
 */
import { parseArgs } from 'node:util';
import pg from 'pg';
import { shapeOf, type Shape } from '../../core/change/shape.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { buildModel } from '../../core/model/model.ts';
import { demand } from '../support/demand.ts';
import { eventually, signIn, type Caller } from '../support/api.ts';
import { PARTS, Rig, type Part } from '../support/rig.ts';
import { seeded, type Seeded } from '../support/seeded.ts';

export interface MigrationCrashResult {
  readonly rounds: number;
  readonly completed: number;
  readonly absent: number;
  /** From the kill to an agreeing installation. */
  readonly recoveryMs: readonly number[];
}

const RECORDS = 3_000;
const POINTS = ['migration.before_step', 'migration.after_step', 'migration.before_switch', 'migration.after_switch'] as const;

type Way = { readonly kind: 'point'; readonly point: string } | { readonly kind: 'moment'; readonly part: Part; readonly afterMs: number };

export async function proveMigrationCrash(
  options: { rounds: number; seed: number },
  say: (line: string) => void,
): Promise<MigrationCrashResult> {
  const chance = seeded(options.seed);
  const rig = await Rig.start();
  try {
    const admin = await signIn(rig.url, 'platform@localhost', 'changeme');
    demand((await admin('POST', '/api/_platform/apps', { name: 'desk' })).status === 201, 'the app could not be made');
    let document = BASE;
    demand((await publish(admin, document))?.status === 201, 'the first version could not be published');
    await fill(rig);
    const recoveryMs: number[] = [];
    let completed = 0;
    for (let round = 1; round <= options.rounds; round++) {
      const way = wayOf(round, chance);
      const next = grown(document, round);
      const killedAt = await cut(rig, admin, next, way);
      const isCompleted = await settle(rig, admin, round);
      recoveryMs.push(Date.now() - killedAt);
      if (isCompleted) completed += 1;
      else await publishAgain(rig, admin, next, round);
      document = next;
      say(
        `round ${round}: ${way.kind === 'point' ? `worker at ${way.point}` : `${way.part} after ${way.afterMs} ms`}: ${isCompleted ? 'completed' : 'cleanly absent'} after ${recoveryMs.at(-1)} ms`,
      );
    }
    return { rounds: options.rounds, completed, absent: options.rounds - completed, recoveryMs };
  } catch (error) {
    say(rig.lastLines());
    throw error;
  } finally {
    await rig.stop();
  }
}

interface Entity {
  readonly name: string;
  readonly fields: readonly object[];
  readonly indexes?: readonly object[];
}

interface Draft {
  readonly version: 1;
  readonly entities: readonly Entity[];
  readonly relations: readonly object[];
}

const BASE: Draft = { version: 1, entities: [{ name: 'base', fields: [{ name: 'title', type: 'string' }] }], relations: [] };

/** One more entity with a unique, a relation to it from the table with records, and there a column with a default, an index and a unique. */
function grown(document: Draft, round: number): Draft {
  const [base, ...others] = document.entities;
  const fields = [
    ...(base?.fields ?? []),
    { name: `n_${round}`, type: 'int', default: round, required: true },
    { name: `code_${round}`, type: 'string', unique: true },
  ];
  return {
    version: 1,
    entities: [
      { name: 'base', fields, indexes: [...(base?.indexes ?? []), { fields: [`n_${round}`, 'title'] }] },
      ...others,
      { name: `thing_${round}`, fields: [{ name: 'title', type: 'string', unique: true }] },
    ],
    relations: [...document.relations, { name: `thing_${round}_bases`, type: 'one_to_many', source: `thing_${round}`, target: 'base' }],
  };
}

/** Every crash point and every part in turn, from where the seed says; the moments and passes by chance. */
function wayOf(round: number, chance: Seeded): Way {
  const turn = (round - 1 + chance.seed) % (POINTS.length + PARTS.length);
  const point = POINTS[turn];
  if (point !== undefined) return { kind: 'point', point: point.endsWith('_step') ? `${point}:${chance.between(1, 6)}` : point };
  return { kind: 'moment', part: PARTS[turn - POINTS.length] ?? 'worker', afterMs: chance.between(0, 250) };
}

/** Undefined when nobody answered. */
const publish = (admin: Caller, document: Draft) => admin('POST', '/api/desk/_admin/versions', document).catch(() => undefined);

/** As a client does: a 503 is repeated. */
async function publishAgain(rig: Rig, admin: Caller, next: Draft, round: number): Promise<void> {
  const reply = await eventually(
    () => publish(admin, next),
    (answer) => answer !== undefined && answer.status < 500,
    30_000,
  );
  demand([200, 201, 202].includes(reply?.status ?? 0), `publishing again answered ${reply?.status}: ${JSON.stringify(reply?.body)}`);
  demand(await settle(rig, admin, round), 'what was published again is not served');
}

/** Publishes and kills in the middle. Answers when. */
async function cut(rig: Rig, admin: Caller, next: Draft, way: Way): Promise<number> {
  if (way.kind === 'point') {
    await rig.kill('worker');
    await rig.up('worker', way.point);
    const publishing = publish(admin, next);
    demand(await rig.died('worker', 30_000), `the worker did not reach ${way.point}`);
    const at = Date.now();
    await rig.up('worker');
    await publishing;
    return at;
  }
  const publishing = publish(admin, next);
  await new Promise((resolve) => setTimeout(resolve, way.afterMs));
  await rig.kill(way.part);
  const at = Date.now();
  for (const part of PARTS) await rig.up(part);
  await publishing;
  return at;
}

/** Waits until nothing is open, then compares everything. True when the round's version is served. */
async function settle(rig: Rig, admin: Caller, round: number): Promise<boolean> {
  for (const part of PARTS) await rig.up(part);
  const open = await eventually(
    () =>
      ask<{ status: string }>(rig, "select status from durabase.migrations where status not in ('completed', 'failed', 'aborted')").catch(
        () => [{ status: 'unknown' }],
      ),
    (rows) => rows.length === 0,
    60_000,
  );
  demand(open.length === 0, `a migration stays ${open[0]?.status}`);
  const [served] = await ask<{ storage: string; served_version: number; document: SchemaDocument }>(
    rig,
    `
    select a.storage, a.served_version, v.document from durabase.apps a
    join durabase.schema_versions v on v.schema_name = a.schema_name and v.version = a.served_version where a.name = 'desk'`,
  );
  if (served === undefined) throw new Error('the app serves no version');
  await compare(rig, served.storage, shapeOf(buildModel(served.document)));
  const unfinished = await ask(
    rig,
    `
    select from durabase.migrations m join durabase.migration_steps s on s.migration = m.id where m.status = 'completed' and s.state <> 'done'`,
  );
  demand(unfinished.length === 0, 'a completed migration has open steps');
  await compareHttp(admin, served.served_version, served.document);
  return served.document.entities.some((entity) => entity.name === `thing_${round}`);
}

/** Tables, columns, indexes and foreign keys are those of the served document: none is missing, none is left over, none is half made. */
async function compare(rig: Rig, storage: string, shape: Shape): Promise<void> {
  const found = async (text: string): Promise<string[]> => (await ask<{ name: string }>(rig, text, [storage])).map((row) => row.name);
  const ours = String.raw`n.nspname = $1 and t.relname not like '\_%'`;
  const columns = await found(`select t.relname || '.' || a.attname || ':' || a.attnotnull as name from pg_attribute a
    join pg_class t on t.oid = a.attrelid join pg_namespace n on n.oid = t.relnamespace
    where ${ours} and t.relkind = 'r' and a.attnum > 0 and not a.attisdropped`);
  same(
    'columns',
    columns,
    [...shape.tables.values()].flatMap((table) =>
      [...table.columns.values()].map((column) => `${table.table}.${column.name}:${column.isRequired}`),
    ),
  );
  const indexes =
    await found(`select i.relname as name from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
    join pg_namespace n on n.oid = t.relnamespace where ${ours} and not x.indisprimary and x.indisvalid and x.indisready`);
  same(
    'valid indexes',
    indexes,
    [...shape.tables.values()].flatMap((table) => [...table.indexes.keys()]),
  );
  const invalid = await found(`select i.relname as name from pg_index x join pg_class i on i.oid = x.indexrelid
    join pg_namespace n on n.oid = i.relnamespace where n.nspname = $1 and not (x.indisvalid and x.indisready)`);
  same('invalid indexes', invalid, []);
  const keys = await found(`select c.conname as name from pg_constraint c join pg_class t on t.oid = c.conrelid
    join pg_namespace n on n.oid = t.relnamespace where ${ours} and c.contype = 'f' and c.convalidated`);
  same('valid foreign keys', keys, [...shape.foreignKeys.keys()]);
  const [count] = await ask<{ count: string }>(rig, `select count(*) from "${storage}".base where title like 'record %'`);
  demand(count?.count === String(RECORDS), `${count?.count} records are left of ${RECORDS}`);
}

function same(what: string, found: readonly string[], wanted: readonly string[]): void {
  const missing = wanted.filter((name) => !found.includes(name));
  const extra = found.filter((name) => !wanted.includes(name));
  demand(missing.length + extra.length === 0, `${what}: missing ${missing.join(', ') || 'none'}; left over ${extra.join(', ') || 'none'}`);
}

/** The api serves that version, and its newest entity takes and gives records. */
async function compareHttp(admin: Caller, version: number, document: SchemaDocument): Promise<void> {
  const discovery = await eventually(
    () => admin('GET', '/api/desk/_discovery').catch(() => undefined),
    (reply) => reply?.at('data', 'schema_version') === version,
    20_000,
  );
  demand(
    discovery?.at('data', 'schema_version') === version,
    `the api serves ${String(discovery?.at('data', 'schema_version'))}, the registry ${version}`,
  );
  const newest = document.entities.at(-1)?.name ?? '';
  const made = await admin('POST', `/api/desk/${newest}`, { title: `after ${Date.now()}` });
  demand(made.status === 201, `writing "${newest}" answered ${made.status}: ${JSON.stringify(made.body)}`);
}

/** Rows enough that an index takes a moment. */
async function fill(rig: Rig): Promise<void> {
  const [app] = await ask<{ storage: string }>(rig, "select storage from durabase.apps where name = 'desk'");
  await ask(
    rig,
    `insert into "${app?.storage}".base (id, title) select gen_random_uuid(), 'record ' || n from generate_series(1, ${RECORDS}) n`,
  );
}

async function ask<Row extends pg.QueryResultRow>(rig: Rig, text: string, values: readonly unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: rig.databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '40' }, seed: { type: 'string', default: String(Date.now() % 100_000) } },
  });
  const say = (line: string): void => console.log(line);
  say(`migration-crash: ${values.rounds} rounds, seed ${values.seed}`);
  const result = await proveMigrationCrash({ rounds: Number(values.rounds), seed: Number(values.seed) }, say);
  const sorted = [...result.recoveryMs].sort((a, b) => a - b);
  say(
    `proved: ${result.rounds} rounds, ${result.completed} completed, ${result.absent} cleanly absent; recovery median ${sorted[Math.floor(sorted.length / 2)]} ms, worst ${sorted.at(-1)} ms`,
  );
}
