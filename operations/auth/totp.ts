/** Turning a second factor on and off: by the account itself, by a sign-in that needs one, or off by an admin. */
import { transaction } from '../../adapters/postgres/transaction.ts';
import type { Tokens } from '../../adapters/tokens.ts';
import { AppError } from '../../core/errors.ts';
import type { Actor } from '../context.ts';
import { writeOnce } from '../once.ts';
import { appOf, audit } from '../platform/audit.ts';
import { findChallenge, redeem, wrongCode } from './admit.ts';
import { DOORS, pass } from './attempts.ts';
import {
  beginFactor,
  confirmFactor,
  dropBegunFactor,
  dropFactor,
  factorState,
  spendCode,
  type BegunFactor,
  type FactorState,
} from './factors.ts';
import { PLATFORM_HOME, type AccountHome } from './home.ts';
import type { SessionScope } from './own-sessions.ts';
import { provePassword } from './password.ts';
import { openSession, type ClientInfo, type SignIn } from './sessions.ts';
import type { Services } from '../context.ts';

export interface RecoveryCodes {
  /** Each signs in once in place of a code; shown this once. */
  readonly recovery_codes: readonly string[];
}

export const totpState = ({ services, realm, userId }: SessionScope): Promise<FactorState> => factorState(services.pool, realm, userId);

/** A secret for the caller's authenticator app. It counts for nothing until a code of it is confirmed. */
export async function beginTotp(
  scope: SessionScope,
  home: AccountHome,
  input: { readonly password: unknown; readonly address: string | null },
): Promise<BegunFactor> {
  await provePassword(scope, input.password, input.address);
  return begin(scope, issuerOf(scope, home), scope.actor.email ?? scope.userId);
}

/** The same for a sign-in that has to set up a factor first. */
export async function beginTotpByToken(services: Services, home: AccountHome, token: unknown): Promise<BegunFactor> {
  const { account } = await findChallenge(services, home.realm, 'enrol', token);
  return begin({ services, realm: home.realm, userId: account.id }, home.displayName, account.email);
}

async function begin(owner: Pick<SessionScope, 'services' | 'realm' | 'userId'>, issuer: string, email: string): Promise<BegunFactor> {
  const begun = await beginFactor(owner, issuer, email);
  if (begun === undefined) throw isOn();
  return begun;
}

/** Turns the begun factor on with a code of it. */
export async function confirmTotp(scope: SessionScope, code: unknown): Promise<RecoveryCodes> {
  const { services, realm, userId, actor } = scope;
  if ((await factorState(services.pool, realm, userId)).enabled) throw isOn();
  await pass(services, DOORS.code, realm, userId);
  const codes = await transaction(services.pool, async (db) => {
    const made = await confirmFactor(db, scope, code);
    if (made !== undefined) await audit(db, actor, { app: appOf(scope.realm), action: 'totp.enable', target: userId });
    return made;
  });
  if (codes === undefined) throw wrongCode();
  await services.limiter.forget(DOORS.code, `${realm.key}/${userId}`);
  return { recovery_codes: codes };
}

/** The same for a sign-in that has to set up a factor first; it is signed in then. */
export async function confirmTotpByToken(
  services: Services,
  tokens: Tokens,
  home: AccountHome,
  input: { readonly token: unknown; readonly code: unknown },
  client: ClientInfo,
): Promise<RecoveryCodes & SignIn> {
  const { realm } = home;
  const challenged = await findChallenge(services, realm, 'enrol', input.token);
  const { account } = challenged;
  const owner = { services, realm, userId: account.id };
  if ((await factorState(services.pool, realm, account.id)).enabled) throw isOn();
  const codes = await redeem(owner, challenged, async (db) => {
    const made = await confirmFactor(db, owner, input.code);
    if (made !== undefined)
      await audit(db, enroller(realm.key, account), { app: appOf(owner.realm), action: 'totp.enable', target: account.id });
    return made;
  });
  return { recovery_codes: codes, ...(await openSession(services, tokens, realm, account, client)) };
}

const enroller = (realm: string, { id, email, roles }: { id: string; email: string; roles: readonly string[] }): Actor => ({
  kind: realm === '' ? 'platform' : 'user',
  id,
  email,
  roles,
  isAdmin: false,
  sessionId: null,
});

const OFF: FactorState = { enabled: false, recovery_codes_left: 0 };

/** Turns the caller's factor off, or takes back one that was only begun. */
export async function turnOffTotp(
  scope: SessionScope,
  input: { readonly password: unknown; readonly code: unknown; readonly address: string | null },
): Promise<FactorState> {
  const { services, realm, userId, actor } = scope;
  await provePassword(scope, input.password, input.address);
  if (!(await factorState(services.pool, realm, userId)).enabled) {
    if (await dropBegunFactor(services.pool, realm, userId)) return OFF;
    throw isOff();
  }
  await pass(services, DOORS.code, realm, userId);
  const isSpent = await transaction(services.pool, async (db) => {
    if ((await spendCode(db, scope, input.code)) === undefined) return false;
    await dropFactor(db, realm, userId);
    await audit(db, actor, { app: appOf(scope.realm), action: 'totp.disable', target: userId });
    return true;
  });
  if (!isSpent) throw wrongCode();
  await services.limiter.forget(DOORS.code, `${realm.key}/${userId}`);
  return OFF;
}

/** An admin turns off the factor of somebody who lost it. */
export async function resetTotp(scope: SessionScope): Promise<FactorState> {
  const { realm, userId, actor } = scope;
  return writeOnce(scope, async (db) => {
    if (!(await dropFactor(db, realm, userId))) throw isOff();
    await audit(db, actor, { app: appOf(scope.realm), action: 'totp.reset', target: userId });
    return OFF;
  });
}

/** A platform account that asks at an app's path has its factor on the platform. */
const issuerOf = (scope: SessionScope, home: AccountHome): string => (scope.realm.key === '' ? PLATFORM_HOME : home).displayName;

const isOn = (): AppError =>
  new AppError('CONFLICT', 'The account has a second factor already.', { hint: 'Turn it off with DELETE auth/totp first.' });

const isOff = (): AppError => new AppError('NOT_FOUND', 'The account has no second factor.');
