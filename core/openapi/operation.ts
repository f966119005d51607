/** One operation beside those of records, told in one place: what it takes, what it answers and how it is refused. */
import { compact, type Json, type JsonObject, type Schema } from './json.ts';
import { COMMON_ERRORS, errorsOf, jsonAnswer, jsonBody, type Paths } from './responses.ts';

/** Refusals of what changes something beside the records. */
export const CHANGE_ERRORS = [...COMMON_ERRORS, 409, 415, 422];

export interface Told {
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly JsonObject[];
  readonly body?: Schema;
  readonly isBodyOptional?: boolean;
  /** A body that is accepted as it stands. */
  readonly example?: Json;
  /** 200 when left out. */
  readonly status?: number;
  readonly told: string;
  readonly answer: Schema;
  readonly headers?: JsonObject;
  readonly errors?: readonly number[];
  /** Open to everybody, or to one with a session only. Left out: any credential. */
  readonly for?: 'everybody' | 'session';
}

export function operation(tag: string, id: string, given: Told): JsonObject {
  const { summary, description, parameters, body, example, status = 200, told, answer, headers = {}, errors = COMMON_ERRORS } = given;
  return compact({
    tags: [tag],
    operationId: id,
    summary,
    description,
    security: given.for === 'everybody' ? [] : given.for === 'session' ? [{ bearer: [] }] : undefined,
    parameters,
    requestBody: body === undefined ? undefined : withExample(jsonBody(body, given.isBodyOptional !== true), example),
    responses: { [String(status)]: jsonAnswer({ description: told, schema: answer, headers }), ...errorsOf(errors) },
  });
}

function withExample(body: JsonObject, example: Json | undefined): JsonObject {
  if (example === undefined) return body;
  const content = body['content'] as { readonly 'application/json': JsonObject };
  return { ...body, content: { 'application/json': { ...content['application/json'], example } } };
}

const METHODS: ReadonlySet<string> = new Set(['get', 'post', 'put', 'patch', 'delete']);

export const isMethod = (name: string): boolean => METHODS.has(name);

/** Operations that pass, and the paths that have any left. */
export function keepOperations(paths: Paths, isKept: (path: string, method: string, operation: JsonObject) => boolean): Paths {
  const kept = Object.entries(paths).map(([path, item]) => {
    const parts = Object.entries(item).filter(([name, part]) => !isMethod(name) || isKept(path, name, part as JsonObject));
    return [path, Object.fromEntries(parts)] as const;
  });
  return Object.fromEntries(kept.filter(([, item]) => Object.keys(item).some(isMethod)));
}

/** A parameter of a path. */
export const inPath = (name: string, schema: Schema, description?: string): JsonObject =>
  compact({ name, in: 'path', required: true, description, schema });

export const TEXT: Schema = { type: 'string' };
/** No text that is stored has a NUL. */
export const STORABLE: Schema = { type: 'string', pattern: '^[^\\u0000]*$' };
export const MAYBE_TEXT: Schema = { type: ['string', 'null'] };
export const WHOLE: Schema = { type: 'integer' };
export const FLAG: Schema = { type: 'boolean' };
export const UUID: Schema = { type: 'string', format: 'uuid' };
export const TIME: Schema = { type: 'string', format: 'date-time' };
export const MAYBE_TIME: Schema = { type: ['string', 'null'], format: 'date-time' };
export const TEXTS: Schema = { type: 'array', items: TEXT };
