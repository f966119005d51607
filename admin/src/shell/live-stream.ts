/** A stream of events over EventSource, opened with a ticket because that sends no headers. Comes back by itself. */

export interface LiveEvent {
  readonly id: string;
  readonly type: 'record.created' | 'record.updated' | 'record.deleted' | 'custom';
  readonly entity: string;
  readonly record_id: string;
  readonly changed_fields?: readonly string[];
}

export type LiveState =
  | { readonly kind: 'off' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** Tries again at `at`, in milliseconds since 1970. */
  | { readonly kind: 'reconnecting'; readonly at: number }
  /** Tried in vain for a while; tries on, and meanwhile what is shown is read again now and then. */
  | { readonly kind: 'offline' };

interface StreamOptions {
  readonly path: string;
  readonly ticket: () => Promise<string>;
  readonly onState: (state: LiveState) => void;
  readonly onEvent: (event: LiveEvent) => void;
  /** Events were missed that are not kept any more. */
  readonly onReset: () => void;
  /** For tests. */
  readonly source?: (url: string) => EventSource;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** Failures in a row until it is called offline. */
const OFFLINE_AFTER = 3;
const EVENTS = ['record.created', 'record.updated', 'record.deleted', 'custom'] as const;

/** Answers how to end it. */
export function openStream({ path, ticket, onState, onEvent, onReset, source = (url) => new EventSource(url) }: StreamOptions): () => void {
  let stream: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastId: string | undefined;
  let failures = 0;
  let isStopped = false;

  const again = (): void => {
    stream?.close();
    stream = undefined;
    if (isStopped) return;
    failures += 1;
    const wait = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS) * (0.75 + Math.random() / 2);
    onState(failures > OFFLINE_AFTER ? { kind: 'offline' } : { kind: 'reconnecting', at: Date.now() + wait });
    timer = setTimeout(() => void connect(), wait);
  };

  const connect = async (): Promise<void> => {
    clearTimeout(timer);
    try {
      const query = new URLSearchParams({ ticket: await ticket(), ...(lastId === undefined ? {} : { after: lastId }) });
      if (isStopped) return;
      const opened = source(`${path}?${query}`);
      stream = opened;
      const remember = (event: MessageEvent): void => {
        if (event.lastEventId !== '') lastId = event.lastEventId;
      };
      opened.onopen = () => {
        failures = 0;
        onState({ kind: 'live' });
      };
      // Its own reconnecting would send the used ticket again.
      opened.onerror = again;
      opened.addEventListener('end', again);
      opened.addEventListener('reset', (event) => {
        remember(event);
        onReset();
      });
      for (const type of EVENTS)
        opened.addEventListener(type, (event: MessageEvent<string>) => {
          remember(event);
          onEvent(JSON.parse(event.data) as LiveEvent);
        });
    } catch {
      again();
    }
  };

  const wake = (): void => {
    if (stream === undefined && !isStopped) void connect();
  };
  onState({ kind: 'connecting' });
  void connect();
  globalThis.addEventListener?.('online', wake);
  return () => {
    isStopped = true;
    clearTimeout(timer);
    stream?.close();
    globalThis.removeEventListener?.('online', wake);
    onState({ kind: 'off' });
  };
}
