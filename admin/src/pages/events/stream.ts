/** The stream of an app's events as its clients get it: the client's own `subscribe`, over a ticket of whoever is signed in. */
import { useEffect, useRef, useState } from 'react';
import { ApiError } from '../../../../client/client.ts';
import { subscribe, type ChangeEvent, type OpenStream } from '../../../../client/subscribe.ts';
import type { AnySchema } from '../../../../client/types.ts';
import { appPath } from '../../api/use-api.ts';
import { client } from '../../session.ts';

export interface Wish {
  readonly entities: readonly string[];
  readonly filter: Readonly<Record<string, unknown>> | undefined;
  readonly includeRecord: boolean;
}

export type Seen = ChangeEvent<AnySchema>;

export interface Stream {
  readonly state: 'connecting' | 'live' | 'paused' | 'ended';
  /** The newest first. */
  readonly events: readonly Seen[];
  readonly hasMissed: boolean;
  readonly error: ApiError | undefined;
  readonly clear: () => void;
}

export const KEPT = 200;

/** A ticket opens one stream: each connection takes its own. */
const opener =
  (app: string, onOpen: (isLive: boolean) => void): OpenStream =>
  async (path, headers, signal) => {
    onOpen(false);
    const base = appPath(app);
    const { body } = await client.call<{ data: { ticket: string } }>(`${base}/_events/ticket`, { method: 'POST', signal });
    const glue = path.includes('?') ? '&' : '?';
    const response = await fetch(`${base}${path}${glue}ticket=${encodeURIComponent(body.data.ticket)}`, { headers, signal });
    if (!response.ok) throw await refusalOf(response);
    onOpen(true);
    return response;
  };

async function refusalOf(response: Response): Promise<ApiError> {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return new ApiError(response.status, error.code, error.message, { error });
}

/** Pausing closes the stream and keeps its place: what happens meanwhile comes when it goes on. Another wish begins anew. */
export function useStream(app: string, wish: Wish, isPaused: boolean): Stream {
  const [events, setEvents] = useState<readonly Seen[]>([]);
  const [connection, setConnection] = useState<'connecting' | 'live' | 'ended'>('connecting');
  const [hasMissed, setMissed] = useState(false);
  const [error, setError] = useState<ApiError>();
  const asked = JSON.stringify(wish);
  const place = useRef<{ asked: string; after: string | undefined }>({ asked, after: undefined });
  useEffect(() => {
    if (place.current.asked === asked) return;
    place.current = { asked, after: undefined };
    setEvents([]);
    setMissed(false);
  }, [asked]);
  useEffect(() => {
    if (isPaused) return;
    setError(undefined);
    const { entities, filter, includeRecord } = JSON.parse(asked) as Wish;
    const stop = new AbortController();
    const subscription = subscribe<AnySchema, string>(
      opener(app, (isLive) => (stop.signal.aborted ? undefined : setConnection(isLive ? 'live' : 'connecting'))),
      {
        signal: stop.signal,
        ...(entities.length === 0 ? {} : { entities }),
        ...(filter === undefined ? {} : { filter }),
        ...(includeRecord ? { includeRecord } : {}),
        ...(place.current.after === undefined ? {} : { after: place.current.after }),
        onEvent: (event) => setEvents((before) => [event, ...before].slice(0, KEPT)),
        onReset: () => setMissed(true),
        onError: (refused) => (setError(refused), setConnection('ended')),
      },
    );
    return () => {
      place.current = { ...place.current, after: subscription.lastId };
      stop.abort();
    };
  }, [app, asked, isPaused]);
  return { state: isPaused ? 'paused' : connection, events, hasMissed, error, clear: () => setEvents([]) };
}
