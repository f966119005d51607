/**
 * Rows of one statement, however many, in batches out of one snapshot. A cursor of SQL and not of the protocol: each FETCH is a
 * statement with a timeout of its own, where a portal's timeout would run on while the reader is slow.
 */
import type pg from 'pg';
import { AppError } from '../../core/errors.ts';
import { render, type Sql } from '../../core/sql/sql.ts';

export type Cells = readonly (string | null)[];

/** A batch is fetched while the one before is read, so memory holds about two of these. */
const BATCH_BYTES = 256 * 1024;
const MAX_BATCH_ROWS = 500;
const FIRST_BATCH_ROWS = 50;

export interface RowCursorOptions {
  /** How long the reader may take for a batch before Postgres ends the transaction. */
  readonly idleTimeoutMs: number;
  /** Ends the reading at any time, also before there is a cursor. */
  readonly signal: AbortSignal;
}

export class RowCursor {
  readonly #pool: pg.Pool;
  readonly #client: pg.PoolClient;
  #batchRows = FIRST_BATCH_ROWS;
  #next: Promise<Cells[]> | undefined;
  /** What Postgres is doing for this cursor. */
  #running: Promise<unknown> | undefined;
  #closed: Promise<void> | undefined;

  private constructor(pool: pg.Pool, client: pg.PoolClient) {
    this.#pool = pool;
    this.#client = client;
  }

  /** Opens a read-only snapshot and the cursor in it. All columns must be texts. */
  static async open(pool: pg.Pool, statement: Sql, { idleTimeoutMs, signal }: RowCursorOptions): Promise<RowCursor> {
    const { text, values } = render(statement);
    const client = await pool.connect();
    const cursor = new RowCursor(pool, client);
    signal.addEventListener('abort', () => void cursor.close(), { once: true });
    try {
      if (signal.aborted) cursor.#refuseClosed();
      await cursor.#run(
        `begin isolation level repeatable read read only; set local cursor_tuple_fraction = 1; set local idle_in_transaction_session_timeout = ${Math.round(idleTimeoutMs)}`,
      );
      await cursor.#run({ text: `declare rows no scroll cursor for ${text}`, values: values as unknown[] });
      cursor.#next = cursor.#fetch();
      return cursor;
    } catch (error) {
      await cursor.close();
      throw error;
    }
  }

  /** The next rows; none at the end, after which the connection is free. A failure frees it too. */
  async read(): Promise<readonly Cells[]> {
    const next = this.#next;
    if (next === undefined || this.#closed !== undefined) return this.#refuseClosed();
    try {
      const rows = await next;
      if (this.#closed !== undefined) return this.#refuseClosed();
      if (rows.length === 0) await this.close();
      else this.#next = this.#fetch();
      return rows;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Stops what is running and gives the connection back. May be called at any time, and again. */
  close(): Promise<void> {
    return (this.#closed ??= this.#end());
  }

  #refuseClosed(): never {
    throw new AppError('UNAVAILABLE', 'The reader has ended the reading.');
  }

  #fetch(): Promise<Cells[]> {
    const fetched = this.#run({ text: `fetch ${this.#batchRows} from rows`, rowMode: 'array' }).then(({ rows }) => {
      this.#adapt(rows);
      return rows;
    });
    // Whoever reads it next is told; without a reader it is no unhandled failure.
    fetched.catch(() => undefined);
    return fetched;
  }

  async #run(query: string | pg.QueryArrayConfig | pg.QueryConfig): Promise<{ readonly rows: Cells[] }> {
    if (this.#closed !== undefined) this.#refuseClosed();
    const running = this.#client.query(query as pg.QueryArrayConfig) as Promise<{ rows: Cells[] }>;
    this.#running = running;
    try {
      return await running;
    } finally {
      this.#running = undefined;
    }
  }

  #adapt(rows: readonly Cells[]): void {
    if (rows.length === 0) return;
    let bytes = 0;
    for (const cells of rows) for (const cell of cells) bytes += cell === null ? 1 : cell.length;
    const fitting = Math.floor((rows.length * BATCH_BYTES) / Math.max(bytes, 1));
    this.#batchRows = Math.max(1, Math.min(fitting, this.#batchRows * 2, MAX_BATCH_ROWS));
  }

  async #end(): Promise<void> {
    let broken: Error | undefined;
    try {
      const running = this.#running?.catch(() => undefined);
      if (running !== undefined) await this.#cancel();
      await running;
      await this.#client.query('rollback');
    } catch (error) {
      broken = error as Error;
    }
    // A connection in doubt is closed, never handed to somebody else.
    this.#client.release(broken);
  }

  /** The connection is kept until the cancel has been delivered: it must never meet the statement of another request. */
  async #cancel(): Promise<void> {
    const { processID } = this.#client as pg.PoolClient & { readonly processID: number };
    await this.#pool.query('select pg_cancel_backend($1)', [processID]);
  }
}
