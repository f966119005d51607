/**
 * A strand goes through one list of steps. Each *step* is begun (projected, its task opened), then performed, and says which
 * step is next; the strand *rests* while it waits for a person, a timer or an operator. All that a resting strand needs is in
 * its state, so the run may be continued as new around it.
 */
import { ActivityFailure, ApplicationFailure, CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { ProcessStep } from '../../core/model/document.ts';
import { messageOf } from '../activity-failure.ts';
import type { HistoryEntry, Resolution, StrandState } from '../contracts/types.ts';
import { Approval } from './approval.ts';
import type { Closing, Rest, RunPort, Scope, StrandPort } from './ports.ts';
import { BEFORE_STEP, nameOf, target } from './state.ts';
import { begin, isSkippable, perform, skipTarget } from './steps.ts';

/** Loops through goto are legal; a strand that enters this many steps without waiting for anybody is one that never ends. */
const MAX_STREAK = 300;

/** Not a step id (those begin with a letter): the same step again, without beginning it anew. */
const RETRY = ' retry';

export class Strand implements StrandPort {
  readonly id: string;
  readonly run: RunPort;
  /** What the strand waits for; undefined while it is moving. */
  rest: Rest | undefined;
  /** It stands before a step because the run is about to be continued as new. */
  isAtBoundary = false;
  isStopped = false;
  resolution: Resolution | undefined;
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
    return this.run.scope();
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
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      next = await this.#afterFailure(step, messageOf(error));
    }
    if (!this.isStopped && next !== RETRY) this.change({ ...BEFORE_STEP, currentStep: next });
  }

  async #take(step: ProcessStep): Promise<string | null> {
    const { failure } = this.state;
    if (failure !== null) return this.#awaitOperator(step);
    if (!this.state.isBegun) await this.#begin(step);
    return perform(step, this);
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
      this.change({ ...BEFORE_STEP, visit: this.state.visit });
      throw error;
    }
    this.run.hasBegun();
  }

  #countStep(step: ProcessStep): void {
    if (this.state.visit !== null) return;
    const streak = this.state.streak + 1;
    if (streak > MAX_STREAK) {
      throw ApplicationFailure.nonRetryable(
        `The run entered ${MAX_STREAK} steps without waiting for anybody: the steps around "${step.id}" form an endless loop.`,
        'INVALID_STATE',
      );
    }
    this.change({ visit: this.run.nextVisit(), streak });
  }

  /** Rests until `isDone`, the deadline, the moment `wakeAt` or a stop. Due times are absolute, so a late worker waits only for the rest. */
  async restUntil(rest: Rest, isDone: () => boolean, wakeAt?: number): Promise<void> {
    const isOver = (): boolean => isDone() || this.isStopped;
    const { deadline } = this.state;
    this.change({ streak: 0 });
    if (isOver()) return;
    this.rest = rest;
    this.run.showRest();
    const until = Math.min(deadline === null || rest === 'operator' ? Infinity : Date.parse(deadline), wakeAt ?? Infinity);
    if (until === Infinity) await condition(isOver);
    else await condition(isOver, Math.max(1, until - Date.now()));
    this.rest = undefined;
    this.run.showRest();
  }

  // --- steps that failed ---------------------------------------------------------------------------------------------

  /** A step that failed for good: its `on_error`, else the run stays visible until an operator retries, skips or cancels. */
  async #afterFailure(step: ProcessStep, message: string): Promise<string | null> {
    this.note({ step: step.id, status: 'failed', error: message });
    if (step.type === 'action' && step.on_error !== undefined) return target(step.on_error);
    this.change({ failure: message });
    await this.project();
    return this.#awaitOperator(step);
  }

  async #awaitOperator(step: ProcessStep): Promise<string | null> {
    this.run.showDetails();
    this.resolution = undefined;
    await this.restUntil('operator', () => this.resolution !== undefined);
    this.change({ failure: null });
    const resolution = this.resolution as Resolution | undefined;
    if (resolution === undefined) return null;
    this.note({ step: step.id, status: resolution.action === 'retry' ? 'retried' : 'skipped', by: nameOf(resolution.actor) });
    return resolution.action === 'retry' ? RETRY : skipTarget(step);
  }

  get canSkip(): boolean {
    return isSkippable(this.run.stepNamed(this.state.currentStep ?? ''));
  }
}
