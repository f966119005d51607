/**
 * Mails to be sent: a row in the transaction of what they tell of, sealed, so that none is lost and none waited for. A mail
 * about a password holds only the address: the worker looks the account up, so asking for one takes as long for nobody.
 */
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, type Db } from '../../adapters/postgres/run.ts';
import type { Realm } from '../../adapters/tokens.ts';
import type { AccountMailKind, MailKind } from '../../core/mail/mails.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';

export interface MailContent {
  readonly email: string;
  /** An invite's; the others are made when the mail is sent. */
  readonly token?: string;
}

export const sealPurpose = (mailId: string): string => `mail/${mailId}`;

export interface Message {
  readonly to: string;
  readonly subject: string;
  /** Plain text; paragraphs are divided by empty lines. */
  readonly text: string;
  /** Trusted HTML instead of the text's paragraphs. */
  readonly html?: string;
}

/** Queues a mail about an account; answers its id. */
export const queueMail = (db: Db, services: Services, realm: Realm, kind: AccountMailKind, content: MailContent): Promise<string> =>
  insertMail(db, services, realm, kind, content, null);

/**
 * Queues a message in the transaction of `db`. Of one key only one is ever queued, so a durable step that repeats itself
 * gives the key of its effect.
 */
export async function queueMessage(db: Db, services: Services, realm: Realm, message: Message, key: string): Promise<void> {
  await insertMail(db, services, realm, 'message', message, key);
}

async function insertMail(
  db: Db,
  services: Services,
  realm: Realm,
  kind: MailKind,
  content: MailContent | Message,
  key: string | null,
): Promise<string> {
  const mailId = uuidv7();
  const sealed = services.keyring.seal(Buffer.from(JSON.stringify(content)), sealPurpose(mailId));
  await execute(
    db,
    sql`insert into durabase.mails (id, app, kind, sealed, key)
        values (${value(mailId, 'uuid')}, ${value(realm.key, 'text')}, ${value(kind, 'text')}, ${value(sealed)}, ${value(key, 'text')})
        on conflict (app, key) where key is not null do nothing`,
  );
  return mailId;
}
