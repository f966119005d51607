/** `/api/_platform/schemas`: what apps can follow, and publishing it. */
import { checkParameters } from '../../operations/paging.ts';
import type { PlatformContext } from '../../operations/context.ts';
import {
  createSchema,
  getSchema,
  getSchemaVersion,
  listSchemas,
  listSchemaVersions,
  planSchema,
  publishSchema,
} from '../../operations/schemas/shared.ts';
import { dataAnswer, dataText, textAnswer, type Answer } from '../http/answer.ts';
import { objectOf, type Call } from '../http/call.ts';
import { publishOptionsOf } from './definitions.ts';
import { noSuchRoute } from './not-found.ts';
import { isDryRun, numberOf, published, wholeDocument } from './schema.ts';

export async function schemasRoute(ctx: PlatformContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [name, part, version, ...more] = rest;
  const isGet = call.method === 'GET';
  if (more.length > 0 || (!isGet && call.method !== 'POST')) throw noSuchRoute(call);
  checkParameters(call.query, part === 'versions' && !isGet ? ['dry_run', 'confirm'] : []);
  if (name === undefined) return isGet ? textAnswer(await listSchemas(ctx)) : dataText(await createSchema(ctx, await objectOf(call)), 201);
  if (part === undefined && isGet) return dataText(await getSchema(ctx, name));
  if (part !== 'versions') throw noSuchRoute(call);
  if (version === undefined) return isGet ? textAnswer(await listSchemaVersions(ctx, name)) : publishRoute(ctx, call, name);
  if (!isGet) throw noSuchRoute(call);
  return dataAnswer(await getSchemaVersion(ctx, name, numberOf(version)));
}

async function publishRoute(ctx: PlatformContext, call: Call, name: string): Promise<Answer> {
  const document = await wholeDocument(call);
  if (isDryRun(call)) return dataAnswer(await planSchema(ctx, name, document));
  return published(await publishSchema(ctx, name, document, publishOptionsOf(call)));
}
