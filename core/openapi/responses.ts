/** Answers every operation shares: the error envelope by status, and the headers. */
import { ERROR_STATUS } from '../errors.ts';
import { arrayOf, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import type { EntityView } from './view.ts';

export type Paths = Record<string, JsonObject>;

/** Refusals of every route behind a sign-in. */
export const COMMON_ERRORS = [400, 401, 403, 404, 405, 413, 429, 500, 503];
/** Refusals of every write of records. */
export const WRITE_ERRORS = [...COMMON_ERRORS, 409, 415, 422, 502];

const ERROR_TEXT: Readonly<Record<number, string>> = {
  400: 'The request cannot be read: a name, a parameter or a value is wrong.',
  401: 'No credentials, or expired or revoked ones.',
  403: 'The caller may not do this.',
  404: 'There is no such thing, or none the caller may see.',
  405: 'The path does not take this method; `Allow` lists those it takes.',
  409: 'It collides with what is stored, or with a change in progress.',
  412: '`If-Match` names another version: somebody was faster.',
  413: 'The body, the nesting or the result is over a limit.',
  415: 'The body is of a type this route does not read.',
  422: 'The content is refused: a rule, a type, a reference or a state.',
  429: 'Too many requests.',
  500: 'A mistake of ours; the log has it under `request_id`.',
  502: 'A synchronous webhook did not answer; nothing was written.',
  503: 'A service this needs is away, or the app is in maintenance.',
};

const MAY_COME_BACK = new Set([409, 429, 503]);

const codesOf = (status: number): string[] =>
  Object.entries(ERROR_STATUS).flatMap(([code, codeStatus]) => (codeStatus === status ? [code] : []));

const STATUSES = [...new Set<number>(Object.values(ERROR_STATUS))].sort((a, b) => a - b);

/** `Error400` and so on: the envelope with the codes of that status. */
export const errorResponses = (): Record<string, JsonObject> =>
  Object.fromEntries(
    STATUSES.map((status) => [
      `Error${String(status)}`,
      {
        description: ERROR_TEXT[status] ?? 'The request was refused.',
        headers: {
          'X-Request-Id': ref('headers', 'RequestId'),
          ...(MAY_COME_BACK.has(status) ? { 'Retry-After': ref('headers', 'RetryAfter') } : {}),
          ...(status === 401 ? { 'WWW-Authenticate': ref('headers', 'Authenticate') } : {}),
          ...(status === 405 ? { Allow: ref('headers', 'Allow') } : {}),
        },
        content: { 'application/json': { schema: errorSchema(codesOf(status)) } },
      },
    ]),
  );

function errorSchema(codes: readonly string[]): Schema {
  return {
    allOf: [
      ref('schemas', 'Error'),
      { type: 'object', properties: { error: { type: 'object', properties: { code: { type: 'string', enum: codes } } } } },
    ],
  };
}

export const ERROR_SCHEMA: Schema = objectOf(
  {
    error: objectOf(
      {
        code: { type: 'string', enum: Object.keys(ERROR_STATUS), description: 'Stable; it decides the status.' },
        message: { type: 'string', description: 'What is wrong and what to do, for people.' },
        details: arrayOf(ref('schemas', 'ErrorDetail')),
        hint: { type: 'string' },
        request_id: { type: 'string' },
      },
      ['code', 'message', 'details', 'request_id'],
    ),
    errors: arrayOf(
      objectOf({ field: { type: ['string', 'null'] }, code: { type: 'string' }, message: { type: 'string' } }, [
        'field',
        'code',
        'message',
      ]),
    ),
  },
  ['error'],
);

export const ERROR_DETAIL_SCHEMA: Schema = {
  type: 'object',
  properties: {
    field: { type: 'string' },
    rule: { type: 'string' },
    message: { type: 'string' },
    path: { type: 'string', description: 'The way into the body for nested values.' },
    relation: { type: 'string' },
    index: { type: 'integer' },
    allowed: arrayOf({ type: 'string' }),
  },
  required: ['message'],
};

export const HEADERS: Record<string, JsonObject> = {
  RequestId: { description: 'Names this request in our log.', schema: { type: 'string' } },
  RetryAfter: { description: 'Seconds after which it may work.', schema: { type: 'integer', minimum: 1 } },
  Authenticate: { description: 'How to authenticate.', schema: { type: 'string' } },
  Allow: { description: 'The methods this path takes.', schema: { type: 'string' } },
  Location: { description: 'Where the browser goes next.', schema: { type: 'string' } },
  RateLimitLimit: {
    description: 'Requests a minute of whoever is nearest to the limit: the key, the user or the app.',
    schema: { type: 'integer' },
  },
  RateLimitRemaining: { description: 'How many of them are left.', schema: { type: 'integer' } },
  RateLimitReset: { description: 'Seconds until all of them are there again.', schema: { type: 'integer', minimum: 1 } },
  RateLimitPolicy: { description: 'The limit with its window in seconds: `600;w=60`.', schema: { type: 'string' } },
  Replayed: {
    description: '`true` for the answer of an earlier request with this `Idempotency-Key`.',
    schema: { type: 'string', const: 'true' },
  },
  SchemaVersion: {
    description:
      'The version whose names and types the answer has: the one that was asked for, or an older one whose names the request used.',
    schema: { type: 'integer', minimum: 1 },
  },
  FileName: { description: 'The name to save it under.', schema: { type: 'string' } },
  ETag: { description: "The record's version; send it as `If-None-Match` or `If-Match`.", schema: { type: 'string' } },
};

/** References to the error answers of these statuses. */
export const errorsOf = (statuses: readonly number[]): JsonObject =>
  Object.fromEntries(
    [...new Set(statuses)].sort((a, b) => a - b).map((status) => [String(status), ref('responses', `Error${String(status)}`)]),
  );

export interface Success {
  readonly description: string;
  readonly schema: Schema;
  readonly headers?: JsonObject;
  readonly links?: JsonObject;
}

export const jsonAnswer = ({ description, schema, headers = {}, links }: Success): JsonObject => ({
  description,
  headers: { 'X-Request-Id': ref('headers', 'RequestId'), ...headers },
  content: { 'application/json': { schema } },
  ...(links === undefined ? {} : { links }),
});

export const data = (schema: Schema): Schema => objectOf({ data: schema }, ['data']);

/** An operation on the records of an entity. */
export const tagged = ({ entity }: EntityView, verb: string, summary: string, rest: JsonObject): JsonObject => ({
  tags: [entity.name],
  operationId: `${verb}_${entity.name}`,
  summary,
  ...rest,
});

export const words = ({ entity }: EntityView): string => entity.name.replaceAll('_', ' ');

export const jsonBody = (schema: Schema, required = true): JsonObject => ({ required, content: { 'application/json': { schema } } });

export const headerParameter = (name: string, description: string): JsonObject => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string' },
});

/** What a read with an ETag takes and answers besides. */
export const UNLESS_KNOWN: JsonObject = headerParameter('If-None-Match', 'An ETag that is known already.');
export const NOT_MODIFIED: JsonObject = {
  '304': { description: 'It has not changed.', headers: { ETag: ref('headers', 'ETag'), 'X-Request-Id': ref('headers', 'RequestId') } },
};

/** A read that answers 304 to who knows its ETag already. */
export const withETag = (operation: JsonObject): JsonObject => ({
  ...operation,
  parameters: [...((operation['parameters'] as readonly JsonObject[] | undefined) ?? []), UNLESS_KNOWN],
  responses: { ...(operation['responses'] as JsonObject), ...NOT_MODIFIED },
});

/** What every operation on data takes. */
export const SHAPE_PARAMETER_COMPONENTS: Record<string, JsonObject> = {
  SchemaVersion: {
    ...headerParameter(
      'Schema-Version',
      'The version whose names and types the client speaks; without it the served one. Older versions are answered while their migration is in grace, the next one as soon as its migration has made its columns; others are 409.',
    ),
    schema: { type: 'integer', minimum: 1 },
  },
};

/** The headers a write takes. */
export const writeHeaders = (...also: 'If-Match'[]): JsonObject[] => [
  ...also.map(() => ref('parameters', 'IfMatch')),
  ref('parameters', 'IdempotencyKey'),
];

export const WRITE_PARAMETER_COMPONENTS: Record<string, JsonObject> = {
  IfMatch: headerParameter('If-Match', 'The ETag of the version to change; another one is refused with 412.'),
  IdempotencyKey: {
    ...headerParameter('Idempotency-Key', 'A repeat with the same key is answered with the first answer and writes nothing.'),
    schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
  },
};
