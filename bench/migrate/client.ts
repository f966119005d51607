/** Requests of the load: kept connections, a bound on each answer, and no exception: no answer is an answer too. */
import http from 'node:http';
import type { Body } from './subject.ts';

export interface Answer {
  /** 0: the connection broke, or there was no answer in time. */
  readonly status: number;
  readonly data: unknown;
  readonly etag: string | undefined;
  readonly text: string;
}

export interface Client {
  send(method: string, path: string, options?: { body?: Body; headers?: Readonly<Record<string, string>> }): Promise<Answer>;
  close(): void;
}

const ANSWER_MS = 30_000;

export function clientOf(url: string, token: string): Client {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  return {
    send: (method, path, { body, headers } = {}) =>
      new Promise((resolve) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const nothing = (error: Error): void => resolve({ status: 0, data: undefined, etag: undefined, text: error.message });
        const request = http.request(`${url}${path}`, {
          agent,
          method,
          timeout: ANSWER_MS,
          headers: {
            authorization: `Bearer ${token}`,
            ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
            ...headers,
          },
        });
        request.once('error', nothing);
        request.once('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
        request.once('response', (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', nothing);
          response.once('end', () => resolve(answerOf(response, Buffer.concat(chunks).toString('utf8'))));
        });
        request.end(text);
      }),
    close: () => agent.destroy(),
  };
}

function answerOf(response: http.IncomingMessage, text: string): Answer {
  let data: unknown;
  try {
    data = (JSON.parse(text) as { data?: unknown }).data;
  } catch {
    // Only what was cut off on its way: the status says the rest.
  }
  return { status: response.statusCode ?? 0, data, etag: response.headers.etag, text };
}
