/**
 * Approval steps: a task is opened, somebody decides it, or its time passes. Of its strand an approval uses its state
 * (`task`, `deadline`), `note`, `project` and `restUntil`; the updates of people come in through `check` and `record`.
 */
import { ApplicationFailure, condition } from '@temporalio/workflow';
import type { ProcessStep } from '../../core/model/document.ts';
import { failureOf } from '../activity-failure.ts';
import { answering, brief } from '../activity-options.ts';
import type { DecisionInput } from '../contracts/types.ts';
import { keptInHistory } from '../kept-in-history.ts';
import { local, person } from './activities.ts';
import type { StrandPort } from './ports.ts';
import { nameOf, refuse, target, timeNow, visitId } from './state.ts';
import { deadlineAfter } from './wait.ts';

export type ApprovalStep = Extract<ProcessStep, { type: 'approval' }>;

/** The approval its strand may be in. What has to outlive continue-as-new is in the strand's state. */
export class Approval {
  readonly #strand: StrandPort;
  #decision: DecisionInput | undefined;
  #isRecording = false;

  constructor(strand: StrandPort) {
    this.#strand = strand;
  }

  async open(step: ApprovalStep): Promise<void> {
    const strand = this.#strand;
    const deadline = step.timeout === undefined ? null : deadlineAfter(step.timeout);
    const task = { id: visitId(strand.run.input.runId, strand.visit), step: step.id, dueAt: deadline };
    strand.change({ task, deadline });
    this.#decision = undefined;
    await local.openTask.executeWithOptions({ ...brief, summary: `ask for a decision: ${step.id}` }, [
      {
        ...strand.scope(),
        projection: strand.run.projection(),
        task,
        strand: strand.id,
        assignee: step.assignee ?? null,
        allowSelfApproval: step.allow_self_approval,
        commentRequired: step.comment_required,
      },
    ]);
  }

  async awaitDecision(step: ApprovalStep): Promise<string | null> {
    const strand = this.#strand;
    await strand.restUntil('decision', () => this.#decision !== undefined);
    // A decision being recorded when the timer fires still counts: it came in time.
    await condition(() => !this.#isRecording);
    if (strand.isStopped && this.#decision === undefined) return null;
    if (this.#decision === undefined) return this.#timeOut(step);
    const { decision, actor, comment } = this.#decision;
    strand.note({ step: step.id, status: decision, by: nameOf(actor), ...(comment === undefined ? {} : { comment }) });
    strand.change({ task: null });
    return target(decision === 'approved' ? step.on_approve : step.on_reject);
  }

  async #timeOut(step: ApprovalStep): Promise<string | null> {
    const strand = this.#strand;
    const { task } = strand.state;
    strand.note({ step: step.id, status: 'timed_out' });
    strand.change({ task: null });
    await strand.project(task === null ? [] : [{ taskId: task.id, state: 'timed_out' }]);
    if (step.on_timeout === undefined) {
      throw ApplicationFailure.nonRetryable(
        `Nobody decided the step "${step.id}" in time (${step.timeout ?? ''}), and it has no on_timeout.`,
        'INVALID_STATE',
      );
    }
    return target(step.on_timeout);
  }

  // --- decisions -----------------------------------------------------------------------------------------------------

  /** Throws unless the open task may be decided now. */
  check(decision: DecisionInput): void {
    const { task } = this.#strand.state;
    if (task === null || task.id !== decision.taskId) throw refuse('INVALID_STATE', 'This task is no longer open.');
    if (this.#decision !== undefined) throw refuse('INVALID_STATE', `The task has been ${this.#decision.decision} already.`);
    if (task.dueAt !== null && Date.now() >= Date.parse(task.dueAt))
      throw refuse('INVALID_STATE', `The time to decide ended at ${task.dueAt}.`);
  }

  /** Two people may decide in the same moment: the second waits for the first one's record and is then told so. */
  async untilRecorded(): Promise<void> {
    await condition(() => !this.#isRecording);
  }

  async record(decision: DecisionInput): Promise<void> {
    const strand = this.#strand;
    const { app, runId } = strand.run.input;
    this.#isRecording = true;
    try {
      await keptInHistory();
      await person.recordDecision.executeWithOptions({ ...answering, summary: `${decision.decision} by ${nameOf(decision.actor)}` }, [
        { app, runId, decision, now: timeNow() },
      ]);
      this.#decision = decision;
      strand.rest = undefined;
      strand.run.hasAnswered(decision.key);
    } catch (error) {
      throw failureOf(error);
    } finally {
      this.#isRecording = false;
    }
  }
}
