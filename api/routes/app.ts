/** `/api/:app/...`: who is asking, of which app, and which part answers. */
import { AppError, isAppError } from '../../core/errors.ts';
import { actAs } from '../../operations/auth/act-as.ts';
import { homeOf } from '../../operations/auth/home.ts';
import type { Actor, AppContext, AppRuntime } from '../../operations/context.ts';
import { isReservedWord } from '../../operations/apps/names.ts';
import type { Api } from '../api.ts';
import { credentialOf, realmOf, requireScope, verifyCredential } from '../authenticate.ts';
import type { Answer } from '../http/answer.ts';
import { headerOf, type Call } from '../http/call.ts';
import { refuseUselessKey } from '../http/write-options.ts';
import { limitRequest } from '../limits.ts';
import { servedShape } from '../rerun.ts';
import { rewritePath } from '../rewrites.ts';
import { absencesRoute } from './absences.ts';
import { adminRoute } from './admin.ts';
import { authRoute } from './auth.ts';
import { batchRoute } from './batch.ts';
import { discoveryRoute, openApiRoute } from './discovery.ts';
import { docsRoute } from './docs.ts';
import { eventsCredential, eventsRoute } from './events.ts';
import { hooksRoute } from './hooks.ts';
import { importsRoute } from './imports.ts';
import { listsRoute } from './lists.ts';
import { noSuchRoute } from './not-found.ts';
import { notificationsRoute } from './notifications.ts';
import { overviewRoute } from './overview.ts';
import { platformRoute } from './platform.ts';
import { recordsRoute } from './records.ts';
import { clocksRoute } from './slas.ts';
import { workflowsRoute } from './workflows.ts';

/** Every path under `/api`. */
export async function apiRoute(api: Api, call: Call): Promise<Answer> {
  const tenant = headerOf(call, 'x-tenant-id');
  const path = rewritePath(call.path, tenant, call.query);
  if (path[0] === undefined) throw noSuchRoute(call);
  if (path[0] === '_platform') {
    if (headerOf(call, 'x-as-user') !== undefined) throw actsNowhere();
    refuseUselessKey(call, path);
    return platformRoute(api, call, path.slice(1));
  }
  const found = await findApp(api, call, path, tenant);
  call.app = found.app;
  refuseUnlessServing(api, found.app);
  const answer = await appRoute(api, call, found.app, found.rest);
  if (call.shape === undefined) return answer;
  const vary = [answer.headers?.['Vary'] ?? [], 'Schema-Version'].flat().join(', ');
  return { ...answer, headers: { ...answer.headers, 'Schema-Version': String(call.shape), Vary: vary } };
}

/** The app a path means, for a browser that asks before it calls; undefined when there is none. */
export async function appOfPath(api: Api, call: Call): Promise<AppRuntime | undefined> {
  const tenant = headerOf(call, 'x-tenant-id');
  const path = rewritePath(call.path, tenant, call.query);
  if (path[0] === undefined || path[0] === '_platform') return undefined;
  try {
    return (await findApp(api, call, path, tenant)).app;
  } catch (error) {
    if (isAppError(error) && error.status === 404) return undefined;
    throw error;
  }
}

interface Found {
  readonly app: AppRuntime;
  readonly rest: readonly string[];
}

/** The app of a path: named by its first segment, or the default one (or the X-Tenant-Id one) when that is a part or an entity. */
async function findApp(api: Api, call: Call, path: readonly string[], tenant: string | undefined): Promise<Found> {
  const { registry, config } = api.services;
  const [first = '', ...rest] = path;
  const home = tenant ?? config.defaultApp;
  if (isReservedWord(first)) {
    if (!first.startsWith('_') && first !== 'auth') throw noSuchRoute(call);
    if (home === undefined)
      throw new AppError('APP_NOT_FOUND', 'The path names no app, and there is no default app.', {
        hint: 'Use /api/<app>/..., or set DEFAULT_APP.',
      });
    return { app: await appNamed(api, home), rest: path };
  }
  const cached = registry.cachedByName(first);
  if (cached !== undefined) return { app: cached, rest };
  const homeApp = home === undefined ? undefined : await registry.byName(home);
  if (tenant === undefined && homeApp?.model.entities.has(first) === true) return { app: homeApp, rest: path };
  const named = await registry.byName(first);
  if (named !== undefined) return { app: named, rest };
  const isEntity =
    homeApp !== undefined &&
    (homeApp.model.entities.has(first) || (await hasNewEntity(api, homeApp, first)) || (await hasEntityBeside(api, homeApp, first)));
  if (isEntity) return { app: homeApp, rest: path };
  if (path.length === 1 && homeApp !== undefined) {
    throw new AppError('UNKNOWN_ENTITY', `There is neither an app nor an entity "${first.slice(0, 100)}".`);
  }
  throw new AppError('APP_NOT_FOUND', `There is no app "${first.slice(0, 100)}".`);
}

/** An entity made a moment ago by another process: this one may not have heard yet. */
const hasNewEntity = async (api: Api, app: AppRuntime, entity: string): Promise<boolean> =>
  (await api.services.registry.newerThan(app))?.model.entities.has(entity) === true;

/** One that was renamed or dropped, and is still served in the shape it had; or one of a version that is not the app's own yet. */
async function hasEntityBeside(api: Api, app: AppRuntime, entity: string): Promise<boolean> {
  const { older, early } = await api.services.registry.shapesOf(app);
  return older.some((shape) => shape.model.entities.has(entity)) || early?.model.entities.has(entity) === true;
}

async function appNamed(api: Api, name: string): Promise<AppRuntime> {
  const app = api.services.registry.cachedByName(name) ?? (await api.services.registry.byName(name));
  if (app === undefined) throw new AppError('APP_NOT_FOUND', `There is no app "${name.slice(0, 100)}".`);
  return app;
}

function refuseUnlessServing(api: Api, app: AppRuntime): void {
  switch (app.status) {
    case 'active':
      break;
    case 'provisioning':
      throw new AppError('UNAVAILABLE', `The app "${app.name}" is being made.`, { retryAfter: 1 });
    case 'suspended':
      throw new AppError('MAINTENANCE', `The app "${app.name}" is suspended.`, { retryAfter: 60 });
    case 'retiring':
    case 'retired':
    case 'failed':
      throw new AppError('APP_NOT_FOUND', `There is no app "${app.name}".`);
  }
  if (!api.services.registry.isHealthy) {
    throw new AppError('UNAVAILABLE', 'This process cannot be sure that it knows the newest schema.', {
      hint: 'Try again in a moment.',
      retryAfter: 1,
    });
  }
}

async function appRoute(api: Api, call: Call, app: AppRuntime, rest: readonly string[]): Promise<Answer> {
  const [part, ...more] = rest;
  if (part === undefined) throw noSuchRoute(call);
  refuseUselessKey(call, rest);
  const asUser = headerOf(call, 'x-as-user');
  if (part === 'auth') {
    if (asUser !== undefined) throw actsNowhere();
    return authRoute(api, call, homeOf(app), more);
  }
  if (part === '_hooks') return hooksRoute(api, call, app, more);
  if (part === '_docs') return docsRoute(call, app.name, more);
  const credential = part === '_events' ? await eventsCredential(api, call, app) : credentialOf(call);
  const { actor } = await verifyCredential(api, credential, realmOf(app));
  const limited = limitRequest(api, call, app, actor);
  if (limited !== undefined) await limited;
  requireScope(actor, part, call.method);
  const own: AppContext = {
    services: api.services,
    app: await wantedShape(api, call, app, part, actor),
    actor,
    now: call.now,
    requestId: call.requestId,
    cause: null,
    depth: 0,
    speaks: (version) => void (call.shape = version),
  };
  const ctx = asUser === undefined ? own : await actAs(own, asUser, { method: call.method, path: `/api/${call.path.join('/')}` });
  switch (part) {
    case '_admin':
      return adminRoute(api, ctx, call, more);
    case '_discovery':
      return discoveryRoute(ctx, call, more);
    case '_batch':
      return batchRoute(ctx, call, more);
    case '_openapi.json':
      return openApiRoute(ctx, call, more);
    case '_events':
      return eventsRoute(api, ctx, call, more, credential);
    case '_workflows':
      return workflowsRoute(ctx, call, more);
    case '_slas':
      return clocksRoute(ctx, call, more);
    case '_absences':
      return absencesRoute(ctx, call, more);
    case '_imports':
      return importsRoute(ctx, call, more);
    case '_lists':
      return listsRoute(ctx, call, more);
    case '_overview':
      return overviewRoute(ctx, call, more);
    case '_notifications':
      return notificationsRoute(ctx, call, more);
    default:
      if (part.startsWith('_')) throw noSuchRoute(call);
      return recordsRoute(ctx, call, rest);
  }
}

const SHAPELESS = new Set(['_admin', '_workflows', '_slas', '_absences', '_imports', '_lists', '_notifications', '_overview']);

/** `Schema-Version: n`: the client speaks that version's names. Definitions and processes have one shape only. */
async function wantedShape(api: Api, call: Call, app: AppRuntime, part: string, actor: Actor): Promise<AppRuntime> {
  const wanted = headerOf(call, 'schema-version');
  if (wanted === undefined || SHAPELESS.has(part)) return app;
  const version = /^\s*"?([1-9]\d{0,8})"?\s*$/.exec(wanted)?.[1];
  if (version === undefined)
    throw new AppError('INVALID_VALUE', 'Schema-Version must be the number of a version, like 3.', {
      hint: 'GET _discovery names the one that is served.',
    });
  const { registry } = api.services;
  const shape = Number(version) === app.version ? app : await servedShape(registry, app, Number(version));
  registry.countUse(shape, actor);
  call.shape = Number(version);
  return shape;
}

/** Signing in and the platform belong to accounts themselves. */
const actsNowhere = (): AppError => new AppError('FORBIDDEN', 'X-As-User works inside an app, and not for signing in.');
