/** Password hashes: scrypt, the parameters stored with the hash, so that they can be raised without touching old ones. */
import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { AppError } from '../core/errors.ts';
import { isBehindBcrypt } from './bcrypt.ts';

/** 32 MiB and about 60 ms per hash. */
const LOG_N = 15;
const BLOCK = 8;
const PARALLEL = 1;
const KEY_BYTES = 32;

/** Each hash takes a thread of the pool and 32 MiB: two at once leave room for the rest of the process. */
const MAX_RUNNING = 2;
const MAX_WAITING = 200;

let running = 0;
const waiting: (() => void)[] = [];

async function bounded<T>(work: () => Promise<T>): Promise<T> {
  if (running >= MAX_RUNNING) {
    if (waiting.length >= MAX_WAITING) {
      throw new AppError('UNAVAILABLE', 'Too many sign-ins at once.', { hint: 'Try again in a second.', retryAfter: 1 });
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running += 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}

const derive = (password: string, salt: Buffer, options: ScryptOptions, length: number): Promise<Buffer> =>
  bounded(
    () =>
      new Promise((resolve, reject) => {
        // NFKC: the same password typed on two systems is the same password.
        scrypt(password.normalize('NFKC'), salt, length, options, (error, key) => (error === null ? resolve(key) : reject(error)));
      }),
  );

const optionsOf = (logN: number, r: number, p: number): ScryptOptions => ({ N: 2 ** logN, r, p, maxmem: 256 * 2 ** logN * r });

/** `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`, both in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, optionsOf(LOG_N, BLOCK, PARALLEL), KEY_BYTES);
  return `$scrypt$ln=${LOG_N},r=${BLOCK},p=${PARALLEL}$${salt.toString('base64url')}$${key.toString('base64url')}`;
}

const HASH = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w-]{16,})\$([\w-]{22,})$/;

/** What an unknown account is verified against, so that it takes as long as a known one. */
const DECOY = `$scrypt$ln=${LOG_N},r=${BLOCK},p=${PARALLEL}$${Buffer.alloc(16, 7).toString('base64url')}$${Buffer.alloc(KEY_BYTES, 7).toString('base64url')}`;

/** Of other products. Its cost is bounded, because each try takes a thread for so long: cost 12 some tenths of a second. */
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
export const MAX_BCRYPT_COST = 12;

/** Undefined for a hash that may be taken over from another product, else what is wrong with it. */
export function importProblem(hash: string): string | undefined {
  const cost = Number(BCRYPT.exec(hash)?.[1]);
  if (cost >= 4 && cost <= MAX_BCRYPT_COST) return undefined;
  if (cost > MAX_BCRYPT_COST) return `is bcrypt of cost ${cost}; at most ${MAX_BCRYPT_COST} is taken`;
  const format = FORMATS.find(([pattern]) => pattern.test(hash))?.[1];
  return format === undefined ? 'must be a bcrypt hash ($2a$, $2b$ or $2y$)' : `is ${format}; only bcrypt ($2a$, $2b$, $2y$) is taken`;
}

const FORMATS: readonly (readonly [RegExp, string])[] = [
  [/^\$argon2/i, 'argon2'],
  [/^(\$scrypt\$|scrypt:)/i, 'scrypt'],
  [/^(\$pbkdf2|pbkdf2)/i, 'PBKDF2'],
  [/^\$2x\$/, 'the faulty bcrypt variant $2x$'],
  [/^\$1\$/, 'MD5-crypt'],
  [/^\$[56]\$/, 'SHA-crypt'],
  [/^[0-9a-f]{32,128}$/i, 'a bare digest'],
];

/** True for a hash that is replaced by ours as soon as its password is known. */
export const isForeignHash = (stored: string | null | undefined): boolean => BCRYPT.test(stored ?? '');

/** True when the password is the one behind the hash. A missing hash costs the same time and is never true. */
export async function verifyPassword(password: string, stored: string | null | undefined): Promise<boolean> {
  if (stored !== null && stored !== undefined && importProblem(stored) === undefined)
    return bounded(() => isBehindBcrypt(password, stored));
  const match = HASH.exec(stored ?? DECOY) ?? HASH.exec(DECOY);
  const isReal = stored !== null && stored !== undefined && HASH.test(stored);
  const [, logN, r, p, salt, hash] = match ?? [];
  const expected = Buffer.from(hash ?? '', 'base64url');
  const actual = await derive(
    password,
    Buffer.from(salt ?? '', 'base64url'),
    optionsOf(Number(logN), Number(r), Number(p)),
    expected.length,
  );
  return timingSafeEqual(actual, expected) && isReal;
}

const foreignCostOf = (stored: string | null | undefined): number | undefined =>
  isForeignHash(stored) && importProblem(stored ?? '') === undefined ? Number(stored?.slice(4, 6)) : undefined;

/** A hash of no password, of this cost. */
const foreignDecoy = (cost: number): string => `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;

/**
 * What a refusal does after `verifyPassword`, so that every account costs the same, be it unknown, of ours or of another product:
 * one hash of ours and bcrypt of `dearest`, the highest cost among the accounts it could have been. Without one it is ours alone.
 */
export async function evenOut(password: string, stored: string | null | undefined, dearest: number | undefined): Promise<void> {
  const own = foreignCostOf(stored);
  if (own !== undefined) await verifyPassword(password, undefined);
  for (const cost of owed(own, dearest)) await verifyPassword(password, foreignDecoy(cost));
}

/** A cost is a power of two: 9, 9 and 10 are together as dear as 11. */
function owed(own: number | undefined, dearest: number | undefined): number[] {
  if (dearest === undefined) return [];
  return own === undefined ? [dearest] : Array.from({ length: Math.max(0, dearest - own) }, (_, step) => own + step);
}
