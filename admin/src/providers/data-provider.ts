/**
 * react-admin's nine verbs over the Durabase API.
 *   getList          GET  /api/:app/:entity?page&per_page&sort&filter[f.op]=v
 *   getMany          GET  /api/:app/:entity?filter[id.in]=a,b
 *   getManyReference getList with the reference as one more filter
 *   create/update    POST /api/:app/:entity, PATCH /api/:app/:entity/:id with If-Match
 * Filter names are `field|operator`; a plain name means equality. Validation errors reach the form's fields by name.
 */
import { HttpError, type DataProvider, type Identifier, type RaRecord } from 'react-admin';
import { ApiError, type ApiErrorBody } from '../../../client/client.ts';
import type { Discovery } from '../discovery.ts';
import { client } from '../session.ts';

interface ListAnswer {
  readonly data: readonly Record<string, unknown>[];
  readonly meta: { readonly total?: number };
}

export function createDataProvider(discovery: Discovery): DataProvider {
  const keyOf = (resource: string): string => discovery.entities.find((entity) => entity.name === resource)?.primary_key.field ?? 'id';
  const base = (resource: string): string => `/api/${encodeURIComponent(discovery.app.name)}/${encodeURIComponent(resource)}`;
  const withId = <T extends RaRecord>(resource: string, row: Record<string, unknown>): T =>
    ({ ...row, id: row[keyOf(resource)] }) as unknown as T;
  const etags = new Map<string, string>();
  const remember = (resource: string, id: Identifier, etag: string | null): void => {
    if (etag !== null) etags.set(`${resource}/${id}`, etag);
  };

  const list = async <T extends RaRecord>(
    resource: string,
    query: URLSearchParams,
    signal?: AbortSignal,
  ): Promise<{ data: T[]; total: number }> => {
    const { body } = await request<ListAnswer>(`${base(resource)}?${query}`, { signal });
    return { data: body.data.map((row) => withId<T>(resource, row)), total: body.meta.total ?? body.data.length };
  };

  const writable = (resource: string, data: Record<string, unknown>): Record<string, unknown> => {
    const entity = discovery.entities.find((candidate) => candidate.name === resource);
    const names = new Set(entity?.fields.filter((field) => field.writable && !field.auto).map((field) => field.name));
    return Object.fromEntries(
      Object.entries(data)
        .filter(([name]) => names.has(name))
        .map(([name, value]) => [name, value === '' ? null : value]),
    );
  };

  const provider: DataProvider = {
    supportAbortSignal: true,
    getList: (resource, { pagination, sort, filter, signal }) => {
      const query = filterQuery(filter as Record<string, unknown>);
      if (pagination !== undefined) {
        query.set('page', String(pagination.page));
        query.set('per_page', String(pagination.perPage));
      }
      if (sort !== undefined && sort.field !== '')
        query.set('sort', `${sort.order === 'DESC' ? '-' : ''}${sort.field === 'id' ? keyOf(resource) : sort.field}`);
      return list(resource, query, signal);
    },
    getOne: async (resource, { id, signal }) => {
      const { body, etag } = await request<{ data: Record<string, unknown> }>(`${base(resource)}/${encodeURIComponent(String(id))}`, {
        signal,
      });
      remember(resource, id, etag);
      return { data: withId(resource, body.data) };
    },
    getMany: async (resource, { ids, signal }) => {
      const query = new URLSearchParams({ [`filter[${keyOf(resource)}.in]`]: ids.join(','), per_page: String(Math.max(ids.length, 1)) });
      return { data: (await list(resource, query, signal)).data as never };
    },
    getManyReference: (resource, { target, id, pagination, sort, filter, signal }) =>
      provider.getList(resource, { pagination, sort, filter: { ...(filter as object), [target]: id }, signal }) as never,
    create: async (resource, { data }) => {
      const { body } = await request<{ data: Record<string, unknown> }>(base(resource), {
        method: 'POST',
        body: writable(resource, data as Record<string, unknown>),
      });
      return { data: withId(resource, body.data) };
    },
    update: async (resource, { id, data, previousData }) => {
      const before = (previousData ?? {}) as Record<string, unknown>;
      const changed = Object.fromEntries(
        Object.entries(writable(resource, data as Record<string, unknown>)).filter(
          ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name] ?? null),
        ),
      );
      const etag = etags.get(`${resource}/${id}`);
      const { body, etag: next } = await request<{ data: Record<string, unknown> }>(`${base(resource)}/${encodeURIComponent(String(id))}`, {
        method: 'PATCH',
        body: changed,
        ...(etag === undefined ? {} : { headers: { 'if-match': etag } }),
      });
      remember(resource, id, next);
      return { data: withId(resource, body.data) };
    },
    updateMany: async (resource, { ids, data }) => {
      for (const id of ids) await provider.update(resource, { id, data: data as Partial<RaRecord>, previousData: { id } });
      return { data: ids };
    },
    delete: async (resource, { id, previousData }) => {
      await request(`${base(resource)}/${encodeURIComponent(String(id))}`, { method: 'DELETE' });
      return { data: (previousData ?? { id }) as never };
    },
    deleteMany: async (resource, { ids }) => {
      for (const id of ids) await request(`${base(resource)}/${encodeURIComponent(String(id))}`, { method: 'DELETE' });
      return { data: ids };
    },
  };
  return provider;
}

function filterQuery(filter: Record<string, unknown>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, wanted] of Object.entries(filter)) {
    if (wanted === undefined || wanted === null || wanted === '') continue;
    const [field = name, operator] = name.split('|');
    query.set(
      `filter[${field}${operator === undefined ? '' : `.${operator}`}]`,
      Array.isArray(wanted) ? wanted.join(',') : String(wanted as string),
    );
  }
  return query;
}

/** The API's errors in the shape react-admin shows: one message per field, and the message of the whole at the top. */
async function request<T>(path: string, options: Parameters<typeof client.call>[1]): Promise<{ body: T; etag: string | null }> {
  try {
    return await client.call<T>(path, options);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new HttpError(messageOf(error), error.status, { errors: fieldErrors(error.body) });
  }
}

export function messageOf(error: ApiError): string {
  const hint = error.body?.error.hint;
  return hint === undefined ? error.message : `${error.message} ${hint}`;
}

function fieldErrors(body: ApiErrorBody | undefined): Record<string, unknown> {
  const details = body?.error.details ?? [];
  const byField = details.flatMap((detail) => (detail.field === undefined ? [] : [[detail.field, detail.message] as const]));
  const rest = details.filter((detail) => detail.field === undefined).map((detail) => detail.message);
  const summary = rest.length > 0 ? rest.join(' ') : body?.error.message;
  return { ...Object.fromEntries(byField), root: { serverError: summary } };
}
