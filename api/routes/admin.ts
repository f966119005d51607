/** `/api/:app/_admin/...`: for admins of the app only. */
import { homeOf } from '../../operations/auth/home.ts';
import type { AppContext } from '../../operations/context.ts';
import { checkParameters } from '../../operations/paging.ts';
import { permissionImpact } from '../../operations/permissions/impact.ts';
import { permissionMatrix } from '../../operations/permissions/matrix.ts';
import { simulate } from '../../operations/permissions/simulate.ts';
import { newHookToken } from '../../operations/processes/hooks.ts';
import { listMovable, moveRuns } from '../../operations/processes/move.ts';
import { tryRules } from '../../operations/rules/try.ts';
import { deleteSecret, listSecrets, setSecret } from '../../operations/webhooks/secrets.ts';
import type { Api } from '../api.ts';
import { realmOf, requireAdmin } from '../authenticate.ts';
import { dataAnswer, type Answer } from '../http/answer.ts';
import { jsonOf, membersOf, noBodyOf, objectOf, type Call } from '../http/call.ts';
import { answeredUnderKey } from '../http/write-options.ts';
import { auditRoute, changesRoute } from './audit.ts';
import { invitesRoute } from './invites.ts';
import { apiKeysRoute } from './api-keys.ts';
import { withFreshSchema } from '../rerun.ts';
import { definitionsRoute } from './definitions.ts';
import { deliveriesRoute, webhookVerb } from './deliveries.ts';
import { functionsRoute } from './functions.ts';
import { noSuchRoute } from './not-found.ts';
import { runsRoute, startsRoute } from './operating.ts';
import { providersRoute } from './oidc.ts';
import { schemaRoute } from './schema.ts';
import { signingKeysRoute } from './signing-keys.ts';
import { slaAdminRoute } from './slas.ts';
import { usersRoute } from './users.ts';

export async function adminRoute(api: Api, ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  requireAdmin(ctx.actor);
  const [part = '', ...more] = rest;
  call.route = `/api/:app/_admin/${part}`;
  switch (part) {
    case 'users':
      return answeredUnderKey(ctx, call, (once) =>
        usersRoute(api, call, { services: ctx.services, actor: ctx.actor, realm: realmOf(ctx.app), once }, more),
      );
    case 'invites':
      return invitesRoute(call, { services: ctx.services, actor: ctx.actor, home: homeOf(ctx.app) }, more);
    case 'api-keys':
      return apiKeysRoute(api, call, { services: ctx.services, actor: ctx.actor, realm: realmOf(ctx.app), owner: undefined }, more);
    case 'auth-providers':
      return providersRoute(api, call, { services: ctx.services, actor: ctx.actor, realm: realmOf(ctx.app), name: ctx.app.name }, more);
    case 'signing-keys':
      return signingKeysRoute(api, call, { services: ctx.services, actor: ctx.actor, realm: realmOf(ctx.app) }, more);
    case 'audit':
      return auditRoute(call, { services: ctx.services, actor: ctx.actor, app: ctx.app.id }, more);
    case 'changes':
      return changesRoute(ctx, call, more);
    case 'deliveries':
    case 'webhook-logs':
      return deliveriesRoute(ctx, call, more);
    case 'webhooks':
      return (await webhookVerb(ctx, call, more)) ?? definitionsRoute(ctx, call, rest);
    case 'functions':
      return functionsRoute(ctx, call, more);
    case 'workflows':
      return (await workflowVerb(ctx, call, more)) ?? definitionsRoute(ctx, call, rest);
    case 'runs':
      return runsRoute(ctx, call, more);
    case 'starts':
      return startsRoute(ctx, call, more);
    case 'rules':
      return more.length === 1 && (more[0] === 'try' || more[0] === 'test') ? tryRoute(ctx, call) : definitionsRoute(ctx, call, rest);
    case 'permissions':
      return permissionVerb(ctx, call, more) ?? definitionsRoute(ctx, call, rest);
    case 'slas':
      return slaAdminRoute(ctx, call, rest);
    case 'secrets':
      return secretsRoute(ctx, call, more);
    case 'export':
    case 'import':
    case 'findings':
    case 'versions':
    case 'migrations':
      return schemaRoute(ctx, call, rest);
    default:
      return definitionsRoute(ctx, call, rest);
  }
}

/** A payload against the rules, with drafts; nothing is written. */
async function tryRoute(ctx: AppContext, call: Call): Promise<Answer> {
  if (call.method !== 'POST') throw noSuchRoute(call);
  call.route = '/api/:app/_admin/rules/try';
  const body = await objectOf(call);
  return dataAnswer(await withFreshSchema(ctx, (fresh) => tryRules(fresh, body)));
}

const PERMISSION_QUESTIONS: Readonly<Record<string, (ctx: AppContext, body: unknown) => Promise<unknown>>> = {
  simulate,
  matrix: permissionMatrix,
  impact: permissionImpact,
};

/** What somebody may do and why, what every role may do, and whom draft permissions would give or take something. */
function permissionVerb(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> | undefined {
  const [verb = '', ...more] = rest;
  const ask = Object.hasOwn(PERMISSION_QUESTIONS, verb) ? PERMISSION_QUESTIONS[verb] : undefined;
  if (ask === undefined || more.length > 0) return undefined;
  if (call.method !== 'POST') throw noSuchRoute(call);
  call.route = `/api/:app/_admin/permissions/${verb}`;
  return objectOf(call).then(async (body) => dataAnswer(await withFreshSchema(ctx, (fresh) => ask(fresh, body))));
}

/** What is asked of a definition's runs, and the token of its inbound hook. */
async function workflowVerb(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer | undefined> {
  const [name, verb, ...more] = rest;
  if (name === undefined || verb === undefined || more.length > 0) return undefined;
  call.route = '/api/:app/_admin/workflows/:name/:verb';
  if (verb === 'runs' && call.method === 'GET') {
    checkParameters(call.query, []);
    return dataAnswer(await listMovable(ctx, name));
  }
  if (call.method !== 'POST') return undefined;
  if (verb === 'move') return dataAnswer(await moveRuns(ctx, name, await jsonOf(call)));
  if (verb !== 'token') return undefined;
  await noBodyOf(call, 'workflows/token');
  return dataAnswer(await newHookToken(ctx, name), 201);
}

/** Values used as `{{secret.NAME}}`: written, listed by name, never read back. */
async function secretsRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [name, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  if (name === undefined) {
    if (call.method !== 'GET') throw noSuchRoute(call);
    checkParameters(call.query, []);
    return dataAnswer(await listSecrets(ctx));
  }
  if (call.method === 'PUT') return dataAnswer(await setSecret(ctx, name, (await membersOf(call, '_admin/secrets', ['value'])).value));
  if (call.method === 'DELETE') return dataAnswer(await deleteSecret(ctx, name));
  throw noSuchRoute(call);
}
