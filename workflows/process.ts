/**
 * Interprets a workflow definition (in code: a process) as it was when the run started. Vocabulary: a *step* is begun
 * (projected, its task opened), then performed, and says which step is next; the run *rests* while it waits for a person, a
 * timer or an operator. Conditions, expressions and writes happen in activities only.
 */
import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { durationMs } from '../core/duration.ts';
import type { ProcessStep } from '../core/model/document.ts';
import type { ProcessActivities } from '../activities/process.ts';
import { failureOf, messageOf } from './activity-failure.ts';
import { answering, brief, effect, outbound } from './activity-options.ts';
import { cancelRunUpdate, decideTaskUpdate, resolveFailureUpdate, runViewQuery } from './contracts/messages.ts';
import { OUTBOUND_QUEUE } from './contracts/queues.ts';
import { appIdAttribute, dueAtAttribute, entityAttribute, recordIdAttribute, stateAttribute } from './contracts/search-attributes.ts';
import type {
  ActorRef,
  DecisionInput,
  HistoryEntry,
  ProcessInput,
  ProcessResult,
  ProcessState,
  RunStatus,
  RunView,
} from './contracts/types.ts';
import { keptInHistory } from './kept-in-history.ts';

const local = proxyLocalActivities<ProcessActivities>(brief);
const person = proxyLocalActivities<ProcessActivities>(answering);
const writing = proxyActivities<ProcessActivities>(effect);
const calling = proxyActivities<ProcessActivities>({ ...outbound, taskQueue: OUTBOUND_QUEUE });

/** Loops through goto are legal; a run that enters this many steps without waiting for anybody is one that never ends. */
const MAX_STREAK = 300;
/** How long a decision's answer waits for the run to rest again: what follows an approval is mostly brief. */
const SETTLE_MS = 1_500;
/** Answered keys kept: only the latest decisions can still be repeated by their callers. */
const MAX_ANSWERED = 50;

type Approval = Extract<ProcessStep, { type: 'approval' }>;
type ActionStep = Extract<ProcessStep, { type: 'action' }>;
type Resolution = { readonly action: 'retry' | 'skip'; readonly actor: ActorRef };

/** One run of a workflow definition. */
export async function process(input: ProcessInput): Promise<ProcessResult> {
  const run = new Run(input);
  setHandler(runViewQuery, () => run.view());
  // Updates, not signals: the caller must learn at once whether it counted.
  setHandler(decideTaskUpdate, (decision) => run.decide(decision), { validator: (decision) => run.checkDecision(decision) });
  setHandler(cancelRunUpdate, (request) => run.cancel(request.actor, request.reason), { validator: (_request) => run.checkRunning() });
  setHandler(resolveFailureUpdate, (resolution) => run.resolve(resolution), { validator: (resolution) => run.checkResolution(resolution) });
  try {
    return await run.toEnd();
  } finally {
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
}

const FIRST_STATE: ProcessState = {
  version: 1,
  context: {},
  currentStep: null,
  visits: 0,
  history: [],
  task: null,
  revision: 0,
  answered: [],
  isBegun: false,
  deadline: null,
  streak: 0,
};

const refuse = (type: 'INVALID_STATE' | 'FORBIDDEN', message: string): ApplicationFailure => ApplicationFailure.nonRetryable(message, type);

class Run {
  readonly #input: ProcessInput;
  readonly #steps: ReadonlyMap<string, ProcessStep>;
  #state: ProcessState;
  #status: RunStatus = 'running';
  #error: string | null = null;
  /** What the run waits for; undefined while it is moving. */
  #rest: 'decision' | 'timer' | 'operator' | 'end' | undefined;
  #begun = 0;
  #isRecording = false;
  #decision: DecisionInput | undefined;
  #resolution: Resolution | undefined;
  #cancelled: { readonly actor: ActorRef; readonly reason: string | undefined } | undefined;
  readonly #work = new CancellationScope();

  constructor(input: ProcessInput) {
    this.#input = input;
    this.#steps = new Map(input.definition.steps.map((step) => [step.id, step]));
    this.#state = input.state ?? FIRST_STATE;
  }

  view(): RunView {
    return {
      id: this.#input.runId,
      status: this.#status,
      current_step: this.#state.currentStep,
      current_step_deadline: this.#state.deadline,
    };
  }

  async toEnd(): Promise<ProcessResult> {
    try {
      if (this.#input.state === undefined && !(await this.#open())) return { status: 'unwanted' };
      while (this.#state.currentStep !== null && this.#cancelled === undefined) await this.#advance(this.#state.currentStep);
      await this.#finish(this.#cancelled === undefined ? 'completed' : 'cancelled');
      return { status: this.#cancelled === undefined ? 'completed' : 'cancelled' };
    } catch (error) {
      if (isCancellation(error)) await CancellationScope.nonCancellable(() => this.#finish('cancelled'));
      else if (error instanceof ApplicationFailure) await this.#finish('failed', error.message);
      throw error;
    } finally {
      this.#rest = 'end';
    }
  }

  // --- messages ------------------------------------------------------------------------------------------------------

  checkRunning(): void {
    if (this.#status !== 'running') throw refuse('INVALID_STATE', `The run is ${this.#status}.`);
  }

  checkDecision(decision: DecisionInput): void {
    if (this.#state.answered.includes(decision.key)) return;
    this.checkRunning();
    const { task } = this.#state;
    if (task === null || task.id !== decision.taskId) throw refuse('INVALID_STATE', 'This task is no longer open.');
    if (this.#decision !== undefined) throw refuse('INVALID_STATE', `The task has been ${this.#decision.decision} already.`);
    if (task.dueAt !== null && Date.now() >= Date.parse(task.dueAt))
      throw refuse('INVALID_STATE', `The time to decide ended at ${task.dueAt}.`);
  }

  async decide(decision: DecisionInput): Promise<RunView> {
    if (!this.#state.answered.includes(decision.key)) {
      // Two people may decide in the same moment: the second waits for the first one's record and is then told so.
      await condition(() => !this.#isRecording);
      if (!this.#state.answered.includes(decision.key)) {
        this.checkDecision(decision);
        await this.#record(decision);
      }
    }
    await this.#settle();
    return this.view();
  }

  async #record(decision: DecisionInput): Promise<void> {
    this.#isRecording = true;
    try {
      await keptInHistory();
      await person.recordDecision.executeWithOptions({ ...answering, summary: `${decision.decision} by ${nameOf(decision.actor)}` }, [
        { app: this.#input.app, runId: this.#input.runId, decision, now: timeNow() },
      ]);
      this.#decision = decision;
      this.#rest = undefined;
      this.#change({ answered: [...this.#state.answered, decision.key].slice(-MAX_ANSWERED) });
    } catch (error) {
      throw failureOf(error);
    } finally {
      this.#isRecording = false;
    }
  }

  async cancel(actor: ActorRef, reason: string | undefined): Promise<RunView> {
    await keptInHistory();
    this.#cancelled ??= { actor, reason };
    this.#rest = undefined;
    this.#work.cancel();
    await condition(() => this.#rest === 'end', SETTLE_MS);
    return this.view();
  }

  checkResolution(resolution: Resolution): void {
    this.checkRunning();
    if (this.#rest !== 'operator') throw refuse('INVALID_STATE', 'No step of this run has failed.');
    const step = this.#steps.get(this.#state.currentStep ?? '');
    if (resolution.action === 'skip' && (step?.type === 'approval' || step?.type === 'condition')) {
      throw refuse(
        'INVALID_STATE',
        `The step "${step.id}" decides where the run goes, so it cannot be skipped: retry it, or cancel the run.`,
      );
    }
  }

  async resolve(resolution: Resolution): Promise<RunView> {
    await keptInHistory();
    // Another operator may have been quicker.
    this.checkResolution(resolution);
    this.#resolution = resolution;
    this.#rest = undefined;
    await this.#settle();
    return this.view();
  }

  /** The answer shows the next step begun and projected, and mostly the run at rest; it never waits for a long step to end. */
  async #settle(): Promise<void> {
    const before = this.#begun;
    await condition(() => this.#rest !== undefined || this.#begun > before);
    await condition(() => this.#rest !== undefined, SETTLE_MS);
  }

  // --- steps ---------------------------------------------------------------------------------------------------------

  /** False when the trigger's condition turns out not to hold: then there is no run at all. */
  async #open(): Promise<boolean> {
    const { app, runId, definition, trigger, schemaVersion } = this.#input;
    upsertSearchAttributes([
      { key: appIdAttribute, value: app },
      { key: stateAttribute, value: 'running' },
      ...(trigger.entity === null ? [] : [{ key: entityAttribute, value: trigger.entity }]),
      ...(trigger.recordId === null ? [] : [{ key: recordIdAttribute, value: trigger.recordId }]),
    ]);
    const opened = await local.openRun.executeWithOptions({ ...brief, summary: `start ${definition.name}` }, [
      {
        app,
        runId,
        workflowId: workflowInfo().workflowId,
        definition: withoutSteps(definition),
        firstStep: definition.steps[0]?.id ?? null,
        trigger,
        schemaVersion,
        now: timeNow(),
      },
    ]);
    if (!opened.isWanted) return false;
    this.#change({ context: opened.context, currentStep: definition.steps[0]?.id ?? null });
    return true;
  }

  async #advance(id: string): Promise<void> {
    const step = this.#steps.get(id);
    if (step === undefined)
      throw ApplicationFailure.nonRetryable(`The step "${id}" does not exist in the definition of this run.`, 'VALIDATION_FAILED');
    if (!this.#state.isBegun) await this.#continueAsNewWhenDue();
    let next: string | null;
    try {
      if (!this.#state.isBegun) await this.#begin(step);
      next = await this.#perform(step);
    } catch (error) {
      if (this.#cancelled !== undefined && isCancellation(error)) return;
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      next = await this.#afterFailure(step, messageOf(error));
    }
    if (this.#cancelled === undefined && next !== RETRY) this.#change({ currentStep: next, isBegun: false, deadline: null, task: null });
  }

  async #continueAsNewWhenDue(): Promise<void> {
    if (workflowInfo().continueAsNewSuggested && allHandlersFinished()) {
      await continueAsNew<typeof process>({ ...this.#input, state: this.#state });
    }
  }

  async #begin(step: ProcessStep): Promise<void> {
    const streak = this.#state.streak + 1;
    if (streak > MAX_STREAK) {
      throw ApplicationFailure.nonRetryable(
        `The run entered ${MAX_STREAK} steps without waiting for anybody: the steps around "${step.id}" form an endless loop.`,
        'INVALID_STATE',
      );
    }
    const deadline = deadlineOf(step);
    this.#change({ visits: this.#state.visits + 1, streak, deadline, isBegun: true });
    if (step.type === 'approval') await this.#openTask(step, deadline);
    else await this.#project();
    this.#begun++;
    setCurrentDetails(
      `**${this.#input.definition.name}** is at \`${step.id}\` (${step.type})${deadline === null ? '' : ` until ${deadline}`}.`,
    );
  }

  async #openTask(step: Approval, deadline: string | null): Promise<void> {
    const task = { id: taskId(this.#input.runId, this.#state.visits), step: step.id, dueAt: deadline };
    this.#change({ task });
    this.#decision = undefined;
    try {
      await local.openTask.executeWithOptions({ ...brief, summary: `ask for a decision: ${step.id}` }, [
        {
          ...this.#scope(),
          projection: this.#projection(),
          task,
          assignee: step.assignee ?? null,
          allowSelfApproval: step.allow_self_approval,
          commentRequired: step.comment_required,
        },
      ]);
    } catch (error) {
      // Not open after all: retrying the step asks again, under the same id.
      this.#change({ task: null, isBegun: false, visits: this.#state.visits - 1 });
      throw error;
    }
  }

  /** Performs a begun step; answers the next one, or null at the end. */
  async #perform(step: ProcessStep): Promise<string | null> {
    switch (step.type) {
      case 'action':
        return this.#act(step);
      case 'condition': {
        const isTrue = await local.evaluateCondition.executeWithOptions({ ...brief, summary: step.id }, [
          { ...this.#scope(), expression: step.expression },
        ]);
        this.#note({ step: step.id, status: isTrue ? 'on_true' : 'on_false' });
        return target(isTrue ? step.on_true : step.on_false);
      }
      case 'approval':
        return this.#awaitDecision(step);
      case 'wait':
        await this.#restUntil('timer', () => false);
        if (this.#cancelled === undefined) this.#note({ step: step.id, status: 'completed' });
        return target(step.then);
    }
  }

  async #act(step: ActionStep): Promise<string | null> {
    for (const [index, action] of step.actions.entries()) {
      const proxy = action.type === 'http' ? calling : writing;
      const options = action.type === 'http' ? { ...outbound, taskQueue: OUTBOUND_QUEUE } : effect;
      const key = `process/${this.#input.app}/${this.#input.runId}/${this.#state.visits}/${index}`;
      const result = await this.#work.run(() =>
        proxy.performAction.executeWithOptions({ ...options, summary: `${step.id}: ${action.type}` }, [{ ...this.#scope(), action, key }]),
      );
      if (result.saved !== undefined) this.#change({ context: { ...this.#state.context, ...result.saved } });
      if (this.#cancelled !== undefined) return null;
    }
    this.#note({ step: step.id, status: 'completed' });
    return target(step.then);
  }

  async #awaitDecision(step: Approval): Promise<string | null> {
    await this.#restUntil('decision', () => this.#decision !== undefined);
    // A decision being recorded when the timer fires still counts: it came in time.
    await condition(() => !this.#isRecording);
    const { task } = this.#state;
    if (this.#cancelled !== undefined && this.#decision === undefined) return null;
    if (this.#decision === undefined) {
      this.#note({ step: step.id, status: 'timed_out' });
      this.#change({ task: null });
      await this.#project(task === null ? undefined : { taskId: task.id, state: 'timed_out' });
      if (step.on_timeout === undefined) {
        throw ApplicationFailure.nonRetryable(
          `Nobody decided the step "${step.id}" in time (${step.timeout ?? ''}), and it has no on_timeout.`,
          'INVALID_STATE',
        );
      }
      return target(step.on_timeout);
    }
    const { decision, actor, comment } = this.#decision;
    this.#note({ step: step.id, status: decision, by: nameOf(actor), ...(comment === undefined ? {} : { comment }) });
    this.#change({ task: null });
    return target(decision === 'approved' ? step.on_approve : step.on_reject);
  }

  /** Rests until `isDone`, the deadline or a cancellation. Due times are absolute, so a late worker waits only for the rest. */
  async #restUntil(rest: 'decision' | 'timer' | 'operator', isDone: () => boolean): Promise<void> {
    const isOver = (): boolean => isDone() || this.#cancelled !== undefined;
    const { deadline } = this.#state;
    this.#change({ streak: 0 });
    if (isOver()) return;
    this.#rest = rest;
    upsertSearchAttributes([
      { key: stateAttribute, value: REST_STATES[rest] },
      { key: dueAtAttribute, value: deadline === null ? null : new Date(deadline) },
    ]);
    if (deadline === null || rest === 'operator') await condition(isOver);
    else await condition(isOver, Math.max(1, Date.parse(deadline) - Date.now()));
    this.#rest = undefined;
    upsertSearchAttributes([
      { key: stateAttribute, value: 'running' },
      { key: dueAtAttribute, value: null },
    ]);
  }

  /** A step that failed for good: its `on_error`, else the run stays visible until an operator retries, skips or cancels. */
  async #afterFailure(step: ProcessStep, message: string): Promise<string | null> {
    this.#note({ step: step.id, status: 'failed', error: message });
    if (step.type === 'action' && step.on_error !== undefined) return target(step.on_error);
    this.#error = `Step "${step.id}" failed: ${message}`;
    await this.#project();
    setCurrentDetails(`**${this.#input.definition.name}** is stuck at \`${step.id}\`: ${message}. Retry, skip or cancel it.`);
    this.#resolution = undefined;
    await this.#restUntil('operator', () => this.#resolution !== undefined);
    this.#error = null;
    const resolution = this.#resolution as Resolution | undefined;
    if (resolution === undefined) return null;
    const by = nameOf(resolution.actor);
    this.#note({ step: step.id, status: resolution.action === 'retry' ? 'retried' : 'skipped', by });
    if (resolution.action === 'retry') return RETRY;
    return step.type === 'action' || step.type === 'wait' ? target(step.then) : null;
  }

  async #finish(status: 'completed' | 'cancelled' | 'failed', error?: string): Promise<void> {
    const { task, currentStep } = this.#state;
    if (status === 'cancelled') {
      const by = this.#cancelled;
      this.#note({
        step: currentStep ?? '',
        status: 'cancelled',
        ...(by === undefined ? {} : { by: nameOf(by.actor) }),
        ...(by?.reason === undefined ? {} : { comment: by.reason }),
      });
    }
    this.#status = status;
    this.#error = error ?? null;
    // A failed or cancelled run keeps the step where it ended.
    this.#change({ task: null, deadline: null, ...(status === 'completed' ? { currentStep: null } : {}) });
    await this.#project(task === null ? undefined : { taskId: task.id, state: 'cancelled' });
    upsertSearchAttributes([{ key: stateAttribute, value: status }]);
    setCurrentDetails(`**${this.#input.definition.name}** is ${status}${error === undefined ? '.' : `: ${error}`}`);
    this.#rest = 'end';
  }

  // --- state ---------------------------------------------------------------------------------------------------------

  #change(changes: Partial<ProcessState>): void {
    this.#state = { ...this.#state, ...changes, revision: this.#state.revision + 1 };
  }

  #note(entry: Omit<HistoryEntry, 'at'>): void {
    this.#change({ history: [...this.#state.history, { ...entry, at: timeNow() }] });
  }

  #projection(): { app: string; runId: string; status: RunStatus; error: string | null; state: ProcessState } {
    return { app: this.#input.app, runId: this.#input.runId, status: this.#status, error: this.#error, state: this.#state };
  }

  async #project(closes?: { taskId: string; state: 'timed_out' | 'cancelled' }): Promise<void> {
    await local.projectRun.executeWithOptions({ ...brief, summary: `show ${this.#state.currentStep ?? this.#status}` }, [
      { ...this.#projection(), ...(closes === undefined ? {} : { closes }) },
    ]);
  }

  #scope(): { app: string; runId: string; trigger: ProcessInput['trigger']; context: Record<string, unknown>; now: string } {
    const { app, runId, trigger } = this.#input;
    return { app, runId, trigger, context: this.#state.context, now: timeNow() };
  }
}

/** Not a step id (those begin with a letter): the same step again, without beginning it anew. */
const RETRY = ' retry';

const REST_STATES = { decision: 'awaiting_decision', timer: 'waiting', operator: 'stuck' } as const;

const timeNow = (): string => new Date().toISOString();

const target = (goto: string | undefined): string | null => (goto === undefined || goto === 'end' ? null : goto);

const nameOf = (actor: ActorRef): string => actor.id ?? actor.kind;

/** Deterministic, so that a repeated opening finds its own row. */
const taskId = (runId: string, visit: number): string => `${runId.slice(0, 24)}${visit.toString(16).padStart(12, '0')}`;

function deadlineOf(step: ProcessStep): string | null {
  const duration = step.type === 'wait' ? step.duration : step.type === 'approval' ? step.timeout : undefined;
  return duration === undefined ? null : new Date(Date.now() + durationMs(duration)).toISOString();
}

function withoutSteps(definition: ProcessInput['definition']): Omit<ProcessInput['definition'], 'steps'> {
  const { id, name, context, condition: holds } = definition;
  return { id, name, context, ...(holds === undefined ? {} : { condition: holds }) };
}
