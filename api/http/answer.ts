/** What a route answers, and the one place that writes it. JSON text made by Postgres goes through without being parsed. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

export interface Answer {
  readonly status: number;
  /** JSON unless `type` says otherwise. */
  readonly text: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

export const JSON_TYPE = 'application/json; charset=utf-8';

/** The whole body, ready. */
export const textAnswer = (text: string, status = 200, headers?: Answer['headers']): Answer =>
  headers === undefined ? { status, text } : { status, text, headers };

/** `{data: ...}` around JSON text. */
export const dataText = (json: string, status = 200, headers?: Answer['headers']): Answer =>
  textAnswer(`{"data":${json}}`, status, headers);

/** `{data: ...}` around a value. */
export const dataAnswer = (data: unknown, status = 200, headers?: Answer['headers']): Answer =>
  dataText(JSON.stringify(data ?? null), status, headers);

export const bodyAnswer = (body: unknown, status = 200, headers?: Answer['headers']): Answer =>
  textAnswer(JSON.stringify(body), status, headers);

export interface SendOptions {
  readonly requestId: string;
  /** The headers of every answer, and those of this one's origin. */
  readonly common: Readonly<Record<string, string>>;
  readonly cors?: Readonly<Record<string, string>> | undefined;
  readonly isHead: boolean;
  /** The process is about to stop: the client is asked to come back on another connection. */
  readonly isClosing: boolean;
}

/** All headers go in one `writeHead`: one `setHeader` before it would make Node check and copy each of them again. */
export function send(response: ServerResponse, answer: Answer, options: SendOptions): void {
  if (response.headersSent || response.destroyed) return;
  const headers = { ...options.common, 'X-Request-Id': options.requestId, ...answer.headers, ...options.cors } as OutgoingHttpHeaders;
  if (options.isClosing) headers['Connection'] = 'close';
  if (answer.status === 304 || answer.status === 204) {
    response.writeHead(answer.status, headers);
    response.end();
    return;
  }
  headers['Content-Type'] = answer.type ?? JSON_TYPE;
  headers['Content-Length'] = Buffer.byteLength(answer.text);
  response.writeHead(answer.status, headers);
  response.end(options.isHead ? undefined : answer.text);
}
