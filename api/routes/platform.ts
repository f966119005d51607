/** `/api/_platform/...`: everything that is not inside one app. */
import { examples } from '../../adapters/examples.ts';
import { PLATFORM_REALM } from '../../adapters/tokens.ts';
import { AppError } from '../../core/errors.ts';
import { documentJsonSchema } from '../../core/model/json-schema.ts';
import { createApp } from '../../operations/apps/create.ts';
import { getApp, listApps } from '../../operations/apps/read.ts';
import { restoreApp, retireApp } from '../../operations/apps/retire.ts';
import { updateApp } from '../../operations/apps/update.ts';
import { PLATFORM_HOME } from '../../operations/auth/home.ts';
import type { PlatformContext } from '../../operations/context.ts';
import { checkParameters } from '../../operations/paging.ts';
import { listAudit, listMigrations, listSchemaEvents } from '../../operations/platform/lists.ts';
import type { Api } from '../api.ts';
import { authenticate, requireScope } from '../authenticate.ts';
import { bodyAnswer, dataAnswer, dataText, textAnswer, type Answer } from '../http/answer.ts';
import { objectOf, type Call } from '../http/call.ts';
import { auditRoute } from './audit.ts';
import { invitesRoute } from './invites.ts';
import { apiKeysRoute } from './api-keys.ts';
import { platformAuthRoute } from './auth.ts';
import { rolloutsRoute } from './rollouts.ts';
import { schemasRoute } from './schemas.ts';
import { signingKeysRoute } from './signing-keys.ts';
import { confirmOf } from './definitions.ts';
import { noSuchRoute, wrongMethod } from './not-found.ts';
import { providersRoute } from './oidc.ts';
import { usersRoute } from './users.ts';

const schemaText = (): string => (cachedSchema ??= JSON.stringify(documentJsonSchema()));
let cachedSchema: string | undefined;

export async function platformRoute(api: Api, call: Call, rest: readonly string[]): Promise<Answer> {
  const [part, ...more] = rest;
  call.route = `/api/_platform/${part ?? ''}`;
  if (part === 'auth') return platformAuthRoute(api, call, more);
  if (part === 'document-schema.json' && more.length === 0 && call.method === 'GET') {
    return { ...textAnswer(schemaText(), 200, { 'Cache-Control': 'public, max-age=300' }), type: 'application/schema+json; charset=utf-8' };
  }
  const { actor } = await authenticate(api, call, PLATFORM_REALM);
  requireScope(actor, '_platform', call.method);
  const ctx: PlatformContext = { services: api.services, actor, now: call.now, requestId: call.requestId };
  if (part === 'apps') return appsRoute(ctx, call, more);
  if (part === 'schemas') return schemasRoute(ctx, call, more);
  if (part === 'examples') return examplesRoute(call, more);
  if (part === 'rollouts') return rolloutsRoute(ctx, call, more);
  if (part === 'users') return usersRoute(api, call, { services: api.services, actor, realm: PLATFORM_REALM }, more);
  if (part === 'invites') return invitesRoute(call, { services: api.services, actor, home: PLATFORM_HOME }, more);
  if (part === 'signing-keys') return signingKeysRoute(api, call, { services: api.services, actor, realm: PLATFORM_REALM }, more);
  if (part === 'auth-providers')
    return providersRoute(api, call, { services: api.services, actor, realm: PLATFORM_REALM, name: PLATFORM_HOME.name }, more);
  if (part === 'api-keys') return apiKeysRoute(api, call, { services: api.services, actor, realm: PLATFORM_REALM, owner: undefined }, more);
  if (part === 'audit' && more.length > 0) return auditRoute(call, { services: api.services, actor, app: null }, more);
  if (call.method !== 'GET' || more.length > 0) throw noSuchRoute(call);
  switch (part) {
    case 'audit':
      return textAnswer(await listAudit(ctx, call.query));
    case 'events':
      return textAnswer(await listSchemaEvents(ctx, call.query));
    case 'migrations':
      return textAnswer(await listMigrations(ctx, call.query));
    default:
      call.route = 'unknown';
      throw noSuchRoute(call);
  }
}

/** `GET /api/_platform/examples`: documents to begin an app with; `/:name` is the document itself, as `_admin/import` takes it. */
function examplesRoute(call: Call, [name, ...more]: readonly string[]): Answer {
  if (more.length > 0) throw noSuchRoute(call);
  if (call.method !== 'GET') throw wrongMethod(call, ['GET']);
  checkParameters(call.query, []);
  if (name === undefined) return dataAnswer(examples().map(({ text: _, ...example }) => example));
  const found = examples().find((example) => example.name === name);
  if (found !== undefined) return textAnswer(found.text);
  throw new AppError('NOT_FOUND', `There is no example "${name.slice(0, 100)}".`, { hint: 'GET /api/_platform/examples lists them.' });
}

async function appsRoute(ctx: PlatformContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [name, verb, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  if (name === undefined) {
    if (call.method === 'GET') return textAnswer(await listApps(ctx, call.query));
    if (call.method !== 'POST') throw noSuchRoute(call);
    const made = await createApp(ctx, await objectOf(call));
    return dataText(made.text, made.isUsable ? 201 : 202);
  }
  if (verb === 'restore' && call.method === 'POST') return dataText(await restoreApp(ctx, name));
  if (verb !== undefined) throw noSuchRoute(call);
  switch (call.method) {
    case 'GET':
      return dataText(await getApp(ctx, name));
    case 'PUT':
    case 'PATCH': {
      const { text, isPending } = await updateApp(ctx, name, await objectOf(call), confirmOf(call));
      return dataText(text, isPending ? 202 : 200);
    }
    case 'DELETE': {
      checkParameters(call.query, ['now']);
      const now = ['true', '1', ''].includes(call.query.get('now') ?? 'false');
      return bodyAnswer({ message: 'App deleted', data: await retireApp(ctx, name, { now }) });
    }
    default:
      throw noSuchRoute(call);
  }
}
