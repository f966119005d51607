/** What people ask of a run. Updates, not signals: the caller must learn at once whether it counted. */
import { condition, patched, setHandler } from '@temporalio/workflow';
import {
  cancelRunUpdate,
  changeDefinitionUpdate,
  changeTaskUpdate,
  childEndedSignal,
  decideTaskUpdate,
  eventSignal,
  resolveFailureUpdate,
  rewindRunUpdate,
  runViewQuery,
} from '../contracts/messages.ts';
import type { ActorRef, DecisionInput, DefinitionChange, Resolution, RewindRequest, RunView, TaskRequest } from '../contracts/types.ts';
import { keptInHistory } from '../kept-in-history.ts';
import { refusalToMove } from '../../core/model/process-move.ts';
import { isAhead, untilOpened } from './early.ts';
import type { Run } from './run.ts';
import { refuse } from './state.ts';
import type { Strand } from './strand.ts';

/** How long a decision's answer waits for the run to rest again: what follows an approval is mostly brief. */
const SETTLE_MS = 1_500;

export function listen(run: Run): void {
  setHandler(runViewQuery, () => run.view());
  setHandler(decideTaskUpdate, (decision) => decide(run, decision), {
    validator: (decision) => void (isComing(run, decision.taskId) || checkDecision(run, decision)),
  });
  setHandler(changeTaskUpdate, (request) => changeTask(run, request), {
    validator: (request) => void (isComing(run, request.taskId) || strandOf(run, request)),
  });
  setHandler(cancelRunUpdate, (request) => cancel(run, request.actor, request.reason), { validator: (_request) => run.checkRunning() });
  setHandler(resolveFailureUpdate, (resolution) => resolve(run, resolution), {
    validator: (resolution) => void resolvableBy(run, resolution),
  });
  setHandler(rewindRunUpdate, (request) => rewind(run, request), { validator: (request) => void rewindable(run, request) });
  setHandler(changeDefinitionUpdate, (change) => move(run, change), { validator: (change) => checkMove(run, change) });
  setHandler(eventSignal, ({ waitId, seq }) => run.eventCame(waitId, seq));
  setHandler(childEndedSignal, ({ workflowId, outcome }) => run.childEnded(workflowId, outcome));
}

/** Every step a strand stands at must be there, of the same kind and in the same place. */
function checkMove(run: Run, { definition }: DefinitionChange): void {
  run.checkRunning();
  const reason = refusalToMove(run.state.strands, run.input.definition.steps, definition.steps);
  if (reason !== undefined) throw refuse('INVALID_STATE', reason);
}

async function move(run: Run, change: DefinitionChange): Promise<RunView> {
  await keptInHistory();
  checkMove(run, change);
  await run.move(change);
  return run.view();
}

/** The strand whose task a decision is about. */
function checkDecision(run: Run, decision: DecisionInput): Strand | undefined {
  if (run.state.answered.includes(decision.key)) return undefined;
  run.checkRunning();
  const strand = run.live().find(({ state }) => state.task?.id === decision.taskId);
  if (strand === undefined || strand.rewind !== undefined) throw refuse('INVALID_STATE', 'This task is no longer open.');
  strand.approval.check(decision);
  return strand;
}

/** A task that the run is about to open again: whether what is asked of it counts is looked at then. */
const isComing = (run: Run, taskId: string | undefined): boolean =>
  taskId !== undefined && run.status === 'running' && isAhead(run.state, run.input.runId, taskId);

async function decide(run: Run, decision: DecisionInput): Promise<RunView> {
  await untilOpened(run, decision.taskId);
  const open = run.live().find(({ state }) => state.task?.id === decision.taskId);
  await open?.approval.untilRecorded();
  await checkDecision(run, decision)?.approval.record(decision);
  await settle(run);
  return run.view();
}

/** The strand whose open task is meant; a comment may be about the run. */
function strandOf(run: Run, { taskId }: TaskRequest): Strand {
  run.checkRunning();
  const strand = taskId === undefined ? run.live()[0] : run.live().find(({ state }) => state.task?.id === taskId);
  if (strand === undefined) throw refuse('INVALID_STATE', 'This task is no longer open.');
  if (taskId !== undefined) strand.approval.check({ taskId });
  return strand;
}

async function changeTask(run: Run, request: TaskRequest): Promise<RunView> {
  await keptInHistory();
  await untilOpened(run, request.taskId);
  const strand = strandOf(run, request);
  await strand.approval.untilRecorded();
  await strandOf(run, request).approval.change(request);
  return run.view();
}

async function cancel(run: Run, actor: ActorRef, reason: string | undefined): Promise<RunView> {
  await keptInHistory();
  run.cancel(actor, reason);
  await condition(() => run.hasEnded, SETTLE_MS);
  return run.view();
}

/** The failed steps an operator's word is about: those it names, else all. */
function resolvableBy(run: Run, resolution: Resolution): Strand[] {
  run.checkRunning();
  const failed = run.live().filter((strand) => strand.rest === 'operator');
  if (failed.length === 0) throw refuse('INVALID_STATE', 'No step of this run has failed.');
  const stuck = failed.filter((strand) => isNamed(strand, resolution));
  if (stuck.length === 0) throw refuse('INVALID_STATE', `No failed step of this run is the one named. Failed: ${listOf(failed)}.`);
  const isOpen = resolution.mustName === true && resolution.step === undefined && resolution.strand === undefined;
  if (isOpen && stuck.length > 1)
    throw refuse('INVALID_STATE', `Several steps of this run have failed: ${listOf(failed)}. Name one by "step" or "strand".`);
  const bound = resolution.action === 'skip' ? stuck.find((strand) => !strand.canSkip) : undefined;
  if (bound !== undefined) {
    throw refuse(
      'INVALID_STATE',
      `The step "${bound.state.currentStep ?? ''}" decides where the run goes, so it cannot be skipped: retry it, or cancel the run.`,
    );
  }
  checkEdits(resolution, stuck);
  return stuck;
}

const isNamed = ({ id, state }: Strand, { step, strand }: Resolution): boolean =>
  (strand === undefined || strand === id) && (step === undefined || step === state.currentStep);

/** Of a foreach there may be a thousand. */
const MAX_LISTED = 20;

function listOf(failed: readonly Strand[]): string {
  const named = failed.slice(0, MAX_LISTED).map(({ id, state }) => `"${state.currentStep ?? ''}" (strand "${id}")`);
  return `${named.join(', ')}${failed.length > MAX_LISTED ? `, and ${failed.length - MAX_LISTED} more` : ''}`;
}

/** Edited actions are of one step, and each takes the place of one of its kind. */
function checkEdits({ actions }: Resolution, stuck: readonly Strand[]): void {
  if (actions === undefined) return;
  const [strand, ...more] = stuck;
  if (strand === undefined || more.length > 0) {
    throw refuse('INVALID_STATE', 'Several steps of this run have failed: say which one the actions are of ("strand").');
  }
  const step = strand.step;
  if (step.type !== 'action') throw refuse('INVALID_STATE', `The failed step "${step.id}" is of type ${step.type} and has no actions.`);
  for (const [index, action] of Object.entries(actions)) {
    const defined = step.actions[Number(index)];
    if (defined === undefined)
      throw refuse('INVALID_STATE', `The step "${step.id}" has ${step.actions.length} actions, counted from 0; there is no ${index}.`);
    if (defined.type !== action.type)
      throw refuse('INVALID_STATE', `Action ${index} of the step "${step.id}" is of type ${defined.type}: only its values can be edited.`);
  }
}

/** The strand that goes back; throws with the reason where there is none. */
function rewindable(run: Run, { to }: RewindRequest): Strand {
  run.checkRunning();
  const [strand, ...beside] = run.live();
  if (strand === undefined || beside.length > 0) {
    throw refuse('INVALID_STATE', 'The run goes through branches or items now: it can go back when they have ended, or be cancelled.');
  }
  run.checkIsTopLevel(to);
  const { currentStep } = strand.state;
  if (strand.rest === undefined || strand.rest === 'strands') throw refuse('INVALID_STATE', 'The run is moving: ask again when it rests.');
  if (strand.rest === 'run')
    throw refuse('INVALID_STATE', `The step "${currentStep ?? ''}" waits for another run: end that one, or cancel this.`);
  if (currentStep === to) throw refuse('INVALID_STATE', `The run is at the step "${to}" already: a failed step is retried.`);
  if (!run.state.history.some((entry) => entry.step === to && entry.strand === undefined))
    throw refuse('INVALID_STATE', `The run has not been at the step "${to}", so it cannot go back there.`);
  return strand;
}

async function rewind(run: Run, request: RewindRequest): Promise<RunView> {
  await keptInHistory();
  await rewindable(run, request).approval.untilRecorded();
  // Meanwhile it was decided, or its time came.
  const strand = rewindable(run, request);
  strand.rewind = request;
  strand.rest = undefined;
  await settle(run);
  return run.view();
}

async function resolve(run: Run, resolution: Resolution): Promise<RunView> {
  await keptInHistory();
  // Another operator may have been quicker.
  for (const strand of resolvableBy(run, resolution)) {
    strand.resolution = resolution;
    strand.rest = undefined;
  }
  await settle(run);
  return run.view();
}

/**
 * The answer shows the next step begun and projected, and mostly the run at rest; it never waits for a long step to end. A run
 * that is to be continued as new begins no step before all answers are given.
 */
async function settle(run: Run): Promise<void> {
  const before = run.begun;
  const isHeld = (): boolean => run.isHeld && patched('answer-when-held');
  await condition(() => run.isAtRest || run.begun > before || isHeld());
  await condition(() => run.isAtRest || isHeld(), SETTLE_MS);
}
