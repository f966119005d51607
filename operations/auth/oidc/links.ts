/** One's own links to providers: seen, and given up while another way in is left. */
import { run, runText } from '../../../adapters/postgres/run.ts';
import { transaction } from '../../../adapters/postgres/transaction.ts';
import { AppError } from '../../../core/errors.ts';
import { sql, value } from '../../../core/sql/sql.ts';
import { appOf, audit } from '../../platform/audit.ts';
import type { SessionScope } from '../own-sessions.ts';

/** The JSON of the links, the oldest first. */
export const listLinks = async ({ services, realm, userId }: SessionScope): Promise<string> =>
  (await runText(
    services.pool,
    sql`select coalesce(json_agg(json_build_object('provider', l.provider, 'issuer', l.issuer, 'email', l.email,
          'created_at', l.created_at, 'used_at', l.used_at) order by l.created_at, l.issuer), '[]'::json)::text
        from ${realm.oidcLinks} l where l.user_id = ${value(userId, 'uuid')}`,
  )) ?? '[]';

/** Sessions go on; the next sign-in with the provider links again by address, if it still vouches for it. */
export async function removeLink({ services, realm, userId, actor }: SessionScope, provider: string): Promise<object> {
  const user = value(userId, 'uuid');
  return transaction(services.pool, async (db) => {
    const [account] = await run<{ has_password: boolean }>(
      db,
      sql`select password_hash is not null as has_password from ${realm.users} where id = ${user} for update`,
    );
    const gone = await run(
      db,
      sql`delete from ${realm.oidcLinks} where user_id = ${user} and provider = ${value(provider, 'text')} returning issuer`,
    );
    if (gone.length === 0) throw new AppError('NOT_FOUND', 'Your account is not linked to such a provider.');
    if (account?.has_password !== true) {
      const left = await run(
        db,
        sql`select from ${realm.oidcLinks} l where l.user_id = ${user}
              and exists (select from ${realm.authProviders} p where p.active and p.name = l.provider) limit 1`,
      );
      if (left.length === 0)
        throw new AppError('CONFLICT', 'This is the last way into the account.', {
          hint: 'Set a password first: POST auth/forgot sends a mail for it.',
        });
    }
    await audit(db, actor, { app: appOf(realm), action: 'oidc.unlink', target: userId, detail: { provider } });
    return { provider };
  });
}
