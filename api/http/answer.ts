/** What a route answers, and the one place that writes it. JSON text made by Postgres goes through without being parsed. */
import type { ServerResponse } from 'node:http';

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
export const dataText = (json: string, status = 200, headers?: Answer['headers']): Answer => textAnswer(`{"data":${json}}`, status, headers);

/** `{data: ...}` around a value. */
export const dataAnswer = (data: unknown, status = 200, headers?: Answer['headers']): Answer => dataText(JSON.stringify(data ?? null), status, headers);

export const bodyAnswer = (body: unknown, status = 200, headers?: Answer['headers']): Answer => textAnswer(JSON.stringify(body), status, headers);

export function send(response: ServerResponse, answer: Answer, common: Readonly<Record<string, string>>, options: { readonly isHead: boolean }): void {
  if (response.headersSent || response.destroyed) return;
  const headers: Record<string, string | number | string[]> = { ...common };
  if (answer.headers !== undefined) for (const [name, value] of Object.entries(answer.headers)) headers[name] = value as string | string[];
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
