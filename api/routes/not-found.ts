/** The refusal of a path that nothing answers, or of a method that a path does not take. */
import { AppError } from '../../core/errors.ts';
import { sectionOf } from '../../operations/schemas/definitions.ts';
import { headerOf, type Call } from '../http/call.ts';
import { rewritePath } from '../rewrites.ts';

/** The methods of an app's routes, by their path behind the app; asked only when a request is refused. */
export const METHODS: readonly (readonly [pattern: string, methods: readonly string[]])[] = [
  ['_discovery', ['GET']],
  ['_openapi.json', ['GET']],
  ['_docs', ['GET']],
  ['_batch', ['POST']],
  ['_events', ['GET']],
  ['_events/ticket', ['POST']],
  ['_slas', ['GET']],
  ['_workflows', ['GET']],
  ['_workflows/pending', ['GET']],
  ['_workflows/start/:name', ['POST']],
  ['_workflows/:run', ['GET', 'DELETE']],
  ['_workflows/:run/:verb', ['POST']],
  ['_absences', ['GET', 'POST']],
  ['_absences/:id', ['DELETE']],
  ['_imports', ['GET']],
  ['_imports/:id', ['GET']],
  ['_imports/:id/errors', ['GET']],
  ['_imports/:id/errors.csv', ['GET']],
  ['_imports/:id/errors.ndjson', ['GET']],
  ['_imports/:id/kept', ['GET']],
  ['_imports/:id/check', ['POST']],
  ['_imports/:id/run', ['POST']],
  ['_imports/:id/cancel', ['POST']],
  ['_imports/:id/undo', ['POST']],
  ['_hooks/:name', ['POST']],
  ['_overview', ['GET']],
  ['_lists', ['GET', 'POST']],
  ['_lists/:id', ['GET', 'PATCH', 'DELETE']],
  ['_notifications', ['GET']],
  ['_notifications/read-all', ['POST']],
  ['_notifications/:id/read', ['POST']],
  ['auth/login', ['POST']],
  ['auth/login/totp', ['POST']],
  ['auth/totp', ['GET', 'POST', 'DELETE']],
  ['auth/totp/confirm', ['POST']],
  ['auth/refresh', ['POST']],
  ['auth/logout', ['POST']],
  ['auth/password', ['POST']],
  ['auth/sessions', ['GET', 'DELETE']],
  ['auth/sessions/:id', ['DELETE']],
  ['auth/me', ['GET']],
  ['auth/register', ['POST']],
  ['auth/accept-invite', ['GET', 'POST']],
  ['auth/forgot', ['POST']],
  ['auth/reset', ['GET', 'POST']],
  ['auth/verify', ['GET', 'POST']],
  ['auth/verify/send', ['POST']],
  ['auth/jwks.json', ['GET']],
  ['auth/providers', ['GET']],
  ['auth/oidc/token', ['POST']],
  ['auth/oidc/links', ['GET']],
  ['auth/oidc/links/:provider', ['DELETE']],
  ['auth/oidc/:provider/start', ['GET']],
  ['auth/oidc/:provider/callback', ['GET']],
  ['auth/api-keys', ['GET', 'POST']],
  ['auth/api-keys/:id', ['GET', 'PUT', 'PATCH', 'DELETE']],
  ['auth/api-keys/:id/rotate', ['POST']],
  ['_admin/users', ['GET', 'POST']],
  ['_admin/users/:id', ['GET', 'PUT', 'PATCH', 'DELETE']],
  ['_admin/users/:id/totp', ['GET', 'DELETE']],
  ['_admin/users/:id/sessions', ['GET', 'DELETE']],
  ['_admin/users/:id/sessions/:session', ['DELETE']],
  ['_admin/invites', ['GET', 'POST']],
  ['_admin/invites/bulk', ['POST']],
  ['_admin/invites/:id', ['DELETE']],
  ['_admin/invites/:id/resend', ['POST']],
  ['_admin/api-keys', ['GET', 'POST']],
  ['_admin/api-keys/:id', ['GET', 'PUT', 'PATCH', 'DELETE']],
  ['_admin/api-keys/:id/rotate', ['POST']],
  ['_admin/auth-providers', ['GET', 'POST']],
  ['_admin/auth-providers/check', ['POST']],
  ['_admin/auth-providers/:name', ['GET', 'PUT', 'PATCH', 'DELETE']],
  ['_admin/signing-keys', ['GET']],
  ['_admin/signing-keys/rotate', ['POST']],
  ['_admin/audit', ['GET']],
  ['_admin/audit/verify', ['GET']],
  ['_admin/audit/erase', ['POST']],
  ['_admin/changes', ['GET']],
  ['_admin/rules/try', ['POST']],
  ['_admin/rules/test', ['POST']],
  ['_admin/permissions/simulate', ['POST']],
  ['_admin/permissions/matrix', ['POST']],
  ['_admin/permissions/impact', ['POST']],
  ['_admin/export', ['GET']],
  ['_admin/import', ['POST']],
  ['_admin/findings', ['GET']],
  ['_admin/versions', ['GET', 'POST']],
  ['_admin/versions/:n', ['GET']],
  ['_admin/versions/:n/rollback', ['POST']],
  ['_admin/migrations', ['GET', 'POST']],
  ['_admin/migrations/:id', ['GET']],
  ['_admin/migrations/:id/plan', ['GET']],
  ['_admin/migrations/:id/approve', ['POST']],
  ['_admin/migrations/:id/reject', ['POST']],
  ['_admin/migrations/:id/pause', ['POST']],
  ['_admin/migrations/:id/resume', ['POST']],
  ['_admin/migrations/:id/abort', ['POST']],
  ['_admin/migrations/:id/contract', ['POST']],
  ['_admin/migrations/:id/quarantine', ['GET']],
  ['_admin/deliveries', ['GET']],
  ['_admin/deliveries/replay', ['POST']],
  ['_admin/deliveries/replays', ['GET']],
  ['_admin/deliveries/replays/:id', ['GET']],
  ['_admin/deliveries/replays/:id/stop', ['POST']],
  ['_admin/deliveries/health', ['GET']],
  ['_admin/deliveries/:id', ['GET']],
  ['_admin/deliveries/:id/replay', ['POST']],
  ['_admin/webhooks/:id/test', ['POST']],
  ['_admin/webhooks/:id/secret', ['POST']],
  ['_admin/webhooks/:id/enable', ['POST']],
  ['_admin/webhooks/:id/pause', ['POST']],
  ['_admin/webhooks/:id/health', ['GET']],
  ['_admin/slas/forecast', ['GET']],
  ['_admin/slas/try', ['POST']],
  ['_admin/slas/:name/recompute', ['POST']],
  ['_admin/functions', ['GET']],
  ['_admin/functions/runs', ['GET']],
  ['_admin/functions/runs/:id', ['GET']],
  ['_admin/functions/runs/:id/retry', ['POST']],
  ['_admin/functions/try', ['POST']],
  ['_admin/functions/test', ['POST']],
  ['_admin/runs', ['GET']],
  ['_admin/runs/counts', ['GET']],
  ['_admin/runs/operate', ['POST']],
  ['_admin/runs/operations', ['GET']],
  ['_admin/runs/operations/:id', ['GET']],
  ['_admin/starts', ['GET']],
  ['_admin/starts/retry', ['POST']],
  ['_admin/workflows/:name/runs', ['GET']],
  ['_admin/workflows/:name/move', ['POST']],
  ['_admin/workflows/:name/token', ['POST']],
  ['_admin/secrets', ['GET']],
  ['_admin/secrets/:name', ['PUT', 'DELETE']],
  [':entity', ['GET', 'POST']],
  [':entity/_query', ['POST']],
  [':entity/_bulk', ['POST']],
  [':entity/_import', ['POST']],
  [':entity/:id/_restore', ['POST']],
  [':entity/:id/_transitions', ['GET']],
  [':entity/:id/_history', ['GET']],
  [':entity/:id/_history/:event/revert', ['POST']],
  [':entity/:id/_timeline', ['GET']],
  [':entity/:id/_comments', ['GET', 'POST']],
  [':entity/:id/_comments/:comment', ['GET', 'PATCH', 'DELETE']],
  [':entity/:id/_slas', ['GET']],
  [':entity/_aggregate', ['GET', 'POST']],
  [':entity/_export.csv', ['GET']],
  [':entity/_export.ndjson', ['GET']],
  [':entity/:id', ['GET', 'PUT', 'PATCH', 'DELETE']],
];

/** 405 with the methods the path takes, else 404. */
export function noSuchRoute(call: Call): AppError {
  const allowed = methodsOf(call);
  if (allowed !== undefined && !allowed.includes(call.method)) return wrongMethod(call, allowed);
  return new AppError('NOT_FOUND', `There is no ${shownMethod(call)} ${shownPath(call)}.`, { hint: 'docs/api.md lists the routes.' });
}

/** 405: the path is there, and takes these methods. */
export const wrongMethod = (call: Call, allowed: readonly string[]): AppError =>
  new AppError('METHOD_NOT_ALLOWED', `${shownPath(call)} does not take ${shownMethod(call)}; it takes ${allowed.join(', ')}.`, {
    allow: allowed.includes('GET') ? ['GET', 'HEAD', ...allowed.slice(1)] : allowed,
  });

const shownMethod = (call: Call): string => call.request.method ?? 'GET';
const shownPath = (call: Call): string => `/api/${call.path.join('/').slice(0, 200)}`;

function methodsOf(call: Call): readonly string[] | undefined {
  if (call.app === undefined) return undefined;
  const path = rewritePath(call.path, headerOf(call, 'x-tenant-id'), new URLSearchParams());
  const rest = path[0] === call.app.name ? path.slice(1) : path;
  return METHODS.find(([pattern]) => fits(pattern.split('/'), rest))?.[1] ?? methodsOfDefinitions(rest);
}

/** `_admin/:section` and `_admin/:section/:key`. */
function methodsOfDefinitions([admin, section, ...key]: readonly string[]): readonly string[] | undefined {
  if (admin !== '_admin' || section === undefined || key.length > 1 || sectionOf(section) === undefined) return undefined;
  return key.length === 0 ? ['GET', 'POST'] : ['GET', 'PUT', 'PATCH', 'DELETE'];
}

const fits = (pattern: readonly string[], path: readonly string[]): boolean =>
  pattern.length === path.length &&
  pattern.every((part, index) => part === path[index] || (part.startsWith(':') && path[index]?.startsWith('_') === false));
