/** Open runs as they were last recorded, as inputs with which their workflows go on after Temporal has lost them. */
import { run, type Db } from '../../adapters/postgres/run.ts';
import type { WorkflowDefinition } from '../../core/model/document.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { ChildOutcome, ProcessInput, ProcessState, StrandState } from '../../workflows/contracts/types.ts';
import { definitionOf } from './match-triggers.ts';

export interface RestoredApp {
  readonly id: string;
  readonly storage: string;
  readonly schema_name: string;
}

interface Row {
  readonly id: string;
  readonly workflow_id: string;
  readonly schema_version: number;
  readonly definition: WorkflowDefinition | null;
  readonly trigger: ProcessInput['trigger'] | null;
  readonly state: ProcessState | null;
  readonly parent: NonNullable<ProcessInput['parent']> | null;
  /** The last visit of a step that left an effect. */
  readonly last_visit: number | null;
  /** Tasks that are decided. */
  readonly decided: readonly string[];
  /** Runs that subprocess steps started, by their workflow ids; an outcome where they have ended. */
  readonly children: Readonly<Record<string, ChildOutcome | null>>;
}

export interface LostRuns {
  readonly starts: readonly { readonly workflow_id: string; readonly kind: 'process'; readonly input: ProcessInput }[];
  readonly stuck: number;
  readonly refused: readonly { readonly run: string; readonly reason: string }[];
}

export async function lostRuns(db: Db, app: RestoredApp): Promise<LostRuns> {
  const starts: LostRuns['starts'][number][] = [];
  const refused: { run: string; reason: string }[] = [];
  let stuck = 0;
  for (const row of await openRuns(db, app)) {
    const { definition, trigger, parent, state } = row;
    if (trigger === null) refused.push({ run: row.id, reason: 'what triggered it was not recorded; cancel it' });
    else if (definition === null) refused.push({ run: row.id, reason: 'its definition is not in the recorded version; cancel it' });
    else {
      const isUncertain = state !== null && (row.last_visit ?? 0) > state.visits;
      if (isUncertain) stuck++;
      const input: ProcessInput = {
        app: app.id,
        runId: row.id,
        definition: definitionOf(definition, false),
        schemaVersion: row.schema_version,
        trigger,
        isRestored: true,
        ...(parent === null ? {} : { parent }),
        ...(state === null ? {} : { state: isUncertain ? stuckState(state, row.last_visit ?? 0) : goingOn(state, row) }),
      };
      starts.push({ workflow_id: row.workflow_id, kind: 'process', input });
    }
  }
  return { starts, stuck, refused };
}

const openRuns = (db: Db, app: RestoredApp): Promise<Row[]> =>
  run<Row>(
    db,
    sql`
    with visits as (
      select split_part(key, '/', 3) as run, max(split_part(key, '/', 4)::integer) as last from ${id(app.storage, '_effects')}
      where key ~ '^process/[^/]+/[0-9a-f-]{36}/[0-9]+/' group by 1
    )
    select r.id, r.workflow_id, r.schema_version, r.state, v.last as last_visit, coalesce(r.trigger, s.input -> 'trigger') as trigger,
      (select w from durabase.schema_versions d, jsonb_array_elements(d.document -> 'workflows') w
        where d.schema_name = ${value(app.schema_name)} and d.version = r.schema_version and r.definition_id in (w ->> 'id', w ->> 'name') limit 1) as definition,
      (select jsonb_build_object('workflowId', p.workflow_id, 'runId', p.id) from ${id(app.storage, '_runs')} p where p.id = r.parent_run) as parent,
      coalesce((select jsonb_agg(t.id) from ${id(app.storage, '_tasks')} t where t.run_id = r.id and t.state not in ('pending', 'cancelled')), '[]') as decided,
      coalesce((select jsonb_object_agg(c.workflow_id, case when c.status <> 'running' then jsonb_build_object('status',
          case when c.status in ('completed', 'failed') then c.status else 'cancelled' end, 'error', c.error, 'context', c.context) end)
        from ${id(app.storage, '_runs')} c where c.parent_run = r.id), '{}') as children
    from ${id(app.storage, '_runs')} r
    left join ${id(app.storage, '_starts')} s on s.workflow_id = r.workflow_id
    left join visits v on v.run = r.id::text
    where r.status = 'running' order by r.created_at, r.id`,
  );

/** What was done is found by the keys of its effects: a step that is begun again repeats nothing. */
function goingOn(state: ProcessState, row: Row): ProcessState {
  // Recorded by a version of ours from before there were strands: it is read by the run itself.
  if (!Array.isArray(state.strands)) return state;
  return { ...state, strands: state.strands.map((strand) => told(strand, row)) };
}

/** What happened to the strand and only Temporal knew: the end of the run it waits for, the decision of its task. */
function told(strand: StrandState, { decided, children }: Row): StrandState {
  const { child, task } = strand;
  if (child && child.outcome === undefined) {
    const outcome = children[child.workflowId];
    // Not opened yet: the step prepares it once more, under the same id.
    if (outcome === undefined) return { ...strand, child: null, isBegun: false };
    return outcome === null ? strand : { ...strand, child: { ...child, outcome } };
  }
  if (task === null || !decided.includes(task.id)) return strand;
  // It looks at its task when its time is up, and finds the decision.
  const now = new Date().toISOString();
  return { ...strand, deadline: now, task: { ...task, dueAt: now } };
}

const UNCERTAIN =
  'Temporal lost this run while it went through items or branches, and what they did since is not recorded. Look at what has happened, then retry the step from its beginning, skip it, go back, or cancel the run';

/** The main strand stands at the step it was in, failed; visits go on behind all that left an effect. */
function stuckState(state: ProcessState, lastVisit: number): ProcessState {
  const [main] = state.strands;
  if (main === undefined) return state;
  const stuck: StrandState = {
    id: main.id,
    parent: null,
    currentStep: main.currentStep,
    visit: null,
    isBegun: false,
    deadline: null,
    task: null,
    failure: UNCERTAIN,
    streak: 0,
  };
  // Items that left no effect had visits too.
  return { ...state, visits: lastVisit + 10_000, strands: [stuck] };
}
