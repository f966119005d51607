/** Many clients of server-sent events in one process: they count what they are told, and how long it took. */
import http from 'node:http';

export interface Streams {
  readonly size: number;
  readonly heard: number;
  readonly repeated: number;
  readonly broken: number;
  /** From the time of the transaction to the client, in milliseconds. */
  readonly latencies: readonly number[];
  close(): void;
}

/** Opens a stream per entry, some at a time; resolves when all are told their place. */
export async function openStreams(port: number, app: string, clients: readonly { readonly token: string }[]): Promise<Streams> {
  const agent = new http.Agent({ maxSockets: Infinity });
  const counts = { heard: 0, repeated: 0, broken: 0 };
  const latencies: number[] = [];
  const requests: http.ClientRequest[] = [];
  let isClosed = false;

  const open = (token: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
      const request = http.get({ port, host: '127.0.0.1', path: `/api/${app}/_events?entities=ticket`, agent, headers }, (response) => {
        if (response.statusCode !== 200) return reject(new Error(`A stream answered ${String(response.statusCode)}.`));
        let rest = '';
        let last = 0;
        response.setEncoding('latin1');
        response.on('data', (text: string) => {
          resolve();
          const now = Date.now();
          const frames = (rest + text).split('\n\n');
          rest = frames.pop() ?? '';
          for (const frame of frames) {
            if (!frame.includes('\ndata: ')) continue;
            const position = Number(/^id: [0-9a-f]+\.(\d+)/m.exec(frame)?.[1]);
            if (position <= last) counts.repeated += 1;
            last = position;
            counts.heard += 1;
            latencies.push(now - Date.parse(/"ts":"([^"]+)"/.exec(frame)?.[1] ?? ''));
          }
        });
        response.on('close', () => {
          if (!isClosed) counts.broken += 1;
        });
      });
      request.on('error', (error) => (isClosed ? undefined : reject(error)));
      requests.push(request);
    });

  for (let from = 0; from < clients.length; from += 50) await Promise.all(clients.slice(from, from + 50).map(({ token }) => open(token)));
  return {
    size: requests.length,
    get heard() {
      return counts.heard;
    },
    get repeated() {
      return counts.repeated;
    },
    get broken() {
      return counts.broken;
    },
    latencies,
    close() {
      isClosed = true;
      for (const request of requests) request.destroy();
      agent.destroy();
    },
  };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
