/** The records of one entity. */
import type {
  AggregateOptions,
  AppSchema,
  BulkBody,
  Field,
  Include,
  ListOptions,
  ManyResults,
  Page,
  ReadOptions,
  RecordOf,
  Row,
  Send,
  Versioned,
  WriteOptions,
} from './types.ts';

type Id = string | number;

export interface Collection<S extends AppSchema, E extends keyof S & string> {
  list<I extends Include<S, E> = never, F extends Field<S, E> = keyof RecordOf<S, E> & string>(
    options?: ListOptions<S, E, I, F>,
  ): Promise<Page<Row<S, E, I, F>>>;
  /** Every record of a list, one by one; parts are fetched as they are needed. */
  iterate<I extends Include<S, E> = never, F extends Field<S, E> = keyof RecordOf<S, E> & string>(
    options?: Omit<ListOptions<S, E, I, F>, 'page' | 'per_page' | 'cursor' | 'count'>,
  ): AsyncGenerator<Row<S, E, I, F>>;
  get<I extends Include<S, E> = never, F extends Field<S, E> = keyof RecordOf<S, E> & string>(
    id: Id,
    options?: ReadOptions<I, F>,
  ): Promise<Versioned<Row<S, E, I, F>>>;
  create(record: S[E]['create'], options?: WriteOptions): Promise<Versioned<RecordOf<S, E>>>;
  update(id: Id, changes: S[E]['update'], options?: WriteOptions): Promise<Versioned<RecordOf<S, E>>>;
  delete(id: Id, options?: WriteOptions): Promise<void>;
  restore(id: Id, options?: WriteOptions): Promise<Versioned<RecordOf<S, E>>>;
  /** Creates the record, or changes the one with the same value of `on` (the key when left out). */
  upsert(record: S[E]['create'], on?: string | readonly string[], options?: WriteOptions): Promise<Versioned<RecordOf<S, E>>>;
  bulk(body: BulkBody<S, E>, options?: WriteOptions & { readonly atomic?: boolean }): Promise<ManyResults>;
  aggregate(options: AggregateOptions<S, E>): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** Longer addresses are cut by servers and proxies on the way; the body has no such limit. */
const MAX_QUERY = 1_500;

export function createCollection<S extends AppSchema, E extends keyof S & string>(send: Send, entity: E): Collection<S, E> {
  const root = `/${encodeURIComponent(entity)}`;
  const one = (id: Id): string => `${root}/${encodeURIComponent(String(id))}`;
  type Rec = RecordOf<S, E>;
  const written = async (method: string, path: string, body: unknown, options: WriteOptions): Promise<Versioned<Rec>> => {
    const answer = await send<{ data: Rec }>(method, path, { ...options, ...(body === undefined ? {} : { body }), isWrite: true });
    return { data: answer.body.data, etag: answer.etag };
  };

  const collection: Collection<S, E> = {
    async list(options = {}) {
      const { signal, filter, ...rest } = options;
      const body = { ...rest, ...(filter === undefined ? {} : { filter: filterTree(filter) }) };
      const query = queryOf(body);
      const sent = signal === undefined ? {} : { signal };
      const answer =
        query.length <= MAX_QUERY
          ? await send<Page<never>>('GET', root + query, sent)
          : await send<Page<never>>('POST', `${root}/_query`, { ...sent, body });
      return answer.body;
    },
    async *iterate(options = {}) {
      let cursor: string | undefined;
      do {
        const part = await collection.list({ limit: 100, ...options, ...(cursor === undefined ? {} : { cursor }) });
        yield* part.data;
        cursor = part.page?.next_cursor ?? undefined;
      } while (cursor !== undefined);
    },
    async get(id, options = {}) {
      const { signal, ...rest } = options;
      const answer = await send<{ data: never }>('GET', one(id) + queryOf(rest), signal === undefined ? {} : { signal });
      return { data: answer.body.data, etag: answer.etag };
    },
    create: (record, options = {}) => written('POST', root, record, options),
    update: (id, changes, options = {}) => written('PATCH', one(id), changes, options),
    async delete(id, options = {}) {
      await send('DELETE', one(id), { ...options, isWrite: true });
    },
    restore: (id, options = {}) => written('POST', `${one(id)}/_restore`, undefined, options),
    async upsert(record, on, options = {}) {
      const results = await collection.bulk({ upsert: { ...(on === undefined ? {} : { on }), rows: [record] } }, options);
      const [row] = results.data;
      return { data: row?.data as Rec, etag: row?.version === undefined ? null : `"${row.version}"` };
    },
    async bulk(body, { atomic = true, ...options } = {}) {
      const answer = await send<ManyResults>('POST', `${root}/_bulk${atomic ? '' : '?atomic=false'}`, { ...options, body, isWrite: true });
      return answer.body;
    },
    async aggregate({ signal, filter, ...rest }) {
      const body = { ...rest, ...(filter === undefined ? {} : { filter: filterTree(filter) }) };
      const answer = await send<{ data: readonly Readonly<Record<string, unknown>>[] }>('POST', `${root}/_aggregate`, {
        body,
        ...(signal === undefined ? {} : { signal }),
      });
      return answer.body.data;
    },
  };
  return collection;
}

/** The query string of a read; empty without parameters. */
export function queryOf(parameters: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const text = Array.isArray(value) ? value.join(',') : typeof value === 'object' ? JSON.stringify(value) : String(value);
    return [`${name}=${encodeURIComponent(text)}`];
  });
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** `{status: 'open', price: {gt: 3}}` as the tree of conditions the API takes. */
export function filterTree(filter: object): object {
  const items = Object.entries(filter).flatMap(([name, given]: [string, unknown]): object[] => {
    if (given === undefined) return [];
    if (name === 'and' || name === 'or') return [{ [name]: (given as readonly object[]).map(filterTree) }];
    if (name === 'not') return [{ not: filterTree(given as object) }];
    if (typeof given !== 'object' || given === null) return [{ field: name, op: 'eq', value: given }];
    return Object.entries(given).map(([op, value]: [string, unknown]) => ({ field: name, op, value }));
  });
  return items.length === 1 && items[0] !== undefined ? items[0] : { and: items };
}
