/** Runs `Sql`, and nothing else. Repeated statements are prepared once per connection under a name made of their text. */
import pg from 'pg';
import { render, type KeptSql, type Sql } from '../../core/sql/sql.ts';

export type Db = pg.Pool | pg.PoolClient | pg.Client;

/** At most this many named statements per connection; the oldest is deallocated. */
const MAX_STATEMENTS_PER_CONNECTION = 300;

export interface RunOptions {
  /** False for one-off statements: they are not kept prepared. */
  readonly prepared?: boolean;
  /** Makes names differ between schema versions: a plan of an older version is never reused. */
  readonly generation?: string;
}

export async function run<Row extends pg.QueryResultRow = pg.QueryResultRow>(
  db: Db,
  statement: Sql,
  options: RunOptions = {},
): Promise<Row[]> {
  return (await query<Row>(db, statement, options, undefined)).rows;
}

/** The first column of the first row, as Postgres sent it: JSON built by the database is passed on without being parsed. */
export async function runText(db: Db, statement: Sql, options: RunOptions = {}): Promise<string | null> {
  const result = await query<(string | null)[]>(db, statement, options, 'array');
  return result.rows[0]?.[0] ?? null;
}

/** The affected-row count of a statement without a result. */
export async function execute(db: Db, statement: Sql, options: RunOptions = {}): Promise<number> {
  return (await query(db, statement, options, undefined)).rowCount ?? 0;
}

async function query<Row extends pg.QueryResultRow | (string | null)[]>(
  db: Db,
  statement: Sql,
  options: RunOptions,
  rowMode: 'array' | undefined,
): Promise<pg.QueryResult<Row & pg.QueryResultRow>> {
  const { text, values, kept } = render(statement);
  const name = options.prepared !== true ? undefined : nameOf(text, kept, options.generation ?? '');
  const config = {
    text,
    values: values as unknown[],
    ...(name === undefined ? {} : { name }),
    ...(rowMode === undefined ? {} : { rowMode }),
  };
  if (!(db instanceof pg.Pool)) {
    await forgetOldest(db, name);
    return db.query<Row & pg.QueryResultRow>(config);
  }
  const client = await db.connect();
  let failure: Error | undefined;
  try {
    await forgetOldest(client, name);
    return await client.query<Row & pg.QueryResultRow>(config);
  } catch (error) {
    failure = error as Error;
    throw error;
  } finally {
    client.release(isConnectionLost(failure) ? failure : undefined);
  }
}

const keptNames = new WeakMap<KeptSql, string>();

/** A kept text belongs to one generation and keeps its name; another is looked up, which means hashing all of it. */
function nameOf(text: string, kept: KeptSql | undefined, generation: string): string {
  let name = kept === undefined ? undefined : keptNames.get(kept);
  if (name !== undefined) return name;
  name = statementName(text, generation);
  if (kept !== undefined) keptNames.set(kept, name);
  return name;
}

const names = new Map<string, string>();
let counter = 0;

function statementName(text: string, generation: string): string {
  const key = generation + text;
  let name = names.get(key);
  if (name === undefined) {
    if (names.size >= 20_000) names.clear();
    name = `s${(counter++).toString(36)}`;
    names.set(key, name);
  }
  return name;
}

const used = new WeakMap<object, Map<string, true>>();

/** node-postgres keeps a name for the life of the connection; beyond the bound the least recently used one is given back. */
async function forgetOldest(client: pg.PoolClient | pg.Client, name: string | undefined): Promise<void> {
  if (name === undefined) return;
  let order = used.get(client);
  if (order === undefined) used.set(client, (order = new Map()));
  if (order.delete(name)) {
    order.set(name, true);
    return;
  }
  order.set(name, true);
  if (order.size <= MAX_STATEMENTS_PER_CONNECTION) return;
  const oldest = order.keys().next().value;
  if (oldest === undefined) return;
  order.delete(oldest);
  const connection = (client as unknown as { connection?: { parsedStatements?: Record<string, unknown> } }).connection;
  if (connection?.parsedStatements?.[oldest] === undefined) return;
  delete connection.parsedStatements[oldest];
  await client.query(`deallocate ${oldest}`);
}

/** The five-letter SQLSTATE of a failure, when it is one of Postgres. */
export const sqlState = (error: unknown): string | undefined => (error instanceof pg.DatabaseError ? error.code : undefined);

const isConnectionLost = (error: Error | undefined): boolean =>
  error !== undefined &&
  (!(error instanceof pg.DatabaseError) || (error.code ?? '').startsWith('57P') || (error.code ?? '').startsWith('08'));
