/**
 * A run goes on with the names of the version that it began in. Where the key of an entity is another one since, what the run calls a
 * record is looked up as that version's key, before anything is done to the record (ADR 32).
 */
import { type Db, run } from '../../adapters/postgres/run.ts';
import { keyFieldAt } from '../../core/model/model.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppRuntime, Services } from '../context.ts';
import { idNow } from '../records/former-keys.ts';
import { runShape } from './run-shape.ts';
import type { StepScope } from './scope.ts';

/** The name of no record: what was called so is gone, and what is called so now is another. */
export const GONE = '';

/** The step with today's id of its record. A step of a clock has it already. */
export async function stepNow<T extends StepScope>(services: Services, app: AppRuntime, step: T): Promise<T> {
  if (step.origin === 'clock' || !hasFormerKeys(app)) return step;
  const schemaVersion = step.schemaVersion ?? (await versionOf(services.pool, app, step.runId));
  const { entity, recordId } = step.trigger;
  if (entity === null || recordId === null) return { ...step, schemaVersion };
  const { entityNow } = await runShape(services.pool, app, schemaVersion);
  const now = await recordNow(services.pool, app, { entity: entityNow(entity), recordId, version: schemaVersion });
  const model = app.model.entities.get(entityNow(entity));
  // Read in the run's version, a record has the id of that version, for as long as there is such a field.
  const readId = model !== undefined && keyFieldAt(model, schemaVersion) === undefined ? (now ?? GONE) : recordId;
  return { ...step, schemaVersion, trigger: { ...step.trigger, recordId: now ?? GONE, calledId: recordId, readId } };
}

const hasFormerKeys = (app: AppRuntime): boolean => [...app.model.entities.values()].some(({ formerKeys }) => formerKeys.length > 0);

async function versionOf(db: Db, app: AppRuntime, runId: string): Promise<number> {
  const [row] = await run<{ schema_version: number }>(
    db,
    sql`select schema_version from ${id(app.storage, '_runs')} where id = ${value(runId, 'uuid')}`,
  );
  return row?.schema_version ?? app.version;
}

/** What a version of the schema calls a record of an entity of today. */
interface Named {
  readonly entity: string;
  readonly recordId: string;
  readonly version: number | undefined;
}

/** Today's id of it; undefined where there is no such record. */
export async function recordNow(db: Db, app: AppRuntime, named: Named): Promise<string | undefined> {
  const entity = app.model.entities.get(named.entity);
  if (entity === undefined || named.version === undefined || entity.formerKeys.length === 0) return named.recordId;
  return idNow(db, app, entity, named.recordId, named.version);
}
