/** The API's refusals in the shape react-admin shows: one message per field, nested rows in their place, and that of the whole on top. */
import { HttpError } from 'react-admin';
import { ApiError, type ApiErrorBody } from '../../../client/client.ts';

/** What `HttpError.body` holds. */
export interface RefusedBody {
  /** As the form is shaped: `{title: "…", lines: [{}, {qty: "…"}], root: {serverError: "…"}}`. */
  readonly errors: Readonly<Record<string, unknown>>;
  /** The API's own words: code, hint, details, request. */
  readonly error?: ApiErrorBody['error'];
  /** With 412: the record as it is now. Saving with `meta: {ifMatch: current._etag}` goes over it knowingly. */
  readonly current?: Readonly<Record<string, unknown>>;
}

export function refusal(error: unknown, current?: Readonly<Record<string, unknown>>): unknown {
  if (!(error instanceof ApiError)) return error;
  const body: RefusedBody = {
    errors: fieldErrors(error.body, error.message),
    ...(error.body === undefined ? {} : { error: error.body.error }),
    ...(current === undefined ? {} : { current }),
  };
  return new HttpError(messageOf(error), error.status, body);
}

export const refusedBody = (error: unknown): RefusedBody | undefined =>
  error instanceof HttpError && typeof error.body === 'object' && error.body !== null ? (error.body as RefusedBody) : undefined;

export function messageOf(error: ApiError): string {
  const hint = error.body?.error.hint;
  return hint === undefined ? error.message : `${error.message} ${hint}`;
}

/** Several mistakes of one field stand in one message; those of no field are told with the whole. */
export function fieldErrors(body: ApiErrorBody | undefined, message: string): Readonly<Record<string, unknown>> {
  const errors: Record<string, unknown> = {};
  const rest: string[] = [];
  for (const detail of body?.error.details ?? []) {
    const path = (detail.path ?? detail.field)?.split('.');
    if (path === undefined) rest.push(detail.message);
    else put(errors, path, detail.message);
  }
  return { ...errors, root: { serverError: rest.length > 0 ? rest.join(' ') : (body?.error.message ?? message) } };
}

/** Sets `lines.1.qty`; numbers make lists, so that the message stands at the second row. */
function put(into: Record<string, unknown>, [first = '', ...rest]: readonly string[], message: string): void {
  if (first === '' || first === '__proto__') return;
  const before = into[first];
  if (rest.length === 0) {
    into[first] = typeof before === 'string' && before !== message ? `${before} ${message}` : (before ?? message);
    return;
  }
  const below = isContainer(before) ? before : /^\d{1,4}$/.test(rest[0] ?? '') ? ([] as unknown as Record<string, unknown>) : {};
  into[first] = below;
  put(below, rest, message);
  // A list's holes are rows without mistakes.
  if (Array.isArray(below)) for (let index = 0; index < below.length; index++) below[index] ??= {};
}

const isContainer = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
