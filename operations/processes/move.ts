/** Running instances of a definition, and moving them to the version that is served now. */
import { run } from '../../adapters/postgres/run.ts';
import { z } from 'zod';
import { AppError, isAppError, nearestNames } from '../../core/errors.ts';
import type { WorkflowDefinition } from '../../core/model/document.ts';
import { refusalToMove } from '../../core/model/process-move.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { changeDefinitionUpdate } from '../../workflows/contracts/messages.ts';
import type { ProcessState } from '../../workflows/contracts/types.ts';
import type { AppContext } from '../context.ts';
import { readPayload } from '../payload.ts';
import { askRun } from './ask-run.ts';
import { actorRef } from '../actor-ref.ts';
import { definitionOf } from './match-triggers.ts';

export interface MovableRun {
  readonly id: string;
  readonly schema_version: number;
  readonly current_steps: readonly string[];
  readonly is_newest: boolean;
  readonly can_move: boolean;
  readonly reason?: string;
}

interface Row {
  readonly id: string;
  readonly workflow_id: string;
  readonly entity: string | null;
  readonly schema_version: number;
  readonly current_step: string | null;
  readonly state: ProcessState | null;
}

/** At most so many runs are looked at, and moved, in one call. */
const MAX_RUNS = 500;

export function definitionNamed(ctx: AppContext, name: string): WorkflowDefinition {
  const { workflows } = ctx.app.model.document;
  const definition = workflows.find((candidate) => candidate.name === name || candidate.id === name);
  if (definition !== undefined) return definition;
  const near = nearestNames(
    name,
    workflows.map((candidate) => candidate.name),
  );
  throw new AppError('NOT_FOUND', `There is no workflow "${name}".`, near.length === 0 ? {} : { hint: `Did you mean ${near.join(', ')}?` });
}

/** The running instances, oldest first, each with whether it can go on by the newest version. */
export async function listMovable(ctx: AppContext, name: string): Promise<MovableRun[]> {
  const definition = definitionNamed(ctx, name);
  return (await runningOf(ctx, definition)).map((row) => toMovable(ctx, definition, row));
}

function runningOf(ctx: AppContext, definition: WorkflowDefinition): Promise<Row[]> {
  return run<Row>(
    ctx.services.pool,
    sql`select id, workflow_id, schema_version, entity, current_step, state from ${id(ctx.app.storage, '_runs')}
        where definition_id = ${value(definition.id ?? definition.name)} and status = 'running' order by created_at, id limit ${value(MAX_RUNS)}`,
  );
}

function toMovable(ctx: AppContext, definition: WorkflowDefinition, row: Row): MovableRun {
  const strands = row.state?.strands ?? [{ currentStep: row.current_step }];
  // What kind its steps were, the run itself knows: it is asked when it is moved.
  const reason = refusalToMove(strands, [], definition.steps);
  return {
    id: row.id,
    schema_version: row.schema_version,
    current_steps: strands.flatMap(({ currentStep }) => currentStep ?? []),
    is_newest: row.schema_version === ctx.app.version,
    can_move: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
  };
}

const bodySchema = z.strictObject({ runs: z.array(z.string().max(100)).max(MAX_RUNS).optional() }).prefault({});

export interface MoveAnswer {
  readonly moved: readonly string[];
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

/** Moves the runs named, else all that run; each is asked by an update and says itself whether it can. */
export async function moveRuns(ctx: AppContext, name: string, body: unknown): Promise<MoveAnswer> {
  const { runs: wanted } = readPayload(bodySchema, body ?? {}, '_admin/workflows/move');
  const definition = definitionNamed(ctx, name);
  const running = await runningOf(ctx, definition);
  const unknown = (wanted ?? []).filter((one) => !running.some((row) => row.id === one));
  const moved: string[] = [];
  const refused = unknown.map((one) => ({ id: one, reason: `No run of "${definition.name}" with this id is running.` }));
  for (const row of running) {
    if (wanted !== undefined && !wanted.includes(row.id)) continue;
    const reason = await moveOne(ctx, definition, row);
    if (reason === undefined) moved.push(row.id);
    else refused.push({ id: row.id, reason });
  }
  return { moved, refused };
}

async function moveOne(ctx: AppContext, definition: WorkflowDefinition, row: Row): Promise<string | undefined> {
  const change = {
    definition: definitionOf(definition, false),
    schemaVersion: ctx.app.version,
    entity: row.entity,
    actor: actorRef(ctx.actor),
  };
  try {
    const outcome = await askRun(ctx.services, row.workflow_id, (handle) =>
      handle.executeUpdate(changeDefinitionUpdate, { args: [change], updateId: `move-${row.id}-${ctx.app.version}` }),
    );
    if (outcome === 'gone') return 'It has ended.';
    await run(
      ctx.services.pool,
      sql`update ${id(ctx.app.storage, '_runs')} set schema_version = ${value(ctx.app.version)},
            trigger = jsonb_set(trigger, '{entity}', coalesce(to_jsonb(entity), 'null')) where id = ${value(row.id, 'uuid')}`,
    );
    return undefined;
  } catch (error) {
    if (isAppError(error, 'INVALID_STATE')) return error.message;
    throw error;
  }
}
