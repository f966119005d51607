/** Sample rows, written as the system in one transaction: all of them or none, and none twice. */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { execute, run, sqlState } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { canonical } from '../../core/change/pair.ts';
import { COLUMN_TYPES } from '../../core/sql/columns.ts';
import { isAppError } from '../../core/errors.ts';
import type { EntityModel, RelationEnd } from '../../core/model/model.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { readBody } from '../records/body.ts';
import { newWrite } from '../records/write.ts';

export interface RowsReport {
  readonly created: number;
  readonly skipped: number;
  readonly errors: readonly { readonly path: string; readonly message: string }[];
}

type Row = Readonly<Record<string, unknown>>;
type Attempt = 'created' | 'skipped';
interface Pending {
  readonly path: string;
  insert(client: pg.PoolClient): Promise<Attempt>;
}

/** Rolls the transaction back and still answers a report. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly errors: RowsReport['errors'];
  constructor(errors: RowsReport['errors']) {
    super('sample rows cannot be stored');
    this.errors = errors;
  }
}

export async function importRows(
  ctx: AppContext,
  data: Readonly<Record<string, readonly Row[]>>,
  events: 'all' | 'none',
): Promise<RowsReport> {
  try {
    return await transaction(ctx.services.pool, async (client) => {
      await run(client, sql`set constraints all deferred`);
      const pending = await rowsToWrite(ctx, client, data, events);
      const report = await writeAll(client, pending);
      for (const name of Object.keys(data)) await advanceIdentity(ctx, client, ctx.app.model.entities.get(name));
      return report;
    });
  } catch (error) {
    if (error instanceof Refused) return { created: 0, skipped: 0, errors: error.errors };
    throw error;
  }
}

async function rowsToWrite(
  ctx: AppContext,
  client: pg.PoolClient,
  data: Readonly<Record<string, readonly Row[]>>,
  events: 'all' | 'none',
): Promise<Pending[]> {
  const pending: Pending[] = [];
  const unknown: { path: string; message: string }[] = [];
  // Links come last: they need both sides.
  const names = Object.keys(data).sort((a, b) => Number(!ctx.app.model.entities.has(a)) - Number(!ctx.app.model.entities.has(b)));
  for (const name of names) {
    const rows = data[name] ?? [];
    const entity = ctx.app.model.entities.get(name) ?? [...ctx.app.model.entities.values()].find((one) => one.table === name);
    const end = entity === undefined ? linkNamed(ctx, name) : undefined;
    if (entity !== undefined) pending.push(...(await recordRows(ctx, client, entity, rows, events)));
    else if (end !== undefined) pending.push(...rows.map((row, index) => linkRow(ctx, end, row, `sample_data.${name}[${index}]`)));
    else unknown.push({ path: `sample_data.${name}`, message: `There is no entity or join table "${name}".` });
  }
  if (unknown.length > 0) throw new Refused(unknown);
  return pending;
}

const linkNamed = (ctx: AppContext, table: string): RelationEnd | undefined =>
  [...ctx.app.model.entities.values()]
    .flatMap((entity) => entity.relations)
    .find((end) => end.join?.table === table || (end.direction === 'link' && end.relation.name === table));

async function recordRows(
  ctx: AppContext,
  client: pg.PoolClient,
  entity: EntityModel,
  rows: readonly Row[],
  events: 'all' | 'none',
): Promise<Pending[]> {
  const key = entity.key[0];
  const hasCountedKey = entity.isKeyGenerated && (entity.keyType === 'int' || entity.keyType === 'bigint');
  const isFilled = hasCountedKey && (await run(client, sql`select from ${id(ctx.app.storage, entity.table)} limit 1`)).length > 0;
  return rows.flatMap((row, index): Pending[] => {
    const path = `sample_data.${entity.name}[${index}]`;
    // A counted key cannot tell a row that was imported before: such rows are for an empty entity.
    if (key !== undefined && row[key.name] === undefined && isFilled) return [{ path, insert: () => Promise.resolve('skipped') }];
    const body =
      key === undefined || row[key.name] !== undefined || entity.keyType !== 'uuid' || !entity.isKeyGenerated
        ? row
        : { ...row, [key.name]: stableUuid(`${ctx.app.id}/${entity.name}/${index}/${canonical(row)}`) };
    return [{ path, insert: (connection) => insertRecord(ctx, connection, entity, body, events) }];
  });
}

async function insertRecord(
  ctx: AppContext,
  client: pg.PoolClient,
  entity: EntityModel,
  body: Row,
  events: 'all' | 'none',
): Promise<Attempt> {
  const key = entity.key[0];
  if (key !== undefined && body[key.name] !== undefined) {
    const known = await run(
      client,
      sql`
      select from ${id(ctx.app.storage, entity.table)} where ${id(key.column)} = ${value(body[key.name], COLUMN_TYPES[key.type])}`,
    );
    if (known.length > 0) return 'skipped';
  }
  const write = newWrite(ctx, { asSampleData: true, events }, client, true);
  await write.steps.create(write, entity, { draft: readBody({ write, entity, action: 'create', body }), isTop: true });
  return 'created';
}

/** The same row gets the same key in every import of it. */
function stableUuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function linkRow(ctx: AppContext, end: RelationEnd, row: Row, path: string): Pending {
  return {
    path,
    async insert(client) {
      const { join } = end;
      if (join === undefined) return 'skipped';
      const count = await execute(
        client,
        sql`
        insert into ${id(ctx.app.storage, join.table)} (${id(join.localColumn)}, ${id(join.targetColumn)})
        values (${value(row[join.localColumn])}, ${value(row[join.targetColumn])}) on conflict do nothing`,
      );
      return count > 0 ? 'created' : 'skipped';
    },
  };
}

/**
 * Goes over the rows until nothing more can be written: a row may refer to one that stands further down. What is taken already
 * by another record is skipped; what is left then is refused, with everything.
 */
async function writeAll(client: pg.PoolClient, rows: readonly Pending[]): Promise<RowsReport> {
  let open = rows;
  let created = 0;
  let skipped = 0;
  for (;;) {
    const failed: { readonly row: Pending; readonly error: unknown }[] = [];
    for (const row of open) {
      try {
        await client.query('savepoint sample_row');
        const outcome = await row.insert(client);
        await client.query('release savepoint sample_row');
        if (outcome === 'created') created += 1;
        else skipped += 1;
      } catch (error) {
        await client.query('rollback to savepoint sample_row');
        if (sqlState(error) === '23505') skipped += 1;
        else failed.push({ row, error });
      }
    }
    if (failed.length === 0) return { created, skipped, errors: [] };
    if (failed.length === open.length) throw new Refused(failed.map(({ row, error }) => ({ path: row.path, message: messageOf(error) })));
    open = failed.map(({ row }) => row);
  }
}

function messageOf(error: unknown): string {
  if (isAppError(error)) return error.details[0]?.message ?? error.message;
  if (sqlState(error) === undefined) throw error;
  return sqlState(error) === '23503' ? 'it refers to a record that does not exist' : 'a value does not fit its field';
}

/** Rows that brought their own numbers must not meet those the engine counts next. */
async function advanceIdentity(ctx: AppContext, client: pg.PoolClient, entity: EntityModel | undefined): Promise<void> {
  const key = entity?.key[0];
  if (entity === undefined || key === undefined || !entity.isKeyGenerated || (entity.keyType !== 'int' && entity.keyType !== 'bigint'))
    return;
  const table = id(ctx.app.storage, entity.table);
  await run(
    client,
    sql`
    select setval(s.name, m.highest) from (select max(${id(key.column)}) as highest from ${table}) m,
      (select pg_get_serial_sequence(${value(`"${ctx.app.storage}"."${entity.table}"`)}, ${value(key.column)}) as name) s
    where m.highest is not null and s.name is not null`,
  );
}
