/** One request as the routes see it: decoded path, query, headers and a body that is read when it is asked for. */
import type { Request } from 'express';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../../core/errors.ts';
import type { AppRuntime } from '../../operations/context.ts';
import { readMembers, type Members } from '../../operations/payload.ts';
import { readJsonBody, readTextBody } from './body.ts';

export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Upper case; HEAD is answered like GET, without the body. */
  readonly method: string;
  /** The decoded segments behind `/api`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly requestId: string;
  readonly now: Date;
  readonly startedAt: number;
  /** The pattern that answers, for metrics; set by the routes. */
  route: string;
  /** The app that answers, for CORS; set by the routes. */
  app: AppRuntime | undefined;
  /** The version whose shape is answered in, where it was asked for or is not the served one; set by the routes. */
  shape: number | undefined;
  /** RateLimit headers of the answer, where a limit is set. */
  limits: Readonly<Record<string, string>> | undefined;
  /** The JSON body once it is asked for: whoever asks next gets the same. */
  json: Promise<unknown> | undefined;
}

const prefix = randomBytes(6).toString('hex');
let counter = 0;
const GIVEN_ID = /^[\w.:-]{1,128}$/;

export const newRequestId = (): string => `${prefix}-${(counter++).toString(36)}`;

/** The caller's X-Request-Id when it is a harmless one, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && GIVEN_ID.test(given) ? given : newRequestId();
}

export function createCall(request: IncomingMessage, response: ServerResponse, requestId: string): Call {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  return {
    request,
    response,
    method: request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET'),
    path: segmentsOf(path),
    query: new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)),
    requestId,
    now: new Date(),
    startedAt: performance.now(),
    route: 'unknown',
    app: undefined,
    shape: undefined,
    limits: undefined,
    json: undefined,
  };
}

/** `/api/a/b/` is ['a', 'b']. Repeated and closing slashes mean nothing. */
function segmentsOf(path: string): string[] {
  const segments = path.split('/');
  const decoded: string[] = [];
  for (let i = 2; i < segments.length; i++) {
    const segment = segments[i];
    if (segment !== undefined && segment !== '') decoded.push(segment.includes('%') ? decode(segment) : segment);
  }
  return decoded;
}

function decode(segment: string): string {
  try {
    const text = decodeURIComponent(segment);
    if (!text.includes('\0')) return text;
  } catch {
    // Falls through to the refusal: a broken escape is the caller's mistake.
  }
  throw new AppError('INVALID_PAYLOAD', 'The path holds an escape that is not valid.');
}

export const headerOf = (call: Call, name: string): string | undefined => {
  const given = call.request.headers[name];
  return Array.isArray(given) ? given[0] : given;
};

/** Where the request comes from, as far as TRUST_PROXY lets a proxy say so. */
export const addressOf = (call: Call): string | null => (call.request as Request).ip ?? null;

/** The JSON body; `undefined` when there is none. */
export const jsonOf = (call: Call): Promise<unknown> => (call.json ??= readJsonBody(call.request));

/** The JSON body as an object, which is what nearly every route takes. */
export async function objectOf(call: Call): Promise<Record<string, unknown>> {
  const body = await jsonOf(call);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AppError('INVALID_PAYLOAD', 'The body must be a JSON object.', {
      hint: 'Send Content-Type: application/json and a body like {"name": "value"}.',
    });
  }
  return body as Record<string, unknown>;
}

/** The members of a command's body, of those that it takes. */
export const membersOf = async <Name extends string>(call: Call, what: string, known: readonly Name[]): Promise<Members<Name>> =>
  readMembers(await objectOf(call), what, known);

/** The same, where the body may be left out. */
export const optionalMembersOf = async <Name extends string>(call: Call, what: string, known: readonly Name[]): Promise<Members<Name>> =>
  readMembers((await jsonOf(call)) ?? {}, what, known);

/** For commands that take no body: none, or an empty one. */
export const noBodyOf = async (call: Call, what: string): Promise<void> => void (await optionalMembersOf(call, what, []));

/** The body of an import: JSON as a value, YAML as text. */
export async function documentOf(call: Call): Promise<unknown> {
  const type = (headerOf(call, 'content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (['text/yaml', 'application/yaml', 'application/x-yaml', 'text/x-yaml'].includes(type)) return readTextBody(call.request);
  return jsonOf(call);
}
