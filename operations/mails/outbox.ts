/**
 * Mails to be sent: a row in the transaction of what they tell of, sealed, so that none is lost and none waited for. A mail
 * about a password holds only the address: the worker looks the account up, so asking for one takes as long for nobody.
 */
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, type Db } from '../../adapters/postgres/run.ts';
import type { Realm } from '../../adapters/tokens.ts';
import type { MailKind } from '../../core/mail/mails.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';

export interface MailContent {
  readonly email: string;
  /** An invite's; the others are made when the mail is sent. */
  readonly token?: string;
}

export const sealPurpose = (mailId: string): string => `mail/${mailId}`;

/** Queues a mail; answers its id. */
export async function queueMail(db: Db, services: Services, realm: Realm, kind: MailKind, content: MailContent): Promise<string> {
  const mailId = uuidv7();
  const sealed = services.keyring.seal(Buffer.from(JSON.stringify(content)), sealPurpose(mailId));
  await execute(
    db,
    sql`insert into durabase.mails (id, app, kind, sealed)
        values (${value(mailId, 'uuid')}, ${value(realm.key, 'text')}, ${value(kind, 'text')}, ${value(sealed)})`,
  );
  return mailId;
}
