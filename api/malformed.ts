/**
 * What cannot be read as an HTTP request, answered with the error envelope like everything else. A client that is still sending
 * when it is refused is listened to for a moment: closed at once, the kernel answers the bytes under way with a reset, and the
 * reset throws away the answer before the client has read it (RFC 9112, 9.6).
 */
import http, { type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '../core/errors.ts';
import { JSON_TYPE } from './http/answer.ts';

/** How long, and for how many bytes, a refused client is listened to. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 4 * 1024 * 1024;

export interface MalformedOptions {
  /** The error envelope of a refusal, as JSON text. */
  readonly envelope: (error: AppError, requestId: string) => string;
  readonly newRequestId: () => string;
  readonly common: Readonly<Record<string, string>>;
  readonly onAnswered: (status: number) => void;
}

export function answerMalformed(server: Server, options: MalformedOptions): void {
  server.on('clientError', (error: BrokenRequest, stream) => {
    const socket = stream as Socket;
    const begun = responseOn(socket);
    if (!socket.writable || error.code === 'ECONNRESET' || begun?.headersSent === true) return void socket.destroy();
    const refusal = refusalOf(error);
    socket.end(rawAnswer(refusal, takesBody(error), options));
    options.onAnswered(refusal.status);
    // A request that is being answered learns by the end of its connection that nobody waits for it.
    if (begun === undefined) linger(socket);
    else socket.destroySoon();
  });
}

/** `rawPacket`: what arrived last, which for a request in one piece is all of it. */
type BrokenRequest = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

/** What answers HEAD has no body. Of headers that came in pieces the method is not at hand any more. */
function takesBody({ code, rawPacket }: BrokenRequest): boolean {
  const start = rawPacket?.toString('latin1', 0, 8) ?? '';
  if (start.startsWith('HEAD ')) return false;
  return code !== 'HPE_HEADER_OVERFLOW' || /^[A-Z]+ /.test(start);
}

/** Node keeps the answer under way in this property, and asks it the same question before it answers a broken request itself. */
const responseOn = (socket: Socket): ServerResponse | undefined =>
  (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;

function refusalOf({ code }: BrokenRequest): AppError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new AppError('HEADERS_TOO_LARGE', 'The request line and headers together are longer than 32 KB.', {
        hint: 'Send long filters in the body of POST {entity}/_query.',
      });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new AppError('REQUEST_TIMEOUT', 'The request did not arrive in time: its headers within 10 s, all of it within 30 s.');
    default:
      return new AppError('INVALID_PAYLOAD', 'This is not an HTTP request that can be read.');
  }
}

function rawAnswer(error: AppError, hasBody: boolean, { envelope, newRequestId, common }: MalformedOptions): string {
  const requestId = newRequestId();
  const text = hasBody ? envelope(error, requestId) : '';
  const headers: Readonly<Record<string, string | number>> = {
    ...common,
    'X-Request-Id': requestId,
    Connection: 'close',
    'Content-Type': JSON_TYPE,
    'Content-Length': Buffer.byteLength(text),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${error.status} ${http.STATUS_CODES[error.status] ?? ''}\r\n${lines.join('')}\r\n${text}`;
}

function linger(socket: Socket): void {
  // The parser reads no more: it would refuse every further piece anew.
  socket.removeAllListeners('data');
  let left = LINGER_BYTES;
  socket.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  });
  socket.once('end', () => socket.destroySoon());
  socket.setTimeout(0);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
}
