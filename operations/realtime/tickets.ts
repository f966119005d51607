/**
 * Tickets: a browser's EventSource sends no headers. Whoever has a credential gets a ticket that opens one stream within half a
 * minute; it stands for the credential, so that the stream is cut when that is.
 */
import { randomBytes } from 'node:crypto';
import { digestOf } from '../../adapters/digest.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { AppRuntime, Services } from '../context.ts';

const LIFE_SECONDS = 30;
const purposeOf = (app: AppRuntime): string => `ticket/${app.id}`;

export interface Ticket {
  readonly ticket: string;
  readonly expires_in: number;
}

export async function makeTicket(services: Services, app: AppRuntime, credential: string): Promise<Ticket> {
  const ticket = randomBytes(24).toString('base64url');
  const sealed = services.keyring.seal(Buffer.from(credential, 'utf8'), purposeOf(app));
  await execute(
    services.pool,
    sql`
    insert into durabase.stream_tickets (hash, app, sealed, expires_at)
    values (${value(digestOf(ticket))}, ${value(app.id)}, decode(${value(sealed.toString('base64'))}, 'base64'),
      now() + make_interval(secs => ${value(LIFE_SECONDS, 'integer')}))`,
  );
  return { ticket, expires_in: LIFE_SECONDS };
}

/** The credential behind a ticket, once. */
export async function redeemTicket(services: Services, app: AppRuntime, ticket: string): Promise<string> {
  const [row] = await run<{ sealed: Buffer; is_alive: boolean }>(
    services.pool,
    sql`
    delete from durabase.stream_tickets where hash = ${value(digestOf(ticket))} and app = ${value(app.id)}
    returning sealed, expires_at > now() as is_alive`,
  );
  if (row?.is_alive === true) return services.keyring.open(row.sealed, purposeOf(app)).toString('utf8');
  throw new AppError('UNAUTHORIZED', 'The ticket was used before, has expired, or was never given.', {
    hint: 'Get a new one with POST _events/ticket; it opens one stream within 30 seconds.',
  });
}
