/** A client of server-sent events over plain HTTP, which a test can pause, break and resume. */
import http from 'node:http';
import { vi } from 'vitest';

export interface SseEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export interface SseClient {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly events: SseEvent[];
  /** As a browser has it: also moved by frames without data. */
  readonly lastId: () => string;
  readonly retryMs: () => number | undefined;
  readonly isEnded: () => boolean;
  /** The body of an answer that is no stream. */
  readonly body: () => string;
  waitFor(holds: (events: readonly SseEvent[]) => boolean, timeoutMs?: number): Promise<void>;
  untilEnd(timeoutMs?: number): Promise<void>;
  pause(): void;
  /** Breaks the connection. */
  kill(): void;
}

export function listen(url: string, headers: Readonly<Record<string, string>> = {}): Promise<SseClient> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent: false, headers: { accept: 'text/event-stream', ...headers } });
    request.once('error', reject);
    request.once('response', (response) => {
      request.on('error', () => undefined);
      resolve(clientOf(request, response));
    });
    request.end();
  });
}

function clientOf(request: http.ClientRequest, response: http.IncomingMessage): SseClient {
  const events: SseEvent[] = [];
  let rest = '';
  let all = '';
  let lastId = '';
  let retryMs: number | undefined;
  let isEnded = false;
  response.setEncoding('utf8');
  response.on('data', (text: string) => {
    if (response.statusCode !== 200) all += text;
    rest += text;
    const frames = rest.split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      let event = 'message';
      let data: string | undefined;
      for (const line of frame.split('\n')) {
        if (line.startsWith('id: ')) lastId = line.slice(4);
        if (line.startsWith('event: ')) event = line.slice(7);
        if (line.startsWith('data: ')) data = line.slice(6);
        if (line.startsWith('retry: ')) retryMs = Number(line.slice(7));
      }
      if (data !== undefined) events.push({ id: lastId, event, data: JSON.parse(data) as Record<string, unknown> });
    }
  });
  const end = (): void => void (isEnded = true);
  response.on('end', end).on('close', end).on('error', end);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    lastId: () => lastId,
    retryMs: () => retryMs,
    isEnded: () => isEnded,
    body: () => all,
    waitFor: (holds, timeoutMs = 10_000) => vi.waitUntil(() => holds(events), { timeout: timeoutMs, interval: 10 }).then(() => undefined),
    untilEnd: (timeoutMs = 10_000) => vi.waitUntil(() => isEnded, { timeout: timeoutMs, interval: 10 }).then(() => undefined),
    pause: () => void response.pause(),
    kill: () => void request.destroy(),
  };
}
