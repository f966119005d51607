/** Secrets of one app: the webhooks' signing keys and the values behind `{{secret.NAME}}`. Sealed at rest, never read back by a person. */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { id, sql, value } from '../../core/sql/sql.ts';
import { SECRET_PREFIX } from '../../core/webhook/signature.ts';
import { AppError } from '../../core/errors.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import type { AppContext, AppRuntime, Services } from '../context.ts';
import { audit } from '../platform/audit.ts';
import { requireWebhook } from './definition.ts';

const purpose = (app: AppRuntime, name: string): string => `secret/${app.id}/${name}`;
export const signingName = (webhook: string): string => `webhook/${webhook}`;
const SECRET_NAME = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;

/** A webhook's keys as they are stored; null before the first use. */
export interface SealedKeys extends pg.QueryResultRow {
  readonly sealed: Buffer | null;
  readonly previous: Buffer | null;
}

/** The current key and, during a rotation, the one before it. Made on first use. */
export async function signingKeys(services: Services, app: AppRuntime, webhook: string): Promise<readonly Uint8Array[]> {
  const name = signingName(webhook);
  const read = sql`select sealed, previous from ${id(app.storage, '_secrets')} where name = ${value(name)}`;
  let rows = await run<SealedKeys>(services.pool, read, { prepared: true });
  if (rows.length === 0) {
    const sealed = services.keyring.seal(randomBytes(32), purpose(app, name));
    await execute(
      services.pool,
      sql`insert into ${id(app.storage, '_secrets')} (name, sealed) values (${value(name)}, ${value(sealed)}) on conflict (name) do nothing`,
    );
    rows = await run<SealedKeys>(services.pool, read, { prepared: true });
  }
  return rows.flatMap((row) => openKeys(services, app, webhook, row));
}

/** For whoever has read the row along with something else. */
export const openKeys = (services: Services, app: AppRuntime, webhook: string, { sealed, previous }: SealedKeys): readonly Uint8Array[] =>
  [sealed, previous].flatMap((key) => (key === null ? [] : [services.keyring.open(key, purpose(app, signingName(webhook)))]));

/** A new signing secret, shown this once. The one before keeps signing beside it until the next rotation. */
export async function rotateSecret(ctx: AppContext, webhook: string): Promise<{ readonly secret: string }> {
  requireWebhook(ctx.app, webhook);
  const secret = await issueSecret(ctx, webhook);
  await told(ctx, 'webhook.rotate_secret', webhook);
  return { secret };
}

/** Makes and keeps a webhook's signing secret; the caller has made sure that there is such a webhook. */
export async function issueSecret(ctx: AppContext, webhook: string): Promise<string> {
  const name = signingName(webhook);
  const key = randomBytes(32);
  const table = id(ctx.app.storage, '_secrets');
  const sealed = ctx.services.keyring.seal(key, purpose(ctx.app, name));
  await execute(
    ctx.services.pool,
    sql`insert into ${table} as s (name, sealed) values (${value(name)}, ${value(sealed)})
        on conflict (name) do update set previous = s.sealed, sealed = excluded.sealed, created_at = now()`,
  );
  return SECRET_PREFIX + key.toString('base64');
}

/** Names only: a value is never shown after it was set. */
export async function listSecrets(ctx: AppContext): Promise<readonly { readonly name: string; readonly created_at: Date }[]> {
  return run(ctx.services.pool, sql`select name, created_at from ${id(ctx.app.storage, '_secrets')} where name !~ '/' order by name`);
}

export async function setSecret(ctx: AppContext, name: string, plain: unknown): Promise<{ readonly name: string }> {
  if (!SECRET_NAME.test(name)) throw new AppError('VALIDATION_FAILED', `"${name}" cannot name a secret: use letters, digits and _.`);
  if (typeof plain !== 'string' || plain === '') throw new AppError('VALIDATION_FAILED', 'The secret needs a text in "value".');
  const sealed = ctx.services.keyring.seal(Buffer.from(plain, 'utf8'), purpose(ctx.app, name));
  await execute(
    ctx.services.pool,
    sql`insert into ${id(ctx.app.storage, '_secrets')} (name, sealed) values (${value(name)}, ${value(sealed)})
        on conflict (name) do update set sealed = excluded.sealed, created_at = now()`,
  );
  await told(ctx, 'secret.set', name);
  return { name };
}

export async function deleteSecret(ctx: AppContext, name: string): Promise<{ readonly name: string }> {
  const gone = await execute(
    ctx.services.pool,
    sql`delete from ${id(ctx.app.storage, '_secrets')} where name = ${value(name)} and name !~ '/'`,
  );
  if (gone === 0) throw new AppError('NOT_FOUND', `There is no secret "${name}".`);
  await told(ctx, 'secret.delete', name);
  return { name };
}

/** Which secret, never what it is. */
const told = (ctx: AppContext, action: string, target: string): Promise<void> =>
  audit(ctx.services.pool, ctx.actor, { app: ctx.app.id, action, target });

export class MissingSecretError extends Error {
  override readonly name = 'MissingSecretError';
}

export interface ResolvedHeaders {
  readonly headers: Readonly<Record<string, string>>;
  /** The values that were put in: they appear in no log and no attempt. */
  readonly plain: readonly string[];
}

/** Replaces every `{{secret.NAME}}`; a name that is not set stops the call with a sentence fit for the attempt's row. */
export async function resolveSecrets(
  services: Services,
  app: AppRuntime,
  headers: Readonly<Record<string, string>>,
): Promise<ResolvedHeaders> {
  const names = [
    ...new Set(Object.values(headers).flatMap((text) => [...text.matchAll(/\{\{\s*secret\.(\w+)\s*\}\}/g)].map((match) => match[1] ?? ''))),
  ];
  const plain = new Map<string, string>();
  if (names.length > 0) {
    const rows = await run<{ name: string; sealed: Buffer }>(
      services.pool,
      sql`select name, sealed from ${id(app.storage, '_secrets')} where name = any(${value(names, 'text[]')})`,
    );
    for (const row of rows) plain.set(row.name, services.keyring.open(row.sealed, purpose(app, row.name)).toString('utf8'));
  }
  const filled = Object.entries(headers).map(([header, text]) => [
    header,
    text.replace(/\{\{\s*secret\.(\w+)\s*\}\}/g, (_, name: string) => {
      const found = plain.get(name);
      if (found === undefined) throw new MissingSecretError(`The secret "${name}" of header "${header}" is not set.`);
      return found;
    }),
  ]);
  return { headers: Object.fromEntries(filled) as Record<string, string>, plain: [...plain.values()] };
}
