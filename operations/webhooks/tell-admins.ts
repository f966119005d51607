/** The mail about an endpoint that was disabled: to the app's admins, or to the platform's where the app has none. */
import { canMail } from '../../adapters/config.ts';
import { run, type Db } from '../../adapters/postgres/run.ts';
import type { WebhookDefinition } from '../../core/model/document.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { homeOf } from '../auth/home.ts';
import type { AppRuntime, Services } from '../context.ts';
import { queueMessage } from '../mails/outbox.ts';

const MOST = 20;

export async function tellAdmins(
  db: Db,
  services: Services,
  app: AppRuntime,
  hook: WebhookDefinition | undefined,
  reason: string,
): Promise<void> {
  if (hook === undefined || !canMail(services.config)) return;
  const { displayName, realm, name } = homeOf(app);
  const label = hook.name ?? `${hook.entity} ${hook.hook}`;
  // The address may hold a token of the receiver, so only its host is told.
  const text = `The webhook "${label}" of ${displayName} was disabled: ${reason}

Its endpoint is at ${new URL(hook.url).host}. Deliveries wait until it is enabled again; see ${services.config.publicUrl}/api/${name}/_admin/webhooks/${hook.id ?? ''}/health.

When the endpoint is well: POST ${services.config.publicUrl}/api/${name}/_admin/webhooks/${hook.id ?? ''}/enable. What waits is then sent in order.`;
  for (const { email } of await admins(db, app)) {
    const key = `webhook-disabled/${hook.id ?? ''}/${services.clock().toISOString()}/${email}`;
    await queueMessage(db, services, realm, { to: email, subject: `${displayName}: the webhook "${label}" was disabled`, text }, key);
  }
}

async function admins(db: Db, app: AppRuntime): Promise<readonly { readonly email: string }[]> {
  const own = await run<{ email: string }>(
    db,
    sql`select email from ${id(app.storage, '_users')} where active and 'admin' = any(roles) order by created_at limit ${value(MOST, 'integer')}`,
  );
  if (own.length > 0) return own;
  return run<{ email: string }>(
    db,
    sql`select email from durabase.platform_users where active and 'admin' = any(roles) order by created_at limit ${value(MOST, 'integer')}`,
  );
}
