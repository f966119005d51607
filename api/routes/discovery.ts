/** What an app holds, as far as the caller may know: `_discovery` in our own words, `_openapi.json` in those of OpenAPI. */
import type { AppContext } from '../../operations/context.ts';
import { discover } from '../../operations/schemas/discovery.ts';
import { openApiOf } from '../../operations/schemas/openapi.ts';
import { textAnswer, type Answer } from '../http/answer.ts';
import { headerOf, type Call } from '../http/call.ts';
import { unlessKnown } from '../http/if-none-match.ts';
import { noSuchRoute, wrongMethod } from './not-found.ts';

/** `GET /api/:app/_discovery` */
export async function discoveryRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  if (rest.length > 0) throw noSuchRoute(call);
  if (call.method !== 'GET') throw wrongMethod(call, ['GET']);
  call.route = '/api/:app/_discovery';
  const { text, etag } = discover(ctx);
  return unlessKnown(call, etag, textAnswer(text, 200, { ETag: etag }));
}

const YAML = /^(?:text|application)\/(?:vnd\.oai\.openapi|(?:x-)?yaml)\b(?!\+json)/;

/** `GET /api/:app/_openapi.json`; YAML for who accepts it. */
export async function openApiRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  if (rest.length > 0) throw noSuchRoute(call);
  if (call.method !== 'GET') throw wrongMethod(call, ['GET']);
  call.route = '/api/:app/_openapi.json';
  const format = YAML.test(headerOf(call, 'accept') ?? '') ? 'yaml' : 'json';
  const { text, etag } = await openApiOf(ctx, format);
  const headers = { ETag: etag, Vary: 'Accept, Authorization' };
  const answer = textAnswer(text, 200, headers);
  return unlessKnown(call, etag, format === 'yaml' ? { ...answer, type: 'application/yaml; charset=utf-8' } : answer);
}
