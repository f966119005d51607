/** The keys that sign a realm's access tokens: seen and replaced by its admins. */
import { run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { replaceSigningKey, type Realm } from '../../adapters/tokens.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { Actor, Services } from '../context.ts';
import { appOf, audit } from '../platform/audit.ts';

export interface SigningScope {
  readonly services: Services;
  readonly actor: Actor;
  readonly realm: Realm;
}

export interface SigningKey {
  readonly kid: string;
  readonly algorithm: string;
  /** `verifying`: replaced, but tokens it signed are good until they end. */
  readonly state: 'signing' | 'verifying' | 'retired' | 'revoked';
  readonly created_at: Date;
  readonly retired_at: Date | null;
  readonly revoked_at: Date | null;
}

const MAX_SHOWN = 100;

/** Newest first, the latest hundred. */
export const listSigningKeys = ({ services, realm }: SigningScope): Promise<SigningKey[]> =>
  run<SigningKey & Record<string, unknown>>(
    services.pool,
    sql`
    select kid, algorithm, created_at, retired_at, revoked_at,
      case when revoked_at is not null then 'revoked' when retired_at is null then 'signing'
        when retired_at > now() - interval '1 hour' then 'verifying' else 'retired' end as state
    from durabase.signing_keys where app = ${value(realm.key, 'text')} order by created_at desc, kid limit ${value(MAX_SHOWN, 'integer')}`,
  );

/** A new key signs; `revoke` ends everything signed before it (sessions go on: their clients refresh). */
export function rotateSigningKey(
  { services, actor, realm }: SigningScope,
  options: { readonly revoke: boolean },
): Promise<{ readonly kid: string; readonly retired: readonly string[]; readonly revoked: boolean }> {
  return transaction(services.pool, async (client) => {
    const made = await replaceSigningKey(client, services.keyring, realm, { isCut: options.revoke });
    const app = appOf(realm);
    await audit(client, actor, {
      app,
      action: 'signing_key.rotate',
      target: made.kid,
      detail: { retired: made.retired, revoked: options.revoke },
    });
    return { ...made, revoked: options.revoke };
  });
}
