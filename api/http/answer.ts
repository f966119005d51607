/** What a route answers, and the one place that writes it. JSON text made by Postgres goes through without being parsed. */
import type { ServerResponse } from 'node:http';

export interface Answer {
  readonly status: number;
  /** JSON unless `type` says otherwise. */
  readonly text: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** What comes after `text`, of any length. The iterator's `return` must free what it holds, begun or not. */
  readonly stream?: AsyncIterable<string | Buffer>;
  /** Takes the response over once the headers are sent, for an answer that goes on by itself. */
  readonly live?: (response: ServerResponse) => void;
}

/** For what holds secrets or belongs to one moment. */
export const NO_STORE: Readonly<Record<string, string>> = { 'Cache-Control': 'no-store' };

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
  /** Told of a stream that broke; the client sees its connection cut. */
  readonly onBroken?: (error: unknown) => void;
}

/** All headers go in one `writeHead`: one `setHeader` before it would make Node check and copy each of them again. */
export function send(response: ServerResponse, answer: Answer, options: SendOptions): void {
  if (response.headersSent || response.destroyed) return void discard(answer);
  const headers = headersOf(answer, options);
  if (options.isClosing) headers.push('Connection', 'close');
  if (answer.status === 304 || answer.status === 204) {
    response.writeHead(answer.status, headers);
    response.end();
    return;
  }
  headers.push('Content-Type', answer.type ?? JSON_TYPE);
  if (answer.live !== undefined) {
    response.writeHead(answer.status, headers);
    return options.isHead ? void response.end() : answer.live(response);
  }
  if (answer.stream !== undefined) {
    response.writeHead(answer.status, headers);
    return void (options.isHead
      ? discard(answer).then(() => response.end())
      : pour(response, answer.text, answer.stream, options.onBroken));
  }
  headers.push('Content-Length', String(Buffer.byteLength(answer.text)));
  response.writeHead(answer.status, headers);
  response.end(options.isHead ? undefined : answer.text);
}

type HeaderList = (string | string[])[];

const lists = new WeakMap<SendOptions['common'], readonly string[]>();

/** Names and values in turn. The common ones are copied as they are: an object with a dozen keys, made per answer, costs much more. */
function headersOf(answer: Answer, { common, requestId, cors }: SendOptions): HeaderList {
  const own = answer.headers ?? {};
  const isReplaced = cors !== undefined || Object.keys(own).some((name) => Object.hasOwn(common, name));
  if (isReplaced) return Object.entries({ ...common, 'X-Request-Id': requestId, ...own, ...cors }).flat() as HeaderList;
  let list = lists.get(common);
  if (list === undefined) lists.set(common, (list = Object.entries(common).flat()));
  const headers: HeaderList = [...list, 'X-Request-Id', requestId];
  for (const name of Object.keys(own)) headers.push(name, own[name] as string | string[]);
  return headers;
}

async function discard(answer: Answer): Promise<void> {
  await answer.stream?.[Symbol.asyncIterator]().return?.();
}

/** How long a client may take to make room for more. */
const STALLED_MS = 30_000;

/** Writes as fast as the client reads. A stream that breaks cuts the connection, so that no part of it passes for the whole. */
async function pour(
  response: ServerResponse,
  beginning: string,
  stream: AsyncIterable<string | Buffer>,
  onBroken: SendOptions['onBroken'],
): Promise<void> {
  try {
    let hasRoom = response.write(beginning);
    for await (const piece of stream) {
      if (!hasRoom) await room(response);
      if (response.destroyed) return;
      hasRoom = response.write(piece);
    }
    response.end();
  } catch (error) {
    const hasLeft = response.destroyed;
    // A reset and not an end: HTTP/1.0 has no other sign that a body is not whole.
    response.socket?.resetAndDestroy();
    response.destroy();
    if (!hasLeft) onBroken?.(error);
  }
}

/** Resolves when the client has read on; fails when it does not for too long. */
function room(response: ServerResponse): Promise<void> {
  if (response.destroyed || !response.writableNeedDrain) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = (done: () => void): void => {
      clearTimeout(timer);
      response.off('drain', onRoom).off('close', onRoom);
      done();
    };
    const onRoom = (): void => settle(resolve);
    const timer = setTimeout(() => settle(() => reject(new Error('The client has stopped reading.'))), STALLED_MS);
    response.on('drain', onRoom).on('close', onRoom);
  });
}
