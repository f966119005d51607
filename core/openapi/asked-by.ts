/** What the credential of a caller leaves of the paths, and what limits and repeats add to their answers. */
import type { Scopes } from '../policy/access.ts';
import { ref, type Json, type JsonObject } from './json.ts';
import { isMethod, keepOperations } from './operation.ts';
import type { Paths } from './responses.ts';

/** Parts of the API beside the records that a key needs a scope for. */
const SCOPED = ['_admin', '_lists', '_overview', '_workflows'];

/** An API key asks neither what is for sessions only, nor parts it has no scope for. */
export function askedByKey(paths: Paths, base: string, scopes: Pick<Scopes, 'allowsPart'>): Paths {
  return keepOperations(paths, (path, method, operation) => {
    const part = path.slice(base.length + 1).split('/')[0] ?? '';
    return takesKey(operation) && (!SCOPED.includes(part) || scopes.allowsPart(part, method === 'get' ? 'read' : 'write'));
  });
}

function takesKey({ security }: JsonObject): boolean {
  if (!Array.isArray(security) || security.length === 0) return true;
  return security.some((one: Json) => typeof one === 'object' && one !== null && !('bearer' in one));
}

const RATE_HEADERS: JsonObject = Object.fromEntries(
  ['Limit', 'Remaining', 'Reset', 'Policy'].map((name) => [`RateLimit-${name}`, ref('headers', `RateLimit${name}`)]),
);

/** Where an app limits requests, the answers behind a sign-in say how the limit stands. Signing in itself does not count. */
export const withRateLimits = (paths: Paths, base: string): Paths =>
  changedOperations(paths, (path, operation) => (path.startsWith(`${base}/auth/`) ? operation : answering(operation, RATE_HEADERS)));

/** The refusal of a request that is one too many. */
export const limitedError = (error: JsonObject): JsonObject => withHeaders(error, RATE_HEADERS);

const KEY = ref('parameters', 'IdempotencyKey')['$ref'];
const REPLAYED: JsonObject = { 'Idempotent-Replayed': ref('headers', 'Replayed') };

/** What takes an Idempotency-Key says when its answer is an earlier one. */
export const withReplays = (paths: Paths): Paths =>
  changedOperations(paths, (_, operation) =>
    ((operation['parameters'] ?? []) as readonly JsonObject[]).some(({ $ref: to }) => to === KEY)
      ? answering(operation, REPLAYED)
      : operation,
  );

/** Parts that have one shape only. */
const SHAPELESS = ['auth', '_admin', '_imports', '_lists', '_overview', '_workflows'];
const SHAPE: JsonObject = { 'Schema-Version': ref('headers', 'SchemaVersion') };

/** Operations on data take the version that a client speaks, and say in which one they answer. */
export const withShapes = (paths: Paths, base: string): Paths =>
  changedOperations(paths, (path, operation) => {
    if (SHAPELESS.includes(path.slice(base.length + 1).split('/')[0] ?? '')) return operation;
    const parameters = (operation['parameters'] ?? []) as readonly JsonObject[];
    return answering({ ...operation, parameters: [...parameters, ref('parameters', 'SchemaVersion')] }, SHAPE);
  });

function changedOperations(paths: Paths, change: (path: string, operation: JsonObject) => JsonObject): Paths {
  const changed = (path: string, item: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(item).map(([name, part]) => [name, isMethod(name) ? change(path, part as JsonObject) : part]));
  return Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, changed(path, item)]));
}

function answering(operation: JsonObject, headers: JsonObject): JsonObject {
  const responses = Object.entries(operation['responses'] as Readonly<Record<string, JsonObject>>);
  return { ...operation, responses: Object.fromEntries(responses.map(([status, answer]) => [status, withHeaders(answer, headers)])) };
}

/** References stand for refusals, which others give too. */
const withHeaders = (answer: JsonObject, headers: JsonObject): JsonObject =>
  '$ref' in answer ? answer : { ...answer, headers: { ...(answer['headers'] as JsonObject), ...headers } };
