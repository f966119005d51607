/** Requests per minute of an app, a user and a key, where the app's settings say so; nothing where they do not. */
import type { Allowance } from '../adapters/rate-limit/leases.ts';
import { AppError } from '../core/errors.ts';
import type { Actor, AppRuntime } from '../operations/context.ts';
import type { Api } from './api.ts';
import type { Call } from './http/call.ts';

type Scope = 'app' | 'user' | 'key';
const NAMES = { app: 'requests-app', user: 'requests-user', key: 'requests-key' } as const;

/** RATE_LIMITED when the request is one too many; else how it stands is noted for the answer's headers. */
export function limitRequest(api: Api, call: Call, app: AppRuntime, actor: Actor): Promise<void> | undefined {
  const rates = app.model.settings.limits?.requests_per_minute;
  return rates === undefined ? undefined : meet(api, call, app, actor, rates);
}

/** The narrowest first, so that what is refused there costs the wider ones nothing. */
async function meet(
  api: Api,
  call: Call,
  app: AppRuntime,
  actor: Actor,
  rates: { readonly [S in Scope]?: number | undefined },
): Promise<void> {
  const keys: readonly (readonly [Scope, string | null | undefined])[] = [
    ['key', actor.keyId === undefined ? undefined : `${app.id}/${actor.keyId}`],
    ['user', actor.id === null ? undefined : `${app.id}/${actor.id}`],
    ['app', app.id],
  ];
  let tightest: Allowance | undefined;
  for (const [scope, key] of keys) {
    const points = rates[scope];
    if (points === undefined || key === null || key === undefined) continue;
    const taken = api.limits.take({ name: NAMES[scope], points, seconds: 60 }, key);
    const allowance = taken instanceof Promise ? await taken : taken;
    if (tightest === undefined || !allowance.isAllowed || allowance.remaining < tightest.remaining) tightest = allowance;
    if (!allowance.isAllowed) {
      call.limits = headersOf(allowance);
      throw new AppError('RATE_LIMITED', `More than ${points} requests a minute of ${SUBJECTS[scope]}.`, {
        hint: 'Wait, then try again.',
        retryAfter: allowance.resetMs / 1_000,
      });
    }
  }
  if (tightest !== undefined) call.limits = headersOf(tightest);
}

const SUBJECTS: Readonly<Record<Scope, string>> = { app: 'this app', user: 'this user', key: 'this API key' };

const headersOf = ({ limit, remaining, resetMs }: Allowance): Readonly<Record<string, string>> => ({
  'RateLimit-Limit': String(limit),
  'RateLimit-Remaining': String(remaining),
  'RateLimit-Reset': String(Math.max(1, Math.ceil(resetMs / 1_000))),
  'RateLimit-Policy': `${limit};w=60`,
});
