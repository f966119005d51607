/** Who is signed in where. The access token lives in the client's memory, the refresh token in an httpOnly cookie. */
import { createClient, type PendingSignIn, type Scope } from '../../client/client.ts';

export const client = createClient();

const SCOPE_KEY = 'durabase.scope';

/** Only the place of the last sign-in is remembered: it is no secret, and without it a reload could not ask the right door. */
export function rememberedScope(): Scope {
  const app = localStorage.getItem(SCOPE_KEY);
  return app === null || app === '' ? { kind: 'platform' } : { kind: 'app', app };
}

export function rememberScope(scope: Scope): void {
  localStorage.setItem(SCOPE_KEY, scope.kind === 'app' ? scope.app : '');
}

let resumed: Promise<boolean> | undefined;

/** True when somebody is signed in, taking the session up from the cookie once per page load. */
export function isSignedIn(): Promise<boolean> {
  if (client.user !== undefined) return Promise.resolve(true);
  resumed ??= client.resume(rememberedScope()).then(
    (user) => user !== undefined,
    () => false,
  );
  return resumed;
}

/** Answers what the sign-in waits for, when the password alone is not enough. */
export async function signIn(scope: Scope, email: string, password: string): Promise<PendingSignIn | undefined> {
  const pending = await client.signIn(scope, email, password);
  if (pending === undefined) signedInTo(scope);
  return pending;
}

/** Ends a sign-in that waits for a code; answers recovery codes when a second factor was set up by it. */
export async function sendCode(pending: PendingSignIn, code: string): Promise<readonly string[]> {
  const recoveryCodes = await client.sendCode(pending, code);
  signedInTo(pending.scope);
  return recoveryCodes;
}

function signedInTo(scope: Scope): void {
  rememberScope(scope);
  resumed = Promise.resolve(true);
}

export async function signInWithCode(scope: Scope, code: string): Promise<PendingSignIn | undefined> {
  const pending = await client.signInWithCode(scope, code);
  if (pending === undefined) signedInTo(scope);
  return pending;
}

export async function signOut(): Promise<void> {
  await client.signOut();
  resumed = Promise.resolve(false);
}
