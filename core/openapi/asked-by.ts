/** What the credential of a caller leaves of the paths, and what the limits of an app add to their answers. */
import type { Scopes } from '../policy/access.ts';
import { ref, type Json, type JsonObject } from './json.ts';
import { isMethod, keepOperations } from './operation.ts';
import type { Paths } from './responses.ts';

/** Parts of the API beside the records that a key needs a scope for. */
const SCOPED = ['_admin', '_workflows'];

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
  Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, path.startsWith(`${base}/auth/`) ? item : limited(item)] as const));

const limited = (item: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(item).map(([name, part]) => [name, isMethod(name) ? limitedOperation(part as JsonObject) : part]));

function limitedOperation(operation: JsonObject): JsonObject {
  const responses = Object.entries(operation['responses'] as Readonly<Record<string, JsonObject>>);
  return { ...operation, responses: Object.fromEntries(responses.map(([status, answer]) => [status, withHeaders(answer)])) };
}

/** References stand for answers that not only limited routes give. */
const withHeaders = (answer: JsonObject): JsonObject =>
  '$ref' in answer ? answer : { ...answer, headers: { ...(answer['headers'] as JsonObject), ...RATE_HEADERS } };

/** The refusal of a request that is one too many. */
export const limitedError = (error: JsonObject): JsonObject => withHeaders(error);
