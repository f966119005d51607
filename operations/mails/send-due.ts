/** Sending what is queued, in a worker: a claimed row carries a lease, a failure a later time, and each end is recorded. */
import { MailRefused, type Mailer } from '../../adapters/mail.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { mailText, messageText, type AccountMailKind, type MailKind } from '../../core/mail/mails.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { homeOf, PLATFORM_HOME, type AccountHome } from '../auth/home.ts';
import { openResetToken, renewVerificationToken } from '../auth/mail-tokens.ts';
import type { Services } from '../context.ts';
import { sealPurpose, type MailContent, type Message } from './outbox.ts';

const BATCH = 10;
const LEASE = '3 minutes';
const MAX_TRIES = 8;
const FIRST_DELAY_SECONDS = 30;
const MAX_DELAY_SECONDS = 3_600;
const KEEP = '30 days';

interface MailRow {
  readonly id: string;
  readonly app: string;
  readonly kind: MailKind;
  readonly sealed: Buffer;
  readonly tries: number;
}

/** Sends the mails that are due, a few at a time; answers how many there were. */
export async function sendDueMails(services: Services, mailer: Mailer): Promise<number> {
  const rows = await run<MailRow>(
    services.pool,
    sql`update durabase.mails m set tries = m.tries + 1, due_at = now() + ${value(LEASE, 'interval')}
        from (select id from durabase.mails where status = 'queued' and due_at <= now()
          order by due_at limit ${value(BATCH, 'integer')} for update skip locked) due
        where m.id = due.id returning m.id, m.app, m.kind, m.sealed, m.tries`,
    { prepared: true },
  );
  await Promise.all(rows.map((row) => sendOne(services, mailer, row)));
  return rows.length;
}

/** Forgets what was settled long ago. */
export const forgetMails = (services: Services): Promise<number> =>
  execute(services.pool, sql`delete from durabase.mails where status <> 'queued' and settled_at < now() - ${value(KEEP, 'interval')}`);

async function sendOne(services: Services, mailer: Mailer, row: MailRow): Promise<void> {
  try {
    const mail = await compose(services, row);
    if (mail === undefined) return await settle(services, row, 'void', null);
    await mailer.send(mail);
    await settle(services, row, 'sent', null);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    services.log.warn({ mail: row.id, app: row.app, kind: row.kind, tries: row.tries, error: message }, 'a mail was not sent');
    if (error instanceof MailRefused || row.tries >= MAX_TRIES) await settle(services, row, 'failed', message);
    else await postpone(services, row, message);
  }
}

/** Undefined when there is nobody to write to any more: no such account, no such app. */
async function compose(services: Services, row: MailRow) {
  const home = await homeOfMail(services, row.app);
  if (home === undefined) return undefined;
  const content: unknown = JSON.parse(services.keyring.open(row.sealed, sealPurpose(row.id)).toString('utf8'));
  if (row.kind === 'message') {
    const message = content as Message;
    return { id: row.id, to: message.to, ...messageText(message) };
  }
  return composeForAccount(services, home, { ...row, kind: row.kind }, content as MailContent);
}

async function composeForAccount(
  services: Services,
  home: AccountHome,
  row: { readonly id: string; readonly kind: AccountMailKind },
  content: MailContent,
) {
  const token = await tokenOf(services, home, row.kind, content);
  if (token === undefined) return undefined;
  const link = linkTo(services, home, row.kind, token);
  return { id: row.id, to: content.email, ...mailText(row.kind, home.displayName, link) };
}

async function homeOfMail(services: Services, app: string): Promise<AccountHome | undefined> {
  if (app === '') return PLATFORM_HOME;
  const runtime = await services.registry.byId(app);
  return runtime?.status === 'active' ? homeOf(runtime) : undefined;
}

async function tokenOf(services: Services, home: AccountHome, kind: AccountMailKind, content: MailContent): Promise<string | undefined> {
  switch (kind) {
    case 'invite':
      return content.token;
    case 'reset':
      return openResetToken(services.pool, home.realm, content.email);
    case 'verification':
      return renewVerificationToken(services.pool, home.realm, content.email);
  }
}

const PAGES: Readonly<Record<AccountMailKind, string>> = { invite: 'accept-invite', reset: 'reset', verification: 'verify' };

/** The token stands behind `#`, which no server, log or Referer sees. An own page that is itself behind `#` gets it as a query there. */
function linkTo(services: Services, home: AccountHome, kind: AccountMailKind, token: string): string {
  const { invite_url, reset_url, verify_url } = home.settings;
  const own = { invite: invite_url, reset: reset_url, verification: verify_url }[kind];
  const page = own ?? `${services.config.publicUrl.replace(/\/$/, '')}/api/${home.name}/auth/${PAGES[kind]}`;
  if (!page.includes('#')) return `${page}#token=${token}`;
  return `${page}${page.slice(page.indexOf('#')).includes('?') ? '&' : '?'}token=${token}`;
}

async function settle(services: Services, row: MailRow, status: 'sent' | 'failed' | 'void', error: string | null): Promise<void> {
  await execute(
    services.pool,
    sql`update durabase.mails set status = ${value(status, 'text')}, error = ${value(error, 'text')}, sealed = null, settled_at = now()
        where id = ${value(row.id, 'uuid')} and status = 'queued'`,
  );
}

async function postpone(services: Services, row: MailRow, error: string): Promise<void> {
  const seconds = Math.min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (row.tries - 1));
  await execute(
    services.pool,
    sql`update durabase.mails set due_at = now() + ${value(seconds, 'double precision')} * interval '1 second', error = ${value(error, 'text')}
        where id = ${value(row.id, 'uuid')} and status = 'queued'`,
  );
}
