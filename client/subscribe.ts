/**
 * Listening to changes by `fetch`, which sends the credentials that EventSource cannot. A stream that breaks is taken up again
 * where it was; when that is not possible any more, the listener is told to read anew.
 */
import { filterTree, queryOf } from './collection.ts';
import { ApiError } from './errors.ts';
import type { AppSchema, Filter, RecordOf } from './types.ts';

export interface ChangeEvent<S extends AppSchema, E extends keyof S = keyof S> {
  /** Where it stands: `after` goes on behind it. */
  readonly id: string;
  readonly type: 'record.created' | 'record.updated' | 'record.deleted' | 'custom';
  readonly entity: E & string;
  readonly record_id: string;
  /** Of the record; lower ones than the last known are older news. */
  readonly version?: string;
  readonly changed_fields?: readonly string[];
  /** With `includeRecord`, unless it was deleted or left the view. */
  readonly record?: RecordOf<S, E>;
  readonly name?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly ts: string;
}

export interface SubscribeOptions<S extends AppSchema, E extends keyof S & string> {
  /** All that may be read when left out. */
  readonly entities?: readonly E[];
  readonly filter?: Filter<S, E>;
  readonly includeRecord?: boolean;
  /** The id of the last event that was handled; now when left out. */
  readonly after?: string;
  /** Called one after the other; the next event waits for a promise. */
  readonly onEvent: (event: ChangeEvent<S, E>) => void | Promise<void>;
  /** Events were missed that are not kept any more: what is shown has to be read anew. */
  readonly onReset?: () => void;
  /** Told of a refusal that trying again does not change; the subscription has ended then. */
  readonly onError?: (error: ApiError) => void;
  readonly signal?: AbortSignal;
}

export interface Subscription {
  /** The id to go on behind after a restart of the page. */
  readonly lastId: string | undefined;
  close(): void;
  /** Resolves when it has ended; rejects with what `onEvent` threw, which ends it too. */
  readonly closed: Promise<void>;
}

/** The stream's address behind the app, for `OpenStream`. */
const eventsPath = <S extends AppSchema, E extends keyof S & string>({
  entities,
  filter,
  includeRecord,
}: Pick<SubscribeOptions<S, E>, 'entities' | 'filter' | 'includeRecord'>): string =>
  `/_events${queryOf({ entities, filter: filter === undefined ? undefined : filterTree(filter), include_record: includeRecord })}`;

/** Opens one stream; a refused one is an ApiError. */
export type OpenStream = (path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<Response>;

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** The server is heard every 15 seconds; a connection that is silent for longer is dead. */
const SILENCE_MS = 45_000;

export function subscribe<S extends AppSchema, E extends keyof S & string>(
  open: OpenStream,
  options: SubscribeOptions<S, E>,
): Subscription {
  const path = eventsPath(options);
  const stop = new AbortController();
  const state = { lastId: options.after, waitMs: FIRST_WAIT_MS };
  options.signal?.addEventListener('abort', () => stop.abort(), { once: true });
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        await once(open, path, options, state, stop.signal);
      } catch (error) {
        if (error instanceof HandlerFailure) throw error.cause;
        if (isFinal(error)) return options.onError?.(error);
      }
      // Those that were cut together do not come back together.
      await pause(state.waitMs * (0.5 + Math.random()), stop.signal);
      state.waitMs = Math.min(state.waitMs * 2, LONGEST_WAIT_MS);
    }
  };
  return {
    get lastId() {
      return state.lastId;
    },
    close: () => stop.abort(),
    closed: run(),
  };
}

/** A mistake of the listener's own: it would happen again with the same event. */
class HandlerFailure extends Error {
  override readonly name = 'HandlerFailure';
}

interface State {
  lastId: string | undefined;
  waitMs: number;
}

/** What a new try would be told as well. Credentials were renewed by then, if that was possible. */
const isFinal = (error: unknown): error is ApiError =>
  error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429 && error.status !== 408;

async function once<S extends AppSchema, E extends keyof S & string>(
  open: OpenStream,
  path: string,
  options: SubscribeOptions<S, E>,
  state: State,
  signal: AbortSignal,
): Promise<void> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const headers = { accept: 'text/event-stream', ...(state.lastId === undefined ? {} : { 'last-event-id': state.lastId }) };
    const response = await open(path, headers, AbortSignal.any([signal, silence.signal]));
    const parser = new FrameParser();
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const part = await reader?.read();
      if (part === undefined || part.done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      for (const frame of parser.take(part.value)) await handle(frame, options, state);
    }
  } finally {
    clearTimeout(timer);
  }
}

async function handle<S extends AppSchema, E extends keyof S & string>(
  frame: Frame,
  options: SubscribeOptions<S, E>,
  state: State,
): Promise<void> {
  if (frame.retryMs !== undefined) state.waitMs = frame.retryMs;
  else if (frame.id !== undefined) state.waitMs = FIRST_WAIT_MS;
  if (frame.event === 'reset') options.onReset?.();
  else if (frame.data !== undefined && frame.event !== 'end') await told(options, JSON.parse(frame.data) as ChangeEvent<S, E>);
  // Only what was handled is behind us.
  if (frame.id !== undefined) state.lastId = frame.id;
}

async function told<S extends AppSchema, E extends keyof S & string>(
  { onEvent }: SubscribeOptions<S, E>,
  event: ChangeEvent<S, E>,
): Promise<void> {
  try {
    await onEvent(event);
  } catch (error) {
    throw new HandlerFailure('onEvent threw', { cause: error });
  }
}

interface Frame {
  id?: string;
  event?: string;
  data?: string;
  retryMs?: number;
}

class FrameParser {
  #rest = '';

  take(text: string): Frame[] {
    const parts = (this.#rest + text).split('\n\n');
    this.#rest = parts.pop() ?? '';
    return parts.map((part) => {
      const frame: Frame = {};
      for (const line of part.split('\n')) {
        const colon = line.indexOf(': ');
        const content = line.slice(colon + 2);
        if (line.startsWith('id: ')) frame.id = content;
        else if (line.startsWith('event: ')) frame.event = content;
        else if (line.startsWith('data: ')) frame.data = content;
        else if (line.startsWith('retry: ')) frame.retryMs = Number(content);
      }
      return frame;
    });
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
