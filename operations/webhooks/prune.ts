/** Forgets deliveries that ended long ago, and their attempts with them. */
import { execute, run } from '../../adapters/postgres/run.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';

const AT_ONCE = 2_000;

/** Every served app's, a batch at a time; answers how many there were. */
export async function pruneDeliveries(services: Services, isEnding: () => boolean = () => false): Promise<number> {
  const apps = await run<{ storage: string }>(
    services.pool,
    sql`select storage from durabase.apps where status in ('active', 'suspended') order by storage`,
  );
  let total = 0;
  for (const { storage } of apps) {
    for (let gone = AT_ONCE; gone === AT_ONCE && !isEnding(); total += gone) gone = await pruneBatch(services, storage);
  }
  return total;
}

/** Ids are made in the order of time: what may be old enough is the beginning of the primary key. */
async function pruneBatch({ pool, config }: Services, storage: string): Promise<number> {
  const { delivered, dead } = config.deliveryDays;
  const days = (count: number) => sql`make_interval(days => ${value(count, 'integer')})`;
  return execute(
    pool,
    sql`
    delete from ${id(storage, '_deliveries')} where id = any(array(
      select id from ${id(storage, '_deliveries')}
      where id < uuidv7(-${days(Math.min(delivered, dead))})
        and ((status = 'delivered' and updated_at < now() - ${days(delivered)}) or (status = 'dead' and updated_at < now() - ${days(dead)}))
      order by id limit ${value(AT_ONCE, 'integer')} for update skip locked))`,
  );
}
