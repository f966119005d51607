/** The first accounts: one platform admin per installation, one admin per app. */
import { randomBytes } from 'node:crypto';
import { uuidv7 } from '../../adapters/ids.ts';
import { hashPassword } from '../../adapters/passwords.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { PLATFORM_REALM, type Realm } from '../../adapters/tokens.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';

export const DEFAULT_PASSWORD = 'changeme';
export const APP_ADMIN_EMAIL = 'admin@localhost';

/** Makes the platform admin of PLATFORM_ADMIN_EMAIL when there is no platform account at all. Safe to repeat and to race. */
export async function seedPlatformAdmin(services: Pick<Services, 'pool' | 'config' | 'log'>): Promise<void> {
  const [row] = await run<{ any: boolean }>(services.pool, sql`select exists (select from durabase.platform_users) as any`);
  if (row?.any === true) return;
  const { email, password } = services.config.platformAdmin;
  const isPublished = password === DEFAULT_PASSWORD;
  const made = await insertAdmin(services, PLATFORM_REALM, { email, password, isPublished });
  if (made && isPublished) services.log.warn({ email }, 'the platform admin has the published development password: change it');
}

/**
 * Makes an app's first admin. On a development start it has the published password; elsewhere a random one that nobody knows,
 * so that the first sign-in is by a platform admin who sets one (or `durabase admin reset-password`).
 */
export async function seedAppAdmin(services: Pick<Services, 'pool' | 'config' | 'log'>, realm: Realm, app: string): Promise<void> {
  const [row] = await run<{ any: boolean }>(services.pool, sql`select exists (select from ${realm.users}) as any`);
  if (row?.any === true) return;
  const isPublished = services.config.isDevelopment;
  const password = isPublished ? DEFAULT_PASSWORD : randomBytes(24).toString('base64url');
  const made = await insertAdmin(services, realm, { email: APP_ADMIN_EMAIL, password, isPublished });
  if (!made) return;
  if (isPublished)
    services.log.warn({ app, email: APP_ADMIN_EMAIL }, 'the admin of the new app has the published development password: change it');
  else
    services.log.warn(
      { app, email: APP_ADMIN_EMAIL },
      'the admin of the new app has no known password: set one with `durabase admin reset-password`',
    );
}

async function insertAdmin(
  services: Pick<Services, 'pool'>,
  realm: Realm,
  account: { email: string; password: string; isPublished: boolean },
): Promise<boolean> {
  const hash = await hashPassword(account.password);
  const inserted = await execute(
    services.pool,
    sql`
    insert into ${realm.users} (id, email, password_hash, roles, must_change)
    values (${value(uuidv7(), 'uuid')}, ${value(account.email, 'text')}, ${value(hash, 'text')}, ${value(['admin'], 'text[]')}, ${value(account.isPublished, 'boolean')})
    on conflict do nothing`,
  );
  return inserted > 0;
}
