/** The second factor of an account: a secret sealed with SECRET_KEY, the newest step a code was taken of, and recovery codes. */
import { randomInt } from 'node:crypto';
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import type { Realm } from '../../adapters/tokens.ts';
import { newTotp, totpStep } from '../../adapters/totp.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';
import type { AccountHome } from './home.ts';

const RECOVERY_CODES = 10;
/** No letters that are read as others; 16 of these are 80 bits. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const RECOVERY_LENGTH = 16;
const RECOVERY = new RegExp(`^[${ALPHABET}]{${RECOVERY_LENGTH}}$`);

/** Whose factor. */
export interface FactorOwner {
  readonly services: Services;
  readonly realm: Realm;
  readonly userId: string;
}

export interface FactorState {
  readonly enabled: boolean;
  readonly recovery_codes_left: number;
}

/** True when the app lets accounts with these roles in with a second factor only. */
export function requiresFactor({ settings }: AccountHome, roles: readonly string[]): boolean {
  if (settings.require_totp_for.length === 0) return false;
  const held = new Set(roles.map((role) => role.toLowerCase()));
  return settings.require_totp_for.some((role) => held.has(role.trim().toLowerCase()));
}

export async function factorState(db: Db, realm: Realm, userId: string): Promise<FactorState> {
  const [row] = await run<{ left: number }>(
    db,
    sql`select cardinality(recovery_hashes) as left from ${realm.factors}
        where user_id = ${value(userId, 'uuid')} and confirmed_at is not null`,
    { prepared: true },
  );
  return { enabled: row !== undefined, recovery_codes_left: row?.left ?? 0 };
}

export interface BegunFactor {
  /** Base32; shown this once. */
  readonly secret: string;
  readonly uri: string;
}

/** A secret that counts for nothing until a code of it is confirmed, in place of one begun before; undefined when a factor is on. */
export async function beginFactor(owner: FactorOwner, issuer: string, email: string): Promise<BegunFactor | undefined> {
  const { services, realm, userId } = owner;
  const made = await newTotp(issuer, email);
  const begun = await execute(
    services.pool,
    sql`insert into ${realm.factors} as f (user_id, sealed_secret)
        values (${value(userId, 'uuid')}, ${value(services.keyring.seal(made.bytes, purposeOf(owner)))})
        on conflict (user_id) do update set sealed_secret = excluded.sealed_secret, created_at = now() where f.confirmed_at is null`,
  );
  return begun === 0 ? undefined : { secret: made.secret, uri: made.uri };
}

/** Turns the factor on that was begun, and answers its recovery codes; undefined when the code is not its. */
export async function confirmFactor(db: Db, owner: FactorOwner, given: unknown): Promise<readonly string[] | undefined> {
  const { realm, userId, services } = owner;
  const found = await stepOf(db, owner, given, 'begun');
  if (found === undefined) return undefined;
  const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
  const hashes = codes.map((code) => hashOf(owner, code.replaceAll('-', '')));
  const confirmed = await execute(
    db,
    sql`update ${realm.factors} set confirmed_at = ${value(services.clock(), 'timestamptz')}, last_step = ${value(found.step, 'bigint')},
          recovery_hashes = ${value(hashes, 'text[]')}
        where user_id = ${value(userId, 'uuid')} and confirmed_at is null and sealed_secret = ${value(found.sealed)}`,
  );
  return confirmed === 0 ? undefined : codes;
}

/** Takes a code, or a recovery code, for good: the same one is refused ever after. Undefined when it is wrong. */
export async function spendCode(db: Db, owner: FactorOwner, given: unknown): Promise<'totp' | 'recovery' | undefined> {
  const { realm, userId } = owner;
  const recovery = typeof given === 'string' && given.length <= 64 ? given.replaceAll(/[\s-]/g, '').toLowerCase() : '';
  if (RECOVERY.test(recovery)) {
    const hash = value(hashOf(owner, recovery), 'text');
    const spent = await execute(
      db,
      sql`update ${realm.factors} set recovery_hashes = array_remove(recovery_hashes, ${hash})
          where user_id = ${value(userId, 'uuid')} and confirmed_at is not null and ${hash} = any(recovery_hashes)`,
    );
    return spent === 0 ? undefined : 'recovery';
  }
  const found = await stepOf(db, owner, given, 'on');
  if (found === undefined) return undefined;
  const step = value(found.step, 'bigint');
  const spent = await execute(
    db,
    sql`update ${realm.factors} set last_step = ${step}
        where user_id = ${value(userId, 'uuid')} and confirmed_at is not null and last_step < ${step} and sealed_secret = ${value(found.sealed)}`,
  );
  return spent === 0 ? undefined : 'totp';
}

/** Turns the factor off, or takes back one that was only begun; false when there was none. What waits for a code of it is dead. */
export async function dropFactor(db: Db, realm: Realm, userId: string): Promise<boolean> {
  const dropped = await run(
    db,
    sql`with ended as (delete from ${realm.challenges} where user_id = ${value(userId, 'uuid')})
        delete from ${realm.factors} where user_id = ${value(userId, 'uuid')} returning 1`,
  );
  return dropped.length > 0;
}

/** One that was only begun has no codes to ask for. */
export async function dropBegunFactor(db: Db, realm: Realm, userId: string): Promise<boolean> {
  const begun = sql`delete from ${realm.factors} where user_id = ${value(userId, 'uuid')} and confirmed_at is null`;
  return (await execute(db, begun)) > 0;
}

async function stepOf(
  db: Db,
  owner: FactorOwner,
  given: unknown,
  which: 'begun' | 'on',
): Promise<{ readonly step: number; readonly sealed: Buffer } | undefined> {
  const code = typeof given === 'string' && given.length <= 64 ? given.replaceAll(/\s/g, '') : '';
  if (!/^[0-9]{6}$/.test(code)) return undefined;
  const { services, realm, userId } = owner;
  const [row] = await run<{ sealed_secret: Buffer }>(
    db,
    sql`select sealed_secret from ${realm.factors}
        where user_id = ${value(userId, 'uuid')} and (confirmed_at is not null) = ${value(which === 'on', 'boolean')}`,
  );
  if (row === undefined) return undefined;
  const step = await totpStep(services.keyring.open(row.sealed_secret, purposeOf(owner)), code, services.clock());
  return step === undefined ? undefined : { step, sealed: row.sealed_secret };
}

const purposeOf = ({ realm, userId }: FactorOwner): string => `totp/${realm.key}/${userId}`;

/** Only a holder of SECRET_KEY can try codes against what is stored. */
const hashOf = ({ services, realm, userId }: FactorOwner, code: string): string =>
  services.keyring.derive(`${realm.key}/${userId}/${code}`, 'recovery-code');

/** Four groups of four, to be read from paper. */
function newRecoveryCode(): string {
  const letters = Array.from({ length: RECOVERY_LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
  return (letters.match(/.{4}/g) ?? []).join('-');
}
