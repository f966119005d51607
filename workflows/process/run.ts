/**
 * One run of a workflow definition (in code: a process): its state, shared by its strands, and what becomes visible of it.
 * Conditions, expressions and writes happen in activities only.
 */
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { ProcessStep } from '../../core/model/document.ts';
import { allSteps } from '../../core/model/process-steps.ts';
import { brief } from '../activity-options.ts';
import { childEndedSignal } from '../contracts/messages.ts';
import { appIdAttribute, dueAtAttribute, entityAttribute, recordIdAttribute, stateAttribute } from '../contracts/search-attributes.ts';
import type {
  ActorRef,
  ChildOutcome,
  DefinitionChange,
  EarlyWord,
  HistoryEntry,
  ProcessInput,
  ProcessResult,
  ProcessState,
  RunStatus,
  RunView,
  StrandState,
} from '../contracts/types.ts';
import { local } from './activities.ts';
import { compensate } from './compensate.ts';
import { isAhead, withEarly } from './early.ts';
import { runFailure } from './failure.ts';
import type { Closing, Projection, RunPort, Scope } from './ports.ts';
import { firstState, MAIN, nameOf, readState, refuse, timeNow, withEntry } from './state.ts';
import { Strand } from './strand.ts';

/** Answered keys kept: only the latest decisions can still be repeated by their callers. */
const MAX_ANSWERED = 50;

/** The most urgent first. */
const REST_STATES = { operator: 'stuck', decision: 'awaiting_decision', event: 'waiting', timer: 'waiting', run: 'waiting' } as const;

export class Run implements RunPort {
  input: ProcessInput;
  status: RunStatus = 'running';
  /** Steps begun, for who waits for the next one. */
  begun = 0;
  hasEnded = false;
  state: ProcessState;
  #steps: ReadonlyMap<string, ProcessStep>;
  readonly #strands = new Map<string, Strand>();
  #error: string | null = null;
  #shown: string | undefined;
  #cancelled: { readonly actor: ActorRef; readonly reason: string | undefined } | undefined;

  constructor(input: ProcessInput) {
    this.input = input;
    this.#steps = stepsOf(input.definition);
    this.state = input.state === undefined ? firstState() : readState(input.state);
    for (const { id } of this.state.strands) this.#strands.set(id, new Strand(this, id));
  }

  async toEnd(): Promise<ProcessResult> {
    try {
      if (this.input.state === undefined && !(await this.#open())) return { status: 'unwanted' };
      if (this.input.isRestored === true) await this.#showRestored();
      await Promise.race([this.#strand(MAIN).toEnd(), this.#continueWhenDue()]);
      await this.#finish(this.#cancelled === undefined ? 'completed' : 'cancelled');
      return { status: this.#cancelled === undefined ? 'completed' : 'cancelled' };
    } catch (error) {
      if (isCancellation(error)) await CancellationScope.nonCancellable(() => this.#finish('cancelled'));
      else if (error instanceof ApplicationFailure) await this.#finish('failed', error.message);
      throw error;
    } finally {
      this.hasEnded = true;
    }
  }

  /** False when the trigger's condition turns out not to hold: then there is no run at all. */
  async #open(): Promise<boolean> {
    const { app, runId, definition, trigger, schemaVersion, parent } = this.input;
    upsertSearchAttributes([
      { key: appIdAttribute, value: app },
      { key: stateAttribute, value: 'running' },
      ...(trigger.entity === null ? [] : [{ key: entityAttribute, value: trigger.entity }]),
      ...(trigger.recordId === null ? [] : [{ key: recordIdAttribute, value: trigger.recordId }]),
    ]);
    const firstStep = definition.steps[0]?.id ?? null;
    const opened = await local.openRun.executeWithOptions({ ...brief, summary: `start ${definition.name}` }, [
      {
        app,
        runId,
        workflowId: workflowInfo().workflowId,
        definition: withoutSteps(definition),
        firstStep,
        ...(parent === undefined ? {} : { parent }),
        trigger,
        schemaVersion,
        now: timeNow(),
      },
    ]);
    if (!opened.isWanted) return false;
    this.change({ context: opened.context });
    this.changeStrand(MAIN, { currentStep: firstStep });
    return true;
  }

  /** Its rows may be behind what it goes on with. */
  async #showRestored(): Promise<void> {
    this.note({ step: this.#strand(MAIN).state.currentStep ?? '', status: 'restored' });
    this.input = { ...this.input, isRestored: false };
    this.showDetails();
    await this.project('show it again');
  }

  async #finish(status: 'completed' | 'cancelled' | 'failed', error?: string): Promise<void> {
    if (status === 'cancelled') this.#noteCancellation();
    const closes = this.#openTasks();
    for (const strand of this.live()) strand.stop();
    if (status !== 'completed') await this.#undo(closes);
    this.status = status;
    this.#error = error ?? null;
    // A failed or cancelled run keeps the step where it ended.
    for (const { id } of this.state.strands) {
      this.changeStrand(id, {
        task: null,
        deadline: null,
        failure: null,
        wait: null,
        retryAt: null,
        ...(status === 'completed' ? { currentStep: null } : {}),
      });
    }
    await this.project(`show ${this.#strand(MAIN).state.currentStep ?? status}`, closes);
    upsertSearchAttributes([{ key: stateAttribute, value: status }]);
    setCurrentDetails(`**${this.input.definition.name}** is ${status}${error === undefined ? '.' : `: ${error}`}`);
    if (this.input.parent !== undefined) await this.#tellParent(this.input.parent.workflowId, status, error ?? null);
    this.hasEnded = true;
  }

  /** Nothing can be decided any more while steps are undone. */
  async #undo(closes: Closing): Promise<void> {
    if ((this.state.compensations ?? []).length === 0) return;
    for (const { id } of this.state.strands) this.changeStrand(id, { task: null, wait: null });
    await this.project('undo what was done', closes);
    await compensate(this);
  }

  async #tellParent(parent: string, status: ChildOutcome['status'], error: string | null): Promise<void> {
    const outcome: ChildOutcome = { status, error, context: this.state.context };
    try {
      await getExternalWorkflowHandle(parent).signal(childEndedSignal, { workflowId: workflowInfo().workflowId, outcome });
    } catch (failure) {
      // Whoever started this run has ended; a cancellation has ended it.
      if (isCancellation(failure)) throw failure;
    }
  }

  #noteCancellation(): void {
    const by = this.#cancelled;
    this.note({
      step: this.#strand(MAIN).state.currentStep ?? '',
      status: 'cancelled',
      ...(by === undefined ? {} : { by: nameOf(by.actor) }),
      ...(by?.reason === undefined ? {} : { comment: by.reason }),
    });
  }

  #openTasks(): Closing {
    return this.state.strands.flatMap(({ task }) => (task === null ? [] : [{ taskId: task.id, state: 'cancelled' as const }]));
  }

  // --- strands -------------------------------------------------------------------------------------------------------

  #strand(id: string): Strand {
    const strand = this.#strands.get(id);
    if (strand === undefined) throw runFailure(`The strand "${id}" is not open.`);
    return strand;
  }

  /** Those that have not come to their end. */
  live(): Strand[] {
    return [...this.#strands.values()].filter((strand) => strand.state.ended === undefined);
  }

  openStrand(state: StrandState): void {
    if (this.#strands.has(state.id)) return;
    this.change({ strands: [...this.state.strands, state] });
    this.#strands.set(state.id, new Strand(this, state.id));
  }

  /** With all it opened. */
  removeStrand(id: string): void {
    for (const child of this.childrenOf(id)) this.removeStrand(child);
    this.#strands.delete(id);
    this.change({ strands: this.state.strands.filter((strand) => strand.id !== id) });
  }

  childrenOf(id: string): string[] {
    return this.state.strands.flatMap((strand) => (strand.parent === id ? [strand.id] : []));
  }

  goThrough(id: string): Promise<void> {
    return this.#strand(id).toEnd();
  }

  isStopped(id: string): boolean {
    return this.#strand(id).isStopped;
  }

  stopStrand(id: string): void {
    this.#strand(id).stop();
    for (const child of this.childrenOf(id)) this.stopStrand(child);
  }

  childEnded(workflowId: string, outcome: ChildOutcome): void {
    const waiting = this.state.strands.find(({ child }) => child?.workflowId === workflowId);
    if (waiting?.child === undefined || waiting.child === null) this.#keepEarly({ workflowId, outcome });
    else if (waiting.child.outcome === undefined) this.changeStrand(waiting.id, { child: { ...waiting.child, outcome } });
  }

  eventCame(waitId: string, seq: string): void {
    const waiting = this.state.strands.find(({ wait }) => wait?.id === waitId);
    if (waiting?.wait === undefined || waiting.wait === null) {
      if (isAhead(this.state, this.input.runId, waitId)) this.#keepEarly({ waitId, seq });
    } else if (!waiting.wait.inbox.includes(seq))
      this.changeStrand(waiting.id, { wait: { ...waiting.wait, inbox: [...waiting.wait.inbox, seq] } });
  }

  /** Runs of before dropped it. */
  #keepEarly(word: EarlyWord): void {
    if (patched('keep-early')) this.change({ early: withEarly(this.state.early, word) });
  }

  earlyEvents(waitId: string): readonly string[] {
    return [...new Set((this.state.early ?? []).flatMap((word) => ('waitId' in word && word.waitId === waitId ? [word.seq] : [])))];
  }

  earlyEnd(workflowId: string): ChildOutcome | undefined {
    const word = this.state.early?.find((one) => 'workflowId' in one && one.workflowId === workflowId);
    return word !== undefined && 'outcome' in word ? word.outcome : undefined;
  }

  /** Goes on by another definition, in which every strand has its step. */
  async move({ definition, schemaVersion, entity, actor }: DefinitionChange): Promise<void> {
    const trigger = entity === undefined ? this.input.trigger : { ...this.input.trigger, entity };
    this.input = { ...this.input, definition, schemaVersion, trigger };
    this.#steps = takeOver(this.#steps, stepsOf(definition));
    this.note({
      step: this.#strand(MAIN).state.currentStep ?? '',
      status: 'moved',
      by: nameOf(actor),
      comment: `version ${schemaVersion}`,
    });
    await this.project(`moved to version ${schemaVersion}`);
  }

  strandState(id: string): StrandState {
    const found = this.state.strands.find((strand) => strand.id === id);
    if (found === undefined) throw runFailure(`The strand "${id}" is not open.`);
    return found;
  }

  changeStrand(id: string, changes: Partial<StrandState>): void {
    this.change({ strands: this.state.strands.map((strand) => (strand.id === id ? { ...strand, ...changes } : strand)) });
  }

  stepNamed(id: string): ProcessStep {
    const step = this.#steps.get(id);
    if (step === undefined) throw runFailure(`The step "${id}" does not exist in the definition of this run.`);
    return step;
  }

  checkIsTopLevel(id: string): void {
    if (!this.#steps.has(id)) throw refuse('INVALID_STATE', `The definition of this run has no step "${id}".`);
    if (this.input.definition.steps.every((step) => step.id !== id))
      throw refuse('INVALID_STATE', `The step "${id}" is inside another one: go back to that.`);
  }

  /** Visits are counted for the whole run: with the number of an action, a visit makes the key of an effect. */
  nextVisit(): number {
    this.change({ visits: this.state.visits + 1 });
    return this.state.visits;
  }

  effectKey(visit: number, name: number | string): string {
    return `process/${this.input.app}/${this.input.runId}/${visit}/${name}`;
  }

  hasBegun(): void {
    this.begun++;
    this.showDetails();
  }

  cancel(actor: ActorRef, reason: string | undefined): void {
    this.#cancelled ??= { actor, reason };
    for (const strand of this.live()) strand.stop();
  }

  // --- continue as new -----------------------------------------------------------------------------------------------

  get isContinuationDue(): boolean {
    return workflowInfo().continueAsNewSuggested;
  }

  /** Nothing moves any more until it is continued as new. */
  get isHeld(): boolean {
    const live = this.live();
    return live.some((strand) => strand.isAtBoundary) && live.every(isWithinState);
  }

  /** Once due, strands stop before their next step; a resting strand has all it needs in its state. */
  async #continueWhenDue(): Promise<never> {
    await condition(
      () =>
        this.isContinuationDue &&
        !this.hasEnded &&
        this.#cancelled === undefined &&
        allHandlersFinished() &&
        this.live().every(isWithinState),
    );
    return continueAsNew<(input: ProcessInput) => Promise<ProcessResult>>({ ...this.input, state: this.state });
  }

  // --- what others see -----------------------------------------------------------------------------------------------

  view(): RunView {
    const { currentStep, deadline } = this.#strand(MAIN).state;
    return { id: this.input.runId, status: this.status, current_step: currentStep, current_step_deadline: deadline };
  }

  checkRunning(): void {
    if (this.status !== 'running') throw refuse('INVALID_STATE', `The run is ${this.status}.`);
  }

  get isAtRest(): boolean {
    return this.hasEnded || this.live().every((strand) => strand.rest !== undefined);
  }

  /** The most urgent rest and the next deadline of all strands, as search attributes. */
  showRest(): void {
    const resting = this.live().filter((strand) => strand.rest !== undefined);
    const state = Object.entries(REST_STATES).find(([rest]) => resting.some((strand) => strand.rest === rest))?.[1] ?? 'running';
    const due = resting.flatMap((strand) => strand.state.deadline ?? []).sort()[0] ?? null;
    const shown = `${state} ${due ?? ''}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    upsertSearchAttributes([
      { key: stateAttribute, value: state },
      { key: dueAtAttribute, value: due === null ? null : new Date(due) },
    ]);
  }

  showDetails(): void {
    const lines = this.state.strands.flatMap(({ id, currentStep, deadline, failure }) => {
      if (currentStep === null) return [];
      const where = `${id === MAIN ? '' : `${id}: `}\`${currentStep}\` (${this.stepNamed(currentStep).type})`;
      if (failure !== null) return [`${where} failed: ${failure}. Retry, skip or cancel it.`];
      return [`${where}${deadline === null ? '' : ` until ${deadline}`}`];
    });
    setCurrentDetails(
      lines.length === 1
        ? `**${this.input.definition.name}** is at ${lines[0]}.`
        : [`**${this.input.definition.name}**`, ...lines].join('\n- '),
    );
  }

  async project(summary: string, closes: Closing = []): Promise<void> {
    await local.projectRun.executeWithOptions({ ...brief, summary }, [{ ...this.projection(), closes }]);
  }

  projection(): Projection {
    const failures = this.state.strands.flatMap(({ currentStep, failure }) =>
      failure === null ? [] : [`Step "${currentStep ?? ''}" failed: ${failure}`],
    );
    const error = failures.length === 0 ? this.#error : failures.join(' ');
    return { app: this.input.app, runId: this.input.runId, status: this.status, error, state: this.state, now: timeNow() };
  }

  scope(): Scope {
    const { app, runId, schemaVersion, trigger } = this.input;
    return { app, runId, schemaVersion, trigger, context: this.state.context, now: timeNow() };
  }

  // --- state ---------------------------------------------------------------------------------------------------------

  change(changes: Partial<ProcessState>): void {
    this.state = { ...this.state, ...changes, revision: this.state.revision + 1 };
  }

  note(entry: Omit<HistoryEntry, 'at' | 'strand'>, strand: string = MAIN): void {
    const full = { ...entry, ...(strand === MAIN ? {} : { strand }), at: timeNow() };
    this.change({ history: withEntry(this.state.history, full) });
  }

  hasAnswered(key: string): void {
    this.change({ answered: [...this.state.answered, key].slice(-MAX_ANSWERED) });
  }
}

const isWithinState = (strand: Strand): boolean => strand.isAtBoundary || strand.rest !== undefined;

/** Strands that are inside a step hold it and go on by it: it becomes the new one in place. */
function takeOver(before: ReadonlyMap<string, ProcessStep>, after: ReadonlyMap<string, ProcessStep>): ReadonlyMap<string, ProcessStep> {
  const steps = new Map<string, ProcessStep>();
  for (const [id, step] of after) {
    const held: object | undefined = before.get(id);
    if (held !== undefined) for (const key of Object.keys(held)) Reflect.deleteProperty(held, key);
    steps.set(id, held === undefined ? step : Object.assign(held, step));
  }
  return steps;
}

/** Ids of steps are unique in the whole definition. */
const stepsOf = (definition: ProcessInput['definition']): ReadonlyMap<string, ProcessStep> =>
  new Map(allSteps(definition.steps).map((step) => [step.id, step]));

function withoutSteps(definition: ProcessInput['definition']): Omit<ProcessInput['definition'], 'steps'> {
  const { id, name, context, condition: holds } = definition;
  return { id, name, context, ...(holds === undefined ? {} : { condition: holds }) };
}
