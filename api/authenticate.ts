/** Who is calling. A verified token costs a map lookup; its account is made into an actor once. */
import { PLATFORM_REALM, type Realm, type VerifiedToken } from '../adapters/tokens.ts';
import { AppError } from '../core/errors.ts';
import { homeOf } from '../operations/auth/home.ts';
import type { Actor, AppRuntime } from '../operations/context.ts';
import type { Api } from './api.ts';
import { headerOf, type Call } from './http/call.ts';

export const realmOf = (app: AppRuntime): Realm => homeOf(app).realm;

const actors = new WeakMap<VerifiedToken, Actor>();

function actorOf(token: VerifiedToken): Actor {
  let actor = actors.get(token);
  if (actor === undefined) {
    const isPlatform = token.realm === '';
    actor = Object.freeze({
      kind: isPlatform ? ('platform' as const) : ('user' as const),
      id: token.userId,
      email: token.email,
      roles: Object.freeze([...token.roles]),
      isAdmin: isPlatform || token.roles.includes('admin'),
      sessionId: token.sessionId,
    });
    actors.set(token, actor);
  }
  return actor;
}

export interface Caller {
  readonly actor: Actor;
  /** Where the account lives: the app's realm, or the platform's. */
  readonly realm: Realm;
}

/** The caller of a request to this realm, or UNAUTHORIZED. */
export async function authenticate(api: Api, call: Call, realm: Realm): Promise<Caller> {
  const token = bearerOf(call);
  const verified = api.tokens.recall(token, realm) ?? (await api.tokens.verify(token, realm));
  return { actor: actorOf(verified), realm: verified.realm === '' ? PLATFORM_REALM : realm };
}

function bearerOf(call: Call): string {
  const header = headerOf(call, 'authorization');
  if (header === undefined) {
    throw new AppError('UNAUTHORIZED', 'This needs an access token.', {
      hint: 'Sign in with POST auth/login and send "Authorization: Bearer <access_token>".',
    });
  }
  const space = header.indexOf(' ');
  if (space === -1 || header.slice(0, space).toLowerCase() !== 'bearer') {
    throw new AppError('UNAUTHORIZED', 'The Authorization header must be "Bearer <access_token>".');
  }
  return header.slice(space + 1).trim();
}

/** FORBIDDEN for everyone but admins of the app and platform accounts. */
export function requireAdmin(actor: Actor): void {
  if (!actor.isAdmin) throw new AppError('FORBIDDEN', 'Only an admin of the app may do this.');
}
