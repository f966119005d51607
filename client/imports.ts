/** Files of records: sent, looked at, written and taken back. */
import { queryOf } from './collection.ts';
import type { AppSchema, Send } from './types.ts';

export type ImportState = 'checking' | 'checked' | 'running' | 'completed' | 'refused' | 'cancelled' | 'failed' | 'undoing' | 'undone';

export interface ImportOptions {
  /** Column to field; null leaves the column out. What is not said is suggested by the names. */
  readonly mapping?: Readonly<Record<string, string | null>>;
  readonly mode?: 'create' | 'update' | 'upsert';
  readonly on?: string | readonly string[];
  readonly on_error?: 'all_or_nothing' | 'skip';
  readonly events?: 'normal' | 'none';
  readonly empty?: 'default' | 'null';
  readonly trim?: boolean;
  readonly decimal?: '.' | ',';
  readonly dates?: 'iso' | 'dmy' | 'mdy' | 'ymd';
  readonly time_zone?: string;
}

export interface ImportFileOptions extends ImportOptions {
  /** `text/csv` when left out. */
  readonly type?: 'text/csv' | 'text/tab-separated-values' | 'application/x-ndjson';
  readonly delimiter?: string;
  readonly encoding?: string;
  readonly header?: boolean;
  readonly file_name?: string;
  /** Writes the rows without waiting to be asked. */
  readonly run?: boolean;
}

export interface Import {
  readonly id: string;
  readonly entity: string;
  readonly state: ImportState;
  readonly format: 'csv' | 'ndjson';
  readonly file_name: string | null;
  readonly rows: number;
  readonly columns: readonly string[];
  /** The first rows. */
  readonly samples: readonly (readonly unknown[])[];
  readonly mapping: Readonly<Record<string, string | null>>;
  readonly options: ImportOptions & { readonly run: boolean; readonly delimiter?: string; readonly encoding?: string };
  readonly progress: {
    readonly task: 'check' | 'run' | 'undo';
    readonly done: number;
    readonly total: number;
    /** Rows a second. */
    readonly rate: number | null;
    readonly eta_seconds: number | null;
  };
  readonly counts: { readonly created: number; readonly updated: number; readonly unchanged: number; readonly failed: number };
  readonly undo: {
    readonly possible: boolean;
    readonly until: string;
    readonly removed: number;
    readonly restored: number;
    readonly kept: number;
  };
  readonly resumed: readonly { readonly at: string; readonly task: string; readonly row: number }[];
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly created_by: { readonly kind: string; readonly id: string | null };
  readonly created_at: string;
  readonly checked_at: string | null;
  readonly finished_at: string | null;
  readonly workflow_id: string;
  readonly temporal_url: string | null;
}

export interface ImportError {
  readonly line: number;
  readonly column: string | null;
  readonly field: string | null;
  readonly code: string;
  readonly rule: string | null;
  readonly message: string;
}

export interface Imports<S extends AppSchema> {
  /** Looks at every row of the file, and writes them with `run`; resolves when the file is stored. */
  send(entity: keyof S & string, file: string | Blob, options?: ImportFileOptions): Promise<Import>;
  get(id: string): Promise<Import>;
  list(options?: {
    readonly entity?: string;
    readonly state?: ImportState;
    readonly page?: number;
    readonly per_page?: number;
  }): Promise<readonly Import[]>;
  /** What is wrong with which row, one by one. */
  errors(id: string): AsyncGenerator<ImportError>;
  check(id: string, options?: ImportOptions): Promise<Import>;
  run(id: string, options?: Pick<ImportOptions, 'on_error' | 'events'>): Promise<Import>;
  cancel(id: string): Promise<Import>;
  undo(id: string): Promise<Import>;
  /** The import when nothing is at it any more; asks every half second. */
  settled(id: string, options?: { readonly signal?: AbortSignal }): Promise<Import>;
}

const ASK_EVERY_MS = 500;
const MOVING: readonly ImportState[] = ['checking', 'running', 'undoing'];

export function createImports<S extends AppSchema>(send: Send): Imports<S> {
  const one = (id: string, part = ''): string => `/_imports/${encodeURIComponent(id)}${part}`;
  const command = async (id: string, verb: string, body?: object): Promise<Import> =>
    (await send<{ data: Import }>('POST', one(id, `/${verb}`), body === undefined ? {} : { body })).body.data;
  const get = async (id: string, signal?: AbortSignal): Promise<Import> =>
    (await send<{ data: Import }>('GET', one(id), signal === undefined ? {} : { signal })).body.data;
  return {
    async send(entity, file, { type = 'text/csv', ...options } = {}) {
      const answer = await send<{ data: Import }>('POST', `/${encodeURIComponent(entity)}/_import${queryOf(options)}`, {
        file: { type, content: file },
      });
      return answer.body.data;
    },
    get: (id) => get(id),
    list: async (options = {}) => (await send<{ data: readonly Import[] }>('GET', `/_imports${queryOf(options)}`)).body.data,
    async *errors(id) {
      let cursor: string | undefined;
      do {
        const answer = await send<{ data: readonly ImportError[]; page: { next_cursor: string | null } }>(
          'GET',
          one(id, `/errors${queryOf({ cursor })}`),
        );
        yield* answer.body.data;
        cursor = answer.body.page.next_cursor ?? undefined;
      } while (cursor !== undefined);
    },
    check: (id, options = {}) => command(id, 'check', options),
    run: (id, options = {}) => command(id, 'run', options),
    cancel: (id) => command(id, 'cancel'),
    undo: (id) => command(id, 'undo'),
    async settled(id, { signal } = {}) {
      for (;;) {
        const found = await get(id, signal);
        if (!MOVING.includes(found.state)) return found;
        await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
      }
    },
  };
}
