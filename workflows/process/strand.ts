/**
 * A strand goes through one list of steps. Each *step* is begun (projected, its task opened), then performed, and says which
 * step is next; the strand *rests* while it waits for a person, a timer or an operator. All that a resting strand needs is in
 * its state, so the run may be continued as new around it.
 */
import { ApplicationFailure, CancellationScope, condition, isCancellation, patched } from '@temporalio/workflow';
import type { ProcessStep } from '../../core/model/document.ts';
import { durationMs } from '../../core/duration.ts';
import type { HistoryEntry, Resolution, RewindRequest, StrandState } from '../contracts/types.ts';
import { Approval } from './approval.ts';
import type { Closing, Rest, RunPort, Scope, StrandPort } from './ports.ts';
import { savedBy } from '../../core/model/process-steps.ts';
import { failureOfStep, runFailure } from './failure.ts';
import { BEFORE_STEP, nameOf, target } from './state.ts';
import { begin, isSkippable, perform, skipTarget } from './steps.ts';

/** Loops through goto are legal; a strand that enters this many steps without waiting for anybody is one that never ends. */
const MAX_STREAK = 300;

const MAX_RETRY_WAIT_MS = 24 * 3_600_000;

/** Not a step id (those begin with a letter): the same step again, without beginning it anew. */
const RETRY = ' retry';

/** Thrown where a strand rests: it leaves its step for an earlier one. */
class Rewound extends Error {
  readonly request: RewindRequest;
  constructor(request: RewindRequest) {
    super(`back to ${request.to}`);
    this.request = request;
  }
}

export class Strand implements StrandPort {
  readonly id: string;
  readonly run: RunPort;
  /** What the strand waits for; undefined while it is moving. */
  rest: Rest | undefined;
  /** It stands before a step because the run is about to be continued as new. */
  isAtBoundary = false;
  isStopped = false;
  resolution: Resolution | undefined;
  /** Where an operator wants it, until it has gone there. */
  rewind: RewindRequest | undefined;
  readonly work = new CancellationScope();
  readonly approval = new Approval(this);

  constructor(run: RunPort, id: string) {
    this.run = run;
    this.id = id;
  }

  get state(): StrandState {
    return this.run.strandState(this.id);
  }

  change(changes: Partial<StrandState>): void {
    this.run.changeStrand(this.id, changes);
  }

  note(entry: Omit<HistoryEntry, 'at' | 'strand'>): void {
    this.run.note(entry, this.id);
  }

  project(closes?: Closing): Promise<void> {
    return this.run.project(`show ${this.state.currentStep ?? this.run.status}`, closes);
  }

  scope(): Scope {
    return { ...this.run.scope(), context: { ...this.run.state.context, ...this.#saved() }, items: this.state.items ?? [] };
  }

  save(values: Record<string, unknown>): void {
    const item = this.#lineage().find((strand) => strand.saved !== undefined);
    if (item === undefined) this.run.change({ context: { ...this.run.state.context, ...values } });
    else this.run.changeStrand(item.id, { saved: { ...item.saved, ...values } });
  }

  /** This strand, the one that opened it, and so on. */
  #lineage(): StrandState[] {
    const found = [this.state];
    for (let { parent } = this.state; parent !== null; parent = found.at(-1)?.parent ?? null) found.push(this.run.strandState(parent));
    return found;
  }

  #saved(): Record<string, unknown> {
    return Object.assign(
      {},
      ...this.#lineage()
        .reverse()
        .map((strand) => strand.saved ?? {}),
    ) as Record<string, unknown>;
  }

  willCompensate(step: ProcessStep): void {
    if (step.compensate === undefined) return;
    const { compensations = [], context } = this.run.state;
    const { items = [] } = this.state;
    const values = { ...context, ...this.#saved() };
    // Later steps may save under the same names: a step is undone by what it saved itself.
    const own = savedBy(step).flatMap((name) => (name in values ? [[name, values[name]] as const] : []));
    const saved = { ...this.#saved(), ...Object.fromEntries(own) };
    const others = compensations.filter(({ visit }) => visit !== this.visit);
    this.run.change({ compensations: [...others, { step: step.id, strand: this.id, visit: this.visit, items, saved }] });
  }

  /** Of the current visit: with a number behind it, the key of each effect. */
  get visit(): number {
    return this.state.visit ?? 0;
  }

  async toEnd(): Promise<void> {
    while (this.state.currentStep !== null && !this.isStopped) await this.#advance(this.state.currentStep);
  }

  /** Ends at the next safe point; a call to another server that is under way is given up. */
  stop(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.rest = undefined;
    this.work.cancel();
  }

  async #advance(id: string): Promise<void> {
    const step = this.run.stepNamed(id);
    if (!this.state.isBegun && this.run.isContinuationDue) await this.#standAtBoundary();
    if (this.isStopped) return;
    let next: string | null;
    try {
      next = await this.#take(step);
    } catch (error) {
      if (this.isStopped && isCancellation(error)) return;
      if (error instanceof Rewound) return this.#goBack(step, error.request);
      const failure = failureOfStep(error);
      if (failure !== undefined) next = await this.#afterFailure(step, failure);
      else if (error instanceof ApplicationFailure && step.on_error !== undefined) next = target(step.on_error);
      else throw error;
    }
    if (!this.isStopped && next !== RETRY) this.change({ ...BEFORE_STEP, currentStep: next });
  }

  /** The way back: what the step had open is closed; what was done stays done, and the next visit has keys of its own. */
  async #goBack(step: ProcessStep, { to, actor, comment }: RewindRequest): Promise<void> {
    const { task } = this.state;
    this.note({ step: step.id, status: 'rewound', back_to: to, by: nameOf(actor), ...(comment === undefined ? {} : { comment }) });
    this.change({ ...BEFORE_STEP, currentStep: to });
    this.rewind = undefined;
    await this.project(task === null ? [] : [{ taskId: task.id, state: 'cancelled' }]);
  }

  async #take(step: ProcessStep): Promise<string | null> {
    const { failure, retryAt } = this.state;
    if (failure !== null) return this.#awaitOperator(step);
    if (retryAt) await this.#awaitRetry(retryAt);
    if (this.isStopped) return null;
    if (!this.state.isBegun) await this.#begin(step);
    const next = await perform(step, this);
    if (!this.isStopped) this.willCompensate(step);
    return next;
  }

  async #standAtBoundary(): Promise<void> {
    this.isAtBoundary = true;
    await condition(() => this.isStopped);
    this.isAtBoundary = false;
  }

  async #begin(step: ProcessStep): Promise<void> {
    this.#countStep(step);
    this.change({ isBegun: true });
    try {
      await begin(step, this);
    } catch (error) {
      // Not begun after all: retrying the step begins it again, under the same visit.
      this.change({ ...BEFORE_STEP, visit: this.state.visit, attempts: this.state.attempts ?? 0, edits: this.state.edits ?? null });
      throw error;
    }
    this.run.hasBegun();
  }

  #countStep(step: ProcessStep): void {
    if (this.state.visit !== null) return;
    const streak = this.state.streak + 1;
    if (streak > MAX_STREAK) {
      throw runFailure(
        `The run entered ${MAX_STREAK} steps without waiting for anybody: the steps around "${step.id}" form an endless loop.`,
      );
    }
    this.change({ visit: this.run.nextVisit(), streak });
  }

  async waitFor(rest: Rest, isDone: () => boolean): Promise<void> {
    this.rest = rest;
    await condition(() => isDone() || this.isStopped);
    this.rest = undefined;
  }

  async closeChildren(): Promise<void> {
    const closes: { taskId: string; state: 'cancelled' }[] = [];
    for (const id of this.run.childrenOf(this.id)) {
      const { task, currentStep, ended } = this.run.strandState(id);
      if (task !== null) closes.push({ taskId: task.id, state: 'cancelled' });
      if (ended === undefined && currentStep !== null) this.run.note({ step: currentStep, status: 'cancelled' }, id);
      this.run.removeStrand(id);
    }
    await this.project(closes);
  }

  /** Rests until `isDone`, the deadline, the moment `wakeAt` or a stop. Due times are absolute, so a late worker waits only for the rest. */
  async restUntil(rest: Rest, isDone: () => boolean, wakeAt?: number): Promise<void> {
    const isOver = (): boolean => isDone() || this.isStopped || this.rewind !== undefined;
    const { deadline } = this.state;
    this.change({ streak: 0 });
    if (isOver()) return;
    this.rest = rest;
    this.run.showRest();
    const until = Math.min(deadline === null || rest === 'operator' ? Infinity : Date.parse(deadline), wakeAt ?? Infinity);
    if (until === Infinity) await condition(isOver);
    else await condition(isOver, Math.max(1, until - Date.now()), { summary: `${this.state.currentStep ?? ''}: ${rest}` });
    this.rest = undefined;
    this.run.showRest();
    if (this.rewind !== undefined && !this.isStopped) throw new Rewound(this.rewind);
  }

  // --- steps that failed ---------------------------------------------------------------------------------------------

  /** A step that failed for good: its `on_error`, else the run stays visible until an operator retries, skips or cancels. */
  async #afterFailure(step: ProcessStep, message: string): Promise<string | null> {
    this.note({ step: step.id, status: 'failed', error: message });
    const attempts = (this.state.attempts ?? 0) + 1;
    this.change({ attempts });
    if (step.retry !== undefined && attempts < step.retry.max_attempts) {
      const { initial, backoff } = step.retry;
      const wait = durationMs(initial) * (backoff === 'fixed' ? 1 : 2 ** (attempts - 1));
      this.change({ retryAt: new Date(Date.now() + Math.min(wait, MAX_RETRY_WAIT_MS)).toISOString() });
      return RETRY;
    }
    if (step.on_error !== undefined) return target(step.on_error);
    this.change({ failure: message });
    await this.project();
    return this.#awaitOperator(step);
  }

  async #awaitRetry(at: string): Promise<void> {
    await this.restUntil('timer', () => false, Date.parse(at));
    if (!this.isStopped) this.change({ retryAt: null });
  }

  async #awaitOperator(step: ProcessStep): Promise<string | null> {
    this.run.showDetails();
    this.resolution = undefined;
    await this.restUntil('operator', () => this.resolution !== undefined);
    this.change({ failure: null });
    const resolution = this.resolution as Resolution | undefined;
    if (resolution === undefined) return null;
    if (resolution.action === 'retry') this.#edit(resolution);
    const changed = changedBy(resolution);
    this.note({
      step: step.id,
      status: resolution.action === 'retry' ? 'retried' : 'skipped',
      by: nameOf(resolution.actor),
      ...(changed.length === 0 ? {} : { changed }),
    });
    this.run.showDetails();
    // Others may stay stuck beside it, and what is tried again may take its time.
    if (patched('show-resolution')) await this.project();
    return resolution.action === 'retry' ? RETRY : skipTarget(step);
  }

  /** The definition stays as it is: edited actions are those of this visit alone. */
  #edit({ context, actions }: Resolution): void {
    if (context !== undefined) this.run.change({ context: { ...this.run.state.context, ...context } });
    if (actions !== undefined) this.change({ edits: { ...this.state.edits, ...actions } });
  }

  get step(): ProcessStep {
    return this.run.stepNamed(this.state.currentStep ?? '');
  }

  get canSkip(): boolean {
    return isSkippable(this.step);
  }
}

/** Which values, not what they are: the history is read by people who may not see them. */
const changedBy = ({ context = {}, actions = {} }: Resolution): string[] => [
  ...Object.keys(context).map((name) => `context.${name}`),
  ...Object.keys(actions).map((index) => `actions.${index}`),
];
