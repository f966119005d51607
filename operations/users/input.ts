import { importProblem } from '../../adapters/passwords.ts';
import { AppError, type ErrorDetail } from '../../core/errors.ts';
import { hasUnstorable } from '../../core/model/fields/field-kind.ts';

/** What a caller may say about an account; only what was said is present. */
export interface AccountInput {
  readonly email?: string;
  readonly password?: string;
  /** Of another product; replaced by ours at the first sign-in. */
  readonly passwordHash?: string;
  readonly roles?: readonly string[];
  readonly active?: boolean;
  /** A user's id or email address; null for none. */
  readonly manager?: string | null;
}

const EMAIL = /^[^\s@<>"]+@[^\s@<>"]+$/;
/** Sent back by clients that edit what they were given; never taken. */
const READ_ONLY = new Set(['id', 'created_at', 'updated_at', 'must_change']);

/** Checks a body against the shape of an account and reports every mistake at once. */
export function readAccount(body: unknown, action: 'create' | 'update', takesManager: boolean): AccountInput {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new AppError('INVALID_PAYLOAD', 'The body must be a JSON object.');
  const given = body as Record<string, unknown>;
  const details: ErrorDetail[] = [];
  const fail = (field: string, rule: string, message: string): undefined => void details.push({ field, rule, message });
  const known = ['email', 'password', 'password_hash', 'roles', 'active', ...(takesManager ? ['manager'] : [])];
  for (const key of Object.keys(given)) {
    if (!READ_ONLY.has(key) && !known.includes(key)) fail(key, 'unknown', `A user has no field "${key}".`);
  }
  const email = readEmail(given['email'], action, fail);
  const password = given['password_hash'] === undefined ? readPassword(given['password'], action, fail) : undefined;
  const passwordHash = readHash(given, fail);
  const roles = readRoles(given['roles'], fail);
  const active = given['active'];
  if (active !== undefined && typeof active !== 'boolean') fail('active', 'type', '"active" must be true or false.');
  const manager = given['manager'];
  if (manager !== undefined && manager !== null && typeof manager !== 'string')
    fail('manager', 'type', '"manager" must be the id or email of a user, or null.');
  if (details.length > 0) throw new AppError('VALIDATION_FAILED', 'The user is not valid.', { details });
  return {
    ...(email === undefined ? {} : { email }),
    ...(password === undefined ? {} : { password }),
    ...(passwordHash === undefined ? {} : { passwordHash }),
    ...(roles === undefined ? {} : { roles }),
    ...(typeof active === 'boolean' ? { active } : {}),
    ...(manager === null || typeof manager === 'string' ? { manager } : {}),
  };
}

export type Fail = (field: string, rule: string, message: string) => undefined;

/** The address, or undefined after `fail` was told why. */
export function readEmail(given: unknown, action: 'create' | 'update', fail: Fail): string | undefined {
  if (given === undefined && action === 'update') return undefined;
  if (given === undefined || given === null || given === '') return fail('email', 'required', '"email" is required.');
  if (typeof given !== 'string' || given.length > 320 || !EMAIL.test(given.trim()) || hasUnstorable(given))
    return fail('email', 'email', '"email" must be an email address.');
  return given.trim();
}

function readPassword(given: unknown, action: 'create' | 'update', fail: Fail): string | undefined {
  const isEmpty = given === undefined || given === null || given === '';
  if (isEmpty) return action === 'update' ? undefined : fail('password', 'required', '"password" is required.');
  if (typeof given !== 'string' || given.length > 1_024)
    return fail('password', 'type', '"password" must be text of at most 1,024 characters.');
  return given;
}

function readHash({ password, password_hash: given }: Record<string, unknown>, fail: Fail): string | undefined {
  if (given === undefined) return undefined;
  if (password !== undefined) return fail('password_hash', 'value', 'Give "password" or "password_hash", not both.');
  const problem = typeof given === 'string' && given.length <= 200 ? importProblem(given) : 'must be a bcrypt hash ($2a$, $2b$ or $2y$)';
  return problem === undefined ? (given as string) : fail('password_hash', 'format', `"password_hash" ${problem}.`);
}

/** Role names in lower case, or undefined after `fail` was told why, or when none are given. */
export function readRoles(given: unknown, fail: Fail): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const isList =
    Array.isArray(given) &&
    given.length <= 100 &&
    given.every((role) => typeof role === 'string' && /^[^\n]{1,100}$/.test(role.trim()) && !hasUnstorable(role));
  if (!isList) return fail('roles', 'type', '"roles" must be a list of role names.');
  return [...new Set((given as string[]).map((role) => role.trim().toLowerCase()))];
}
