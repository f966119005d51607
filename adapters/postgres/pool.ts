import pg from 'pg';

/** Dates, times and numerics stay text: a JS Date would move a day and drop microseconds, a number would drop digits. */
const KEEP_AS_TEXT = new Set([1082, 1083, 1700, 20]);
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    KEEP_AS_TEXT.has(oid) ? (text: string) => text : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
};

export interface PoolOptions {
  readonly url: string;
  readonly max: number;
  readonly applicationName: string;
  /** Default 10,000: the longest a data statement may take. */
  readonly statementTimeoutMs?: number;
  readonly onError?: (error: Error) => void;
}

const session = (applicationName: string, statementTimeoutMs: number) => ({
  application_name: applicationName,
  options: `-c TimeZone=UTC -c statement_timeout=${statementTimeoutMs} -c idle_in_transaction_session_timeout=2000 -c search_path=pg_catalog`,
});

/** The pool of data statements. No transaction of it may stay idle for two seconds. */
export function createPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    types,
    ...session(options.applicationName, options.statementTimeoutMs ?? 10_000),
  });
  const onError = options.onError ?? (() => undefined);
  // Without listeners a connection that is lost would end the process: with 57P01 when it was idle, and when it was in use between two
  // statements of a transaction, whose next statement then fails. The pool repeats what its idle connections say.
  pool.on('connect', (client) => client.on('error', onError));
  pool.on('error', () => undefined);
  return pool;
}

/** A connection of its own for DDL, LISTEN and election: no statement timeout, never through a transaction-mode pooler. */
export async function connectDirect(
  url: string,
  applicationName: string,
  onError: (error: Error) => void = () => undefined,
): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    types,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    application_name: applicationName,
    options: '-c TimeZone=UTC -c search_path=pg_catalog',
  });
  client.on('error', onError);
  await client.connect();
  return client;
}
