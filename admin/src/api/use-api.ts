/**
 * Reading and changing what is not a record: one hook each, over the query cache of react-admin.
 *   const runs = useRead<Page<Run>>(`${base}/_workflows?status=running`, { every: 5000 });
 *   const send = useSend();  await send('POST', `${base}/_workflows/${id}/retry`, { comment });
 * After a change everything read below one of `stale` is read again; by default everything below the path's app.
 */
import { keepPreviousData, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { useLogoutIfAccessDenied } from 'react-admin';
import { ApiError, type CallOptions } from '../../../client/client.ts';
import { client } from '../session.ts';

export interface ReadOptions<T = unknown> {
  /** Read again after so many milliseconds, while the page is seen; it may depend on what was read last. */
  readonly every?: number | false | undefined | ((found: T | undefined) => number | false);
}

/** An undefined path reads nothing, for what depends on something that is not known yet. */
export function useRead<T>(path: string | undefined, { every }: ReadOptions<T> = {}): UseQueryResult<T, ApiError> {
  const logoutIfDenied = useLogoutIfAccessDenied();
  return useQuery<T, ApiError>({
    queryKey: ['api', path],
    enabled: path !== undefined,
    placeholderData: keepPreviousData,
    retry: (count, error) => error.status === 0 && count < 2,
    ...(every === undefined || every === false
      ? {}
      : { refetchInterval: typeof every === 'number' ? every : (query: { state: { data: T | undefined } }) => every(query.state.data) }),
    queryFn: async ({ signal }) => {
      try {
        return (await client.call<T>(path ?? '', { signal })).body;
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) await logoutIfDenied(error);
        throw error;
      }
    },
  });
}

export type Send = <T>(method: NonNullable<CallOptions['method']>, path: string, body?: unknown, options?: CallOptions) => Promise<T>;

/** Sends a change and forgets what was read before it. Rejects with ApiError; show it with `<Problem error={…} />`. */
export function useSend(stale?: readonly string[]): Send {
  const queries = useQueryClient();
  const logoutIfDenied = useLogoutIfAccessDenied();
  return useCallback(
    async <T>(method: NonNullable<CallOptions['method']>, path: string, body?: unknown, options: CallOptions = {}): Promise<T> => {
      try {
        const answer = await client.call<T>(path, { ...options, method, ...(body === undefined ? {} : { body }) });
        return answer.body;
      } catch (error) {
        if (error instanceof ApiError && error.status === 401 && options.isProof !== true) await logoutIfDenied(error);
        throw error;
      } finally {
        const prefixes = stale ?? [path.split('/').slice(0, 3).join('/')];
        await queries.invalidateQueries({ predicate: ({ queryKey: [kind, read] }) => kind === 'api' && below(prefixes, read) });
      }
    },
    [queries, logoutIfDenied, stale],
  );
}

const below = (prefixes: readonly string[], path: unknown): boolean =>
  typeof path === 'string' && prefixes.some((prefix) => path.startsWith(prefix));

/** `/api/helpdesk`: the paths of one app begin with it. */
export const appPath = (app: string): string => `/api/${encodeURIComponent(app)}`;

/** Reads by asking with a body, as trials do; writes nothing. An undefined body asks nothing yet. */
export function useAsk<T>(path: string, body: object | undefined): UseQueryResult<T, ApiError> {
  const logoutIfDenied = useLogoutIfAccessDenied();
  return useQuery<T, ApiError>({
    queryKey: ['api', path, body],
    enabled: body !== undefined,
    placeholderData: keepPreviousData,
    retry: (count, error) => error.status === 0 && count < 2,
    queryFn: async ({ signal }) => {
      try {
        return (await client.call<T>(path, { method: 'POST', body, signal })).body;
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) await logoutIfDenied(error);
        throw error;
      }
    },
  });
}

/** The value once it has rested for a moment: what is typed is not asked letter by letter. */
export function useRested<T>(value: T, ms = 400): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return rested;
}
