/** Refusing a sign-in after the same work, whoever it was meant for: the time of an answer must not tell which accounts exist. */
import { evenOut } from '../../adapters/passwords.ts';
import { run } from '../../adapters/postgres/run.ts';
import type { Realm } from '../../adapters/tokens.ts';
import { literal, sql } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';

/** Finding the dearest hash reads the whole table, so it is asked once in a while; an import is known that much later. */
const BELIEVED_MS = 60_000;

interface Known {
  readonly at: number;
  readonly cost: Promise<number | undefined>;
}

const known = new WeakMap<Services, Map<string, Known>>();

/** The highest bcrypt cost among the accounts of a realm; undefined when none has a hash of another product. */
function dearestForeign(services: Services, realm: Realm): Promise<number | undefined> {
  let realms = known.get(services);
  if (realms === undefined) known.set(services, (realms = new Map()));
  const now = services.clock().getTime();
  let found = realms.get(realm.key);
  if (found === undefined || Math.abs(now - found.at) > BELIEVED_MS) {
    const cost = ask(services, realm);
    cost.catch(() => realms.delete(realm.key));
    realms.set(realm.key, (found = { at: now, cost }));
  }
  return found.cost;
}

async function ask(services: Services, realm: Realm): Promise<number | undefined> {
  const [row] = await run<{ cost: number | null }>(
    services.pool,
    sql`select max(substring(password_hash from 5 for 2))::integer as cost from ${realm.users} where password_hash ~ ${literal('^[$]2[aby][$](0[4-9]|1[0-2])[$]')}`,
  );
  return row?.cost ?? undefined;
}

/** Does what a refused try has not cost yet. */
export async function payInFull(services: Services, realm: Realm, password: string, stored: string | null | undefined): Promise<void> {
  await evenOut(password, stored, await dearestForeign(services, realm));
}
