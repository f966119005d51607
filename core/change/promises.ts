/**
 * Promises: advisory locks by which a writer who has a row and must wait for another one tells that one's writer to leave the row alone,
 * since he will write it himself. So two who need each other's rows do not wait in a circle (ADR 22).
 */
import { sql, type Sql } from '../sql/sql.ts';

/**
 * The body of a function of a promise's number that answers whether somebody made it. Read, not tried: a lock that is tried for an
 * instant could be left with a session that is cancelled in it.
 */
export const PROMISED: Sql = sql`
  begin
    return exists (select from pg_locks l where l.locktype = 'advisory' and l.objsubid = 1 and l.granted and l.mode = 'ExclusiveLock'
      and l.database = (select d.oid from pg_database d where d.datname = current_database())
      and ((l.classid::bigint << 32) | l.objid::bigint) = $1);
  end`;

/**
 * The body of a function that answers whether both sides agree, `differs` being how they do not. Between two commits a row with a promise
 * is behind: it is looked at again, for as long as a batch may take.
 */
export const agreesUnless = (differs: Sql): Sql => sql`
  begin
    loop
      if not exists (${differs}) then
        return true;
      end if;
      exit when clock_timestamp() > statement_timestamp() + interval '1 second';
      perform pg_sleep(0.005);
    end loop;
    return false;
  end`;
