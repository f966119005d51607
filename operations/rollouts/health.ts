/** The gate between rings: what was moved must serve the version and must be readable through the engine. */
import { execute, run, sqlState } from '../../adapters/postgres/run.ts';
import { isAppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { RolloutCounts } from '../../workflows/contracts/types.ts';
import { systemActor, type AppRuntime, type Services } from '../context.ts';
import { listRecords } from '../records/list.ts';
import { loadByIds } from '../registry-runtimes.ts';
import { countApps, loadRollout } from './work.ts';

const APPS_PER_READ = 20;

/** Reads every entity of every moved app of a ring once. An app that fails is marked, and counts as a failure from then on. */
export async function probeRing(services: Services, rolloutId: string, ring: number, beat: () => void): Promise<RolloutCounts> {
  const { version } = await loadRollout(services.pool, rolloutId);
  for (let after = -1; ;) {
    const rows = await run<{ app: string; position: number }>(
      services.pool,
      sql`
      select app, position from durabase.rollout_apps where rollout = ${value(rolloutId, 'uuid')} and ring = ${value(ring, 'integer')}
        and status = 'moved' and position > ${value(after, 'integer')} order by position limit ${value(APPS_PER_READ, 'integer')}`,
    );
    const last = rows.at(-1);
    if (last === undefined) return countApps(services.pool, rolloutId, ring);
    for (const app of await loadByIds(
      services.pool,
      rows.map((row) => row.app),
    )) {
      beat();
      const fault = await faultOf(services, app, version);
      if (fault !== undefined) await mark(services, rolloutId, app.id, fault);
    }
    after = last.position;
  }
}

async function faultOf(services: Services, app: AppRuntime, version: number): Promise<string | undefined> {
  // One that is being removed or was suspended by somebody is none of the version's fault.
  if (app.status !== 'active') return undefined;
  if (app.version !== version) return `The app serves version ${app.version} again.`;
  const ctx = { services, app, actor: systemActor('rollout'), now: new Date(), requestId: 'rollout', cause: null, depth: 0 };
  for (const entity of app.model.entities.keys()) {
    try {
      await listRecords(ctx, entity, new URLSearchParams('per_page=1&count=none'));
    } catch (error) {
      const state = sqlState(error);
      // Postgres is away, busy or was asked to stop: the activity tries again.
      if (isAppError(error, 'UNAVAILABLE') || (state !== undefined && /^(08|53|57|40|55)/.test(state))) throw error;
      services.log.error({ err: error, app: app.id, entity }, 'an app cannot be read after its move');
      return `Reading "${entity}" fails since the move${isAppError(error) ? `: ${error.message}` : state === undefined ? '.' : ` (${state}).`}`;
    }
  }
  return undefined;
}

async function mark(services: Services, rollout: string, app: string, fault: string): Promise<void> {
  await execute(
    services.pool,
    sql`
    update durabase.rollout_apps set status = 'unhealthy', error = ${value(fault)}, ended_at = now()
    where rollout = ${value(rollout, 'uuid')} and app = ${value(app)} and status = 'moved'`,
  );
}
