/**
 * One stream of events per window. What is read of a record that changed is read again (several changes at once, after 300 ms); lists are
 * only told, because rows must not move under a pointer. A stream that breaks goes on behind the last event it had; while there is none,
 * what is shown is read again every 30 seconds.
 */
import { useQueryClient, type Query, type QueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactElement, type ReactNode } from 'react';
import { appPath } from '../api/use-api.ts';
import { isOwnWrite } from '../providers/own-writes.ts';
import { client } from '../session.ts';
import { useDiscoveryIfAny } from './discovery-context.ts';
import { openStream, type LiveEvent, type LiveState } from './live-stream.ts';

interface Live {
  readonly state: LiveState;
  readonly listen: (entity: string, hear: (event: LiveEvent) => void) => () => void;
  /** Keeps what is shown as it is, as long as somebody edits it. */
  readonly hold: () => () => void;
}

const NOTHING: Live = { state: { kind: 'off' }, listen: () => () => undefined, hold: () => () => undefined };
const LiveContext = createContext<Live>(NOTHING);

const BATCH_MS = 300;
const POLL_MS = 30_000;

export function LiveProvider({ children }: { readonly children: ReactNode }): ReactElement {
  const discovery = useDiscoveryIfAny();
  const queries = useQueryClient();
  // Where nothing can be read there is nothing to be told, and the stream is refused.
  const app = discovery?.entities.some(({ permissions }) => permissions.read) === true ? discovery.app.name : undefined;
  const [state, setState] = useState<LiveState>({ kind: 'off' });
  const listeners = useRef(new Map<string, Set<(event: LiveEvent) => void>>());
  const held = useRef(0);

  useEffect(() => {
    if (app === undefined) return undefined;
    const batch = new Batch((events) => {
      if (held.current === 0) forget(queries, app, events);
    });
    const stop = openStream({
      path: `${appPath(app)}/_events`,
      ticket: async () =>
        (await client.call<{ data: { ticket: string } }>(`${appPath(app)}/_events/ticket`, { method: 'POST' })).body.data.ticket,
      onState: setState,
      onEvent: (event) => {
        batch.add(event);
        if (!isOwnWrite(event.entity, event.record_id)) listeners.current.get(event.entity)?.forEach((hear) => hear(event));
      },
      onReset: () => void queries.invalidateQueries(),
    });
    return () => {
      stop();
      batch.end();
    };
  }, [app, queries]);

  useEffect(() => {
    if (state.kind !== 'offline') return undefined;
    const timer = setInterval(() => {
      if (held.current === 0) void queries.invalidateQueries();
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [state.kind, queries]);

  const live = useMemo<Live>(
    () => ({
      state,
      listen: (entity, hear) => {
        const all = listeners.current;
        const heard = all.get(entity) ?? new Set();
        all.set(entity, heard.add(hear));
        return () => heard.delete(hear);
      },
      hold: () => {
        held.current += 1;
        return () => (held.current -= 1);
      },
    }),
    [state],
  );
  return <LiveContext.Provider value={live}>{children}</LiveContext.Provider>;
}

export const useLiveState = (): LiveState => useContext(LiveContext).state;

/** Hears of the records of one entity, but for what this window has written itself. */
export function useLiveEvents(entity: string, hear: (event: LiveEvent) => void): void {
  const { listen } = useContext(LiveContext);
  const latest = useRef(hear);
  useEffect(() => {
    latest.current = hear;
  });
  // The context changes with its state; listening goes on.
  const listenRef = useRef(listen);
  useEffect(() => listenRef.current(entity, (event) => latest.current(event)), [entity]);
}

/** For forms: nothing that is shown changes by itself while they are open. */
export function useHoldLive(): void {
  const { hold } = useContext(LiveContext);
  const holdRef = useRef(hold);
  useEffect(() => holdRef.current(), []);
}

class Batch {
  #events: LiveEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #take: (events: readonly LiveEvent[]) => void;

  constructor(take: (events: readonly LiveEvent[]) => void) {
    this.#take = take;
  }

  add(event: LiveEvent): void {
    this.#events.push(event);
    this.#timer ??= setTimeout(() => {
      const events = this.#events;
      this.#events = [];
      this.#timer = undefined;
      this.#take(events);
    }, BATCH_MS);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** Reads again what is shown of these records; lists are marked, and read when they are opened next. */
function forget(queries: QueryClient, app: string, events: readonly LiveEvent[]): void {
  const entities = new Set(events.map(({ entity }) => entity));
  const records = new Set(events.map(({ entity, record_id: id }) => `${entity}/${id}`));
  const isOfRecord = ({ queryKey: [kind, verb, params] }: Query): boolean => {
    if (typeof kind !== 'string') return false;
    if (kind === 'api') return isBelow(String(verb), app, entities);
    if (!entities.has(kind)) return false;
    if (verb === 'getOne') return records.has(`${kind}/${String((params as { id?: unknown } | undefined)?.id)}`);
    return verb === 'getMany' || verb === 'getManyReference';
  };
  void queries.invalidateQueries({ predicate: isOfRecord });
  void queries.invalidateQueries({
    predicate: ({ queryKey: [kind, verb] }) => entities.has(String(kind)) && (verb === 'getList' || verb === 'getInfiniteList'),
    refetchType: 'none',
  });
}

/** `/api/helpdesk/ticket/…`, and what is counted over all of it. */
const isBelow = (path: string, app: string, entities: ReadonlySet<string>): boolean => {
  const [entity = ''] = path.startsWith(`${appPath(app)}/`) ? path.slice(appPath(app).length + 1).split(/[/?]/) : [];
  return entities.has(decodeURIComponent(entity));
};
