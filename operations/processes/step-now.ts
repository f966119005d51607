/**
 * A run goes on with the names of the version that it began in. Where the key of an entity is another one since, what the run calls a
 * record is looked up as that version's key, before anything is done to the record (ADR 32).
 */
import { type Db, run } from '../../adapters/postgres/run.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppRuntime, Services } from '../context.ts';
import { idNow } from '../records/former-keys.ts';
import { runShape } from './run-shape.ts';
import type { StepScope } from './scope.ts';

/** The step with today's id of its record. A step of a clock has it already. */
export async function stepNow<T extends StepScope>(services: Services, app: AppRuntime, step: T): Promise<T> {
  if (step.origin === 'clock' || !hasFormerKeys(app)) return step;
  const schemaVersion = step.schemaVersion ?? (await versionOf(services.pool, app, step.runId));
  const { entity, recordId } = step.trigger;
  if (entity === null || recordId === null) return { ...step, schemaVersion };
  const { entityNow } = await runShape(services.pool, app, schemaVersion);
  const now = await recordNow(services.pool, app, { entity: entityNow(entity), recordId, version: schemaVersion });
  return { ...step, schemaVersion, trigger: { ...step.trigger, recordId: now, calledId: recordId } };
}

const hasFormerKeys = (app: AppRuntime): boolean => [...app.model.entities.values()].some(({ formerKeys }) => formerKeys.length > 0);

async function versionOf(db: Db, app: AppRuntime, runId: string): Promise<number> {
  const [row] = await run<{ schema_version: number }>(
    db,
    sql`select schema_version from ${id(app.storage, '_runs')} where id = ${value(runId, 'uuid')}`,
  );
  return row?.schema_version ?? app.version;
}

/** Today's id of the record that a version of the schema calls so. */
export async function recordNow(
  db: Db,
  app: AppRuntime,
  named: { readonly entity: string; readonly recordId: string; readonly version: number | undefined },
): Promise<string> {
  const entity = app.model.entities.get(named.entity);
  if (entity === undefined || named.version === undefined || entity.formerKeys.length === 0) return named.recordId;
  return idNow(db, app, entity, named.recordId, named.version);
}
