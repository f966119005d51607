/** Who is calling: a session's token or an API key. Both cost a map lookup once verified, and are made into an actor once. */
import { looksLikeKey, type VerifiedKey } from '../adapters/api-keys.ts';
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

const keyActors = new WeakMap<VerifiedKey, Actor>();

function keyActorOf(key: VerifiedKey): Actor {
  let actor = keyActors.get(key);
  if (actor === undefined) {
    actor = Object.freeze({
      kind: 'api_key' as const,
      id: key.userId ?? key.keyId,
      email: key.email,
      roles: key.roles,
      isAdmin: key.realm === '' || key.roles.includes('admin'),
      sessionId: null,
      keyId: key.keyId,
      scopes: key.scopes,
    });
    keyActors.set(key, actor);
  }
  return actor;
}

export interface Caller {
  readonly actor: Actor;
  /** Where the account lives: the app's realm, or the platform's. */
  readonly realm: Realm;
}

/** The caller of a request to this realm, or UNAUTHORIZED. */
export const authenticate = async (api: Api, call: Call, realm: Realm): Promise<Caller> => verifyCredential(api, credentialOf(call), realm);

export interface Credential {
  readonly text: string;
  readonly isKey: boolean;
}

/** What a request authenticates with, not looked at yet; UNAUTHORIZED when there is nothing, or too much. */
export function credentialOf(call: Call): Credential {
  const header = headerOf(call, 'x-api-key');
  if (header !== undefined && call.request.headers.authorization !== undefined)
    throw new AppError('UNAUTHORIZED', 'Send one credential: either X-Api-Key or Authorization, not both.');
  const text = header ?? bearerOf(call);
  return { text, isKey: header !== undefined || looksLikeKey(text) };
}

/** Whose it is, as of now: asked again, it says whether it still holds. */
export async function verifyCredential(api: Api, { text: credential, isKey }: Credential, realm: Realm): Promise<Caller> {
  if (isKey) {
    const key = api.apiKeys.recall(credential, realm) ?? (await api.apiKeys.verify(credential, realm));
    return { actor: keyActorOf(key), realm: key.realm === '' ? PLATFORM_REALM : realm };
  }
  const verified = api.tokens.recall(credential, realm) ?? (await api.tokens.verify(credential, realm));
  return { actor: actorOf(verified), realm: verified.realm === '' ? PLATFORM_REALM : realm };
}

function bearerOf(call: Call): string {
  const header = headerOf(call, 'authorization');
  if (header === undefined) {
    throw new AppError('UNAUTHORIZED', 'This needs an access token or an API key.', {
      hint: 'Sign in with POST auth/login and send "Authorization: Bearer <access_token>", or send a key as X-Api-Key.',
    });
  }
  const space = header.indexOf(' ');
  if (space === -1 || header.slice(0, space).toLowerCase() !== 'bearer') {
    throw new AppError('UNAUTHORIZED', 'The Authorization header must be "Bearer <access_token>".');
  }
  return header.slice(space + 1).trim();
}

/** Parts that need no scope of their own, because each entity in them is asked for its own. */
const CUT_BY_ENTITY: ReadonlySet<string> = new Set(['_batch', '_discovery', '_docs', '_events', '_imports', '_openapi.json', '_slas']);

/** FORBIDDEN when an API key has no scope for this part of the API. Records are cut by `accessFor`, every other part here. */
export function requireScope({ scopes }: Actor, part: string, method: string): void {
  if (scopes === undefined || !part.startsWith('_') || CUT_BY_ENTITY.has(part)) return;
  const action = method === 'GET' ? 'read' : 'write';
  if (scopes.allowsPart(part, action)) return;
  throw new AppError('FORBIDDEN', `This API key has no scope "${part}:${action}".`, {
    hint: 'Parts of the API beside the records need a scope of their own; "*" does not cover them.',
  });
}

/** Accounts and credentials are managed with a session: a key that leaks cannot make itself others. */
export function refuseKeyActor(actor: Actor): void {
  if (actor.kind === 'api_key')
    throw new AppError('FORBIDDEN', 'An API key cannot do this.', { hint: 'Sign in, and use the access token of the session.' });
}

/** The same, before anything else is looked at. */
export function refuseKeyRequest(call: Call): void {
  const bearer = /^bearer\s+(.*)$/i.exec(headerOf(call, 'authorization') ?? '')?.[1] ?? '';
  if (headerOf(call, 'x-api-key') === undefined && !looksLikeKey(bearer)) return;
  throw new AppError('FORBIDDEN', 'An API key cannot manage an account.', { hint: 'Sign in, and use the access token of the session.' });
}

/** FORBIDDEN for everyone but admins of the app and platform accounts. */
export function requireAdmin(actor: Actor): void {
  if (!actor.isAdmin) throw new AppError('FORBIDDEN', 'Only an admin of the app may do this.');
}
