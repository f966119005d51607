/**
 * react-admin's nine verbs over the Durabase API.
 *   getList          GET  /api/:app/:entity, or POST :entity/_query where the question is too long for an address
 *   getMany          one request per page of ids
 *   getManyReference getList with the reference as one more condition
 *   create/update    POST, PATCH with If-Match: the `_etag` the record was read with
 *   updateMany/deleteMany  POST :entity/_bulk?atomic=false, one request; what was refused is told by record
 * Filter names are `field|operator` (fields/conditions.ts); a plain name means equality. Besides `q` (search), `$tree` (a tree of the API)
 * and `$deleted` (only what was deleted). `meta` takes `include` (relation to its fields), `fields`, `count`, `withDeleted`, `ifMatch`.
 * Refusals are HttpErrors with a `RefusedBody`.
 */
import { HttpError, type DataProvider, type Identifier, type RaRecord } from 'react-admin';
import { ApiError, type CallOptions, type Client } from '../../../client/client.ts';
import type { DiscoveredEntity, Discovery } from '../discovery.ts';
import { OPERATORS, treeOf, type Condition, type Operator, type Tree } from '../fields/conditions.ts';
import { noteWrite } from './own-writes.ts';
import { refusal } from './record-error.ts';

export { messageOf } from './record-error.ts';

export interface ListMeta {
  /** Related records to put in, each with the fields that are shown of it. */
  readonly include?: Readonly<Record<string, readonly string[]>>;
  readonly fields?: readonly string[];
  readonly count?: 'exact' | 'estimated' | 'none';
  readonly withDeleted?: boolean;
}

/** What became of one record in a write of many. */
export interface BulkResult {
  readonly id: Identifier;
  /** Undefined when it was done. */
  readonly error?: { readonly code: string; readonly message: string };
}

export interface RecordProvider extends DataProvider {
  /** Each record is a write of its own; nothing is thrown for those that are refused. */
  bulk(resource: string, action: BulkAction, ids: readonly Identifier[]): Promise<readonly BulkResult[]>;
}

export type BulkAction =
  | { readonly kind: 'update'; readonly data: Readonly<Record<string, unknown>> }
  | { readonly kind: 'delete' }
  | { readonly kind: 'restore' };

interface Sort {
  readonly field: string;
  readonly order: 'ASC' | 'DESC';
}

interface ListAnswer {
  readonly data: readonly Record<string, unknown>[];
  readonly meta: { readonly page: number; readonly per_page: number; readonly total?: number; readonly estimated?: boolean };
}

/** Longer addresses go into a body: servers in between cut them at eight kilobytes and less. */
const LONGEST_QUERY = 4000;
/** As many rows as one request of the API writes. */
const MOST_ROWS = 1000;

export function createDataProvider(discovery: Discovery, client: Pick<Client, 'call'>): RecordProvider {
  const entityOf = (resource: string): DiscoveredEntity | undefined => discovery.entities.find((entity) => entity.name === resource);
  const app = `/api/${encodeURIComponent(discovery.app.name)}`;
  const base = (resource: string): string => `${app}/${encodeURIComponent(resource)}`;
  const one = (resource: string, id: Identifier): string => `${base(resource)}/${encodeURIComponent(String(id))}`;
  const keyOf = (resource: string): readonly string[] => keysOf(entityOf(resource));
  const withId = <T extends RaRecord>(resource: string, row: Record<string, unknown>, etag?: string | null): T => {
    const id =
      keyOf(resource).length === 1
        ? row[keyOf(resource)[0] ?? 'id']
        : keyOf(resource)
            .map((name) => String(row[name]))
            .join(',');
    return { ...row, id, ...(etag === undefined || etag === null ? {} : { _etag: etag }) } as unknown as T;
  };

  const call = async <T>(path: string, options: CallOptions = {}): Promise<{ body: T; etag: string | null }> => {
    try {
      return await client.call<T>(path, options);
    } catch (error) {
      throw refusal(error);
    }
  };

  const list = async (resource: string, query: ListQuery, signal?: AbortSignal): Promise<ListAnswer> => {
    const text = queryString(query);
    const options = signal === undefined ? {} : { signal };
    if (text.toString().length <= LONGEST_QUERY) return (await call<ListAnswer>(`${base(resource)}?${text}`, options)).body;
    return (await call<ListAnswer>(`${base(resource)}/_query`, { ...options, method: 'POST', body: queryBody(query) })).body;
  };

  const provider: RecordProvider = {
    supportAbortSignal: true,
    getList: async (resource, { pagination, sort, filter, meta, signal }) => {
      const query = listQuery(entityOf(resource), filter as object, meta as ListMeta | undefined);
      const answer = await list(
        resource,
        { ...query, page: pagination?.page, per_page: pagination?.perPage, sort: sortOf(keyOf(resource), sort) },
        signal,
      );
      return pageOf(answer, (row) => withId(resource, row));
    },
    getOne: async (resource, { id, meta, signal }) => {
      const query = queryString(listQuery(entityOf(resource), {}, meta as ListMeta | undefined)).toString();
      const options = signal === undefined ? {} : { signal };
      const { body, etag } = await call<{ data: Record<string, unknown> }>(
        `${one(resource, id)}${query === '' ? '' : `?${query}`}`,
        options,
      );
      return { data: withId(resource, body.data, etag) };
    },
    getMany: async (resource, { ids, meta, signal }) => {
      const found: RaRecord[] = [];
      const $tree = byIds(keyOf(resource), ids);
      for (let page = 1; ids.length > 0; page++) {
        const query = listQuery(entityOf(resource), { $tree }, { count: 'none', ...(meta as ListMeta | undefined) });
        const answer = await list(resource, { ...query, page, per_page: ids.length }, signal);
        found.push(...answer.data.map((row) => withId(resource, row)));
        // The app's largest page may be smaller than what was asked for.
        if (answer.data.length < answer.meta.per_page || page * answer.meta.per_page >= ids.length) break;
      }
      return { data: found as never };
    },
    getManyReference: (resource, { target, id, pagination, sort, filter, meta, signal }) =>
      provider.getList(resource, { pagination, sort, filter: { ...(filter as object), [`${target}|eq`]: id }, meta, signal }) as never,
    create: async (resource, { data }) => {
      const body = writable(entityOf(resource), data as Record<string, unknown>);
      const answer = await call<{ data: Record<string, unknown> }>(base(resource), { method: 'POST', body });
      const record = withId(resource, answer.body.data, answer.etag);
      noteWrite(resource, record.id);
      return { data: record as never };
    },
    update: async (resource, { id, data, previousData, meta }) => {
      const before = (previousData ?? {}) as Record<string, unknown>;
      const given = data as Record<string, unknown>;
      noteWrite(resource, id);
      const etag = (meta as { ifMatch?: string } | undefined)?.ifMatch ?? given['_etag'] ?? before['_etag'];
      const options: CallOptions = {
        method: 'PATCH',
        body: changed(writable(entityOf(resource), given), before),
        ...(typeof etag === 'string' ? { headers: { 'if-match': etag } } : {}),
      };
      try {
        const answer = await client.call<{ data: Record<string, unknown> }>(one(resource, id), options);
        return { data: withId(resource, answer.body.data, answer.etag) };
      } catch (error) {
        const isConflict = error instanceof ApiError && error.status === 412;
        // What is there now, so that whoever edits can see both and choose.
        const current = isConflict ? (await provider.getOne(resource, { id })).data : undefined;
        throw refusal(error, current);
      }
    },
    updateMany: async (resource, { ids, data }) => {
      const row = writable(entityOf(resource), data as Record<string, unknown>);
      return { data: allDone(ids, await provider.bulk(resource, { kind: 'update', data: row }, ids)) };
    },
    delete: async (resource, { id, previousData }) => {
      noteWrite(resource, id);
      await call(one(resource, id), { method: 'DELETE' });
      return { data: (previousData ?? { id }) as never };
    },
    deleteMany: async (resource, { ids }) => ({ data: allDone(ids, await provider.bulk(resource, { kind: 'delete' }, ids)) }),
    bulk: async (resource, action, ids) => {
      const results: BulkResult[] = [];
      for (const id of ids) noteWrite(resource, id);
      for (let from = 0; from < ids.length; from += MOST_ROWS) {
        const part = ids.slice(from, from + MOST_ROWS);
        const { path, body } = bulkRequest(app, resource, action, part);
        const answer = await call<{ data: readonly BulkRow[] }>(path, { method: 'POST', body });
        results.push(
          ...part.map((id, index) =>
            resultOf(
              id,
              answer.body.data.find((row) => row.index === index),
            ),
          ),
        );
      }
      return results;
    },
  };
  return provider;
}

const pageOf = <T>({ data, meta }: ListAnswer, toRecord: (row: Record<string, unknown>) => T): never =>
  ({
    data: data.map(toRecord),
    ...(meta.total === undefined
      ? { pageInfo: { hasNextPage: data.length === meta.per_page, hasPreviousPage: meta.page > 1 } }
      : { total: meta.total }),
    ...(meta.estimated === true ? { meta: { estimated: true } } : {}),
  }) as never;

/** The same question without pages, for exports and sums. */
export function wholeList(entity: DiscoveredEntity, filter: object, sort?: Sort): URLSearchParams {
  const key = entity.primary_key.fields;
  return queryString({ ...listQuery(entity, filter, undefined), sort: sortOf(key, sort) });
}

interface ListQuery {
  readonly filter?: Tree | undefined;
  readonly q?: string | undefined;
  readonly sort?: string | undefined;
  readonly page?: number | undefined;
  readonly per_page?: number | undefined;
  readonly count?: string | undefined;
  readonly fields?: readonly string[] | undefined;
  readonly include?: ListMeta['include'];
  readonly with_deleted?: true | 'only' | undefined;
}

function listQuery(entity: DiscoveredEntity | undefined, filter: object, meta: ListMeta | undefined): ListQuery {
  const key = keysOf(entity);
  const { q, $tree, $deleted, ...rest } = filter as Readonly<Record<string, unknown>>;
  const conditions = Object.entries(rest).flatMap(([name, wanted]) => conditionOf(key, name, wanted) ?? []);
  return {
    filter: treeOf(entity, conditions, $tree as Tree | undefined),
    q: typeof q === 'string' && q.trim() !== '' ? q : undefined,
    count: meta?.count,
    fields: meta?.fields === undefined ? undefined : [...new Set([...key, ...meta.fields])],
    include: meta?.include,
    with_deleted: $deleted === true ? 'only' : meta?.withDeleted === true ? true : undefined,
  };
}

const keysOf = (entity: DiscoveredEntity | undefined): readonly string[] => entity?.primary_key.fields ?? ['id'];

/** Undefined where nothing is asked for. A key made of several fields cannot be asked for by one value: `byIds` does that. */
function conditionOf(key: readonly string[], name: string, wanted: unknown): Condition | undefined {
  const values = (Array.isArray(wanted) ? wanted : [wanted]).filter((value) => value !== undefined && value !== null && value !== '');
  const [given = name, operator] = name.split('|');
  const field = given === 'id' ? (key[0] ?? 'id') : given;
  const op = operator ?? (Array.isArray(wanted) ? 'in' : 'eq');
  if (!isOperator(op)) throw new HttpError(`There is no operator "${op}".`, 400, { errors: {} });
  return values.length === 0 ? undefined : { field, op, values: values.map(String) };
}

const isOperator = (text: string): text is Operator => (OPERATORS as readonly string[]).includes(text);

/** The records of these ids; of a compound key each part has to be that of the same id. */
export function byIds(key: readonly string[], ids: readonly Identifier[]): Tree {
  const [only = 'id'] = key;
  if (key.length <= 1) return { field: only, op: 'in', value: ids.map(String) };
  return {
    or: ids.map((id) => ({
      and: String(id)
        .split(',')
        .map((value, index) => ({ field: key[index] ?? only, op: 'eq', value })),
    })),
  };
}

function sortOf(key: readonly string[], sort: { readonly field: string; readonly order: string } | undefined): string | undefined {
  if (sort === undefined || sort.field === '') return undefined;
  const fields = sort.field === 'id' ? key : [sort.field];
  return fields.map((field) => `${sort.order === 'DESC' ? '-' : ''}${field}`).join(',');
}

function queryString({ filter, fields, include, ...plain }: ListQuery): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(plain)) if (value !== undefined) query.set(name, String(value));
  if (filter !== undefined) query.set('filter', JSON.stringify(filter));
  if (fields !== undefined) query.set('fields', [...fields, ...dotted(include)].join(','));
  else for (const [relation, shown] of Object.entries(include ?? {})) query.set(`include[${relation}][fields]`, shown.join(','));
  return query;
}

function queryBody({ include, fields, ...rest }: ListQuery): object {
  const shown = Object.entries(include ?? {});
  if (fields !== undefined) return { ...rest, fields: [...fields, ...dotted(include)] };
  return { ...rest, ...(shown.length === 0 ? {} : { include: shown.map(([relation, of]) => ({ relation, fields: of })) }) };
}

const dotted = (include: ListMeta['include']): readonly string[] =>
  Object.entries(include ?? {}).flatMap(([relation, fields]) => fields.map((field) => `${relation}.${field}`));

/** Without what the engine fills itself; nested rows go along under their relation's name. */
function writable(entity: DiscoveredEntity | undefined, data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields = entity?.fields.filter((field) => field.writable && !field.auto).map((field) => field.name) ?? [];
  const rows = entity?.relations.filter(({ direction }) => direction !== 'forward').map(({ name }) => name) ?? [];
  const names = new Set([...fields, ...rows]);
  return Object.fromEntries(
    Object.entries(data)
      .filter(([name]) => names.has(name))
      .map(([name, value]) => [name, value === '' ? null : value]),
  );
}

const changed = (data: Readonly<Record<string, unknown>>, before: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(data).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name] ?? null)));

interface BulkRow {
  readonly index: number;
  readonly error?: { readonly code: string; readonly message: string };
}

function bulkRequest(
  app: string,
  resource: string,
  action: BulkAction,
  ids: readonly Identifier[],
): { readonly path: string; readonly body: object } {
  const bulk = `${app}/${encodeURIComponent(resource)}/_bulk?atomic=false`;
  switch (action.kind) {
    case 'update':
      return { path: bulk, body: { update: ids.map((id) => ({ ...action.data, id })) } };
    case 'delete':
      return { path: bulk, body: { delete: ids } };
    case 'restore':
      return { path: `${app}/_batch?atomic=false`, body: { operations: ids.map((id) => ({ op: 'restore', entity: resource, id })) } };
  }
}

const resultOf = (id: Identifier, row: BulkRow | undefined): BulkResult =>
  row?.error === undefined ? { id } : { id, error: { code: row.error.code, message: row.error.message } };

/** react-admin's own verbs know done and not done only, so one that was refused is an error that says which. */
function allDone(ids: readonly Identifier[], results: readonly BulkResult[]): Identifier[] {
  const refused = results.filter(({ error }) => error !== undefined);
  if (refused.length === 0) return [...ids];
  const reasons = [...new Set(refused.map(({ error }) => error?.message))].slice(0, 3).join(' ');
  const message = `${ids.length - refused.length} of ${ids.length} were done, ${refused.length} refused: ${reasons}`;
  throw new HttpError(message, 422, { errors: { root: { serverError: message } }, results });
}
