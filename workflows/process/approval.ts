/**
 * Approval steps: a task is opened, people vote on it, alarms ring while they do not, and its outcome or its deadline ends it.
 * Of its strand an approval uses its state (`task`, `deadline`), `note`, `project` and `restUntil`; the updates of people come
 * in through `check`, `record` and `change`. What votes come to is counted by the activity that records them.
 */
import { condition, patched } from '@temporalio/workflow';
import { alarmKey, nextAlarm, type TaskAlarm } from '../../core/approval/schedule.ts';
import type { ProcessStep } from '../../core/model/document.ts';
import { failureOf, isActivityFailure, isRefusal, messageOf } from '../activity-failure.ts';
import { answering, brief } from '../activity-options.ts';
import type { DecisionInput, HistoryEntry, OpenTask, Recorded, TaskDecision, TaskRequest } from '../contracts/types.ts';
import { keptInHistory } from '../kept-in-history.ts';
import { local, person } from './activities.ts';
import { runFailure } from './failure.ts';
import type { StrandPort } from './ports.ts';
import { nameOf, refuse, target, timeNow, visitId } from './state.ts';
import { deadlineAfter } from './wait.ts';

export type ApprovalStep = Extract<ProcessStep, { type: 'approval' }>;

/** How a task ended by people. */
interface Outcome {
  readonly decision: TaskDecision;
  readonly by: string;
  readonly onBehalfOf?: string;
  readonly comment?: string;
}

/** Where a step is sent back to beside a step: who caused the run brings it again. */
const REQUESTER = 'requester';

/** The approval its strand may be in. What has to outlive continue-as-new is in the strand's state. */
export class Approval {
  readonly #strand: StrandPort;
  #outcome: Outcome | undefined;
  #isRecording = false;

  constructor(strand: StrandPort) {
    this.#strand = strand;
  }

  open(step: ApprovalStep): Promise<void> {
    return this.#openTask(step, 'approval');
  }

  async #openTask(step: ApprovalStep, kind: 'approval' | 'resubmission'): Promise<void> {
    const strand = this.#strand;
    const deadline = kind === 'resubmission' || step.timeout === undefined ? null : deadlineAfter(step.timeout);
    const id = visitId(strand.run.input.runId, strand.visit);
    const task: OpenTask = { id, step: step.id, dueAt: deadline, openedAt: timeNow(), ...(kind === 'approval' ? {} : { kind }) };
    strand.change({ task, deadline });
    this.#outcome = undefined;
    const told = await local.openTask.executeWithOptions({ ...brief, summary: `ask for a decision: ${step.id}` }, [
      { ...strand.scope(), projection: strand.run.projection(), task, strand: strand.id, step },
    ]);
    // Workers from before there were mails answer nothing.
    if (((told as typeof told | undefined)?.skipped.length ?? 0) > 0) {
      strand.note({ step: step.id, status: 'unreachable', told: told.told, skipped: told.skipped });
      await strand.project();
    }
  }

  /** Waits for the outcome; a task that is sent back to who asked is opened anew when they bring it again. */
  async awaitDecision(step: ApprovalStep): Promise<string | null> {
    for (;;) {
      const outcome = await this.#untilDecided(step);
      if (outcome === 'stopped') return null;
      if (outcome === 'timed_out') return this.#timeOut(step);
      this.#noteOutcome(step, outcome);
      if (outcome.decision === 'sent_back' && step.on_send_back === REQUESTER) await this.#openAnew(step, 'resubmission');
      else if (outcome.decision === 'resubmitted') await this.#openAnew(step, 'approval');
      else return goesTo(step, outcome.decision);
    }
  }

  #noteOutcome(step: ApprovalStep, { decision, by, onBehalfOf, comment }: Outcome): void {
    this.#strand.note({
      step: step.id,
      status: decision,
      by,
      ...(onBehalfOf === undefined ? {} : { on_behalf_of: onBehalfOf }),
      ...(comment === undefined ? {} : { comment }),
    });
    this.#strand.change({ task: null });
  }

  async #openAnew(step: ApprovalStep, kind: 'approval' | 'resubmission'): Promise<void> {
    const strand = this.#strand;
    strand.change({ visit: strand.run.nextVisit() });
    try {
      await this.#openTask(step, kind);
    } catch (error) {
      // Not open after all: an operator's retry begins the step again.
      strand.change({ task: null, deadline: null, isBegun: false });
      throw error;
    }
    strand.run.hasBegun();
  }

  async #untilDecided(step: ApprovalStep): Promise<Outcome | 'timed_out' | 'stopped'> {
    const strand = this.#strand;
    for (;;) {
      const alarm = this.#nextAlarm(step);
      await strand.restUntil('decision', () => this.#outcome !== undefined, alarm?.at);
      // A decision being recorded when the timer fires still counts: it came in time.
      await condition(() => !this.#isRecording);
      if (this.#outcome !== undefined) return this.#outcome;
      if (strand.isStopped) return 'stopped';
      const { task } = strand.state;
      const isDue = task === null || (task.dueAt !== null && Date.now() >= Date.parse(task.dueAt));
      if (alarm === undefined || isDue) return this.#expire(task);
      await this.#ring(step, alarm);
    }
  }

  // --- time ----------------------------------------------------------------------------------------------------------

  #nextAlarm(step: ApprovalStep): TaskAlarm | undefined {
    const { task } = this.#strand.state;
    if (task?.openedAt === undefined || task.kind === 'resubmission') return undefined;
    const dueAt = task.dueAt === null ? null : Date.parse(task.dueAt);
    return nextAlarm(step, { openedAt: Date.parse(task.openedAt), dueAt, now: Date.now(), rung: task.rung ?? {} });
  }

  async #ring(step: ApprovalStep, alarm: TaskAlarm): Promise<void> {
    const strand = this.#strand;
    const { task } = strand.state;
    if (task === null) return;
    const status = alarm.kind === 'reminder' ? 'reminded' : 'escalated';
    strand.change({ task: { ...task, rung: { ...task.rung, [alarmKey(alarm)]: alarm.number } } });
    try {
      const rung = await local.ringAlarm.executeWithOptions({ ...brief, summary: `${alarm.kind}: ${step.id}` }, [
        { ...strand.scope(), taskId: task.id, alarm, step },
      ]);
      strand.note({ step: step.id, status, told: rung.told, ...(rung.to === undefined ? {} : { to: rung.to }), ...skippedOf(rung) });
      if (rung.outcome !== undefined) this.#outcome ??= { decision: rung.outcome, by: rung.by ?? 'system' };
    } catch (error) {
      // Whom to escalate to could not be found out: the task stays open for those who were asked.
      if (!isActivityFailure(error)) throw error;
      strand.note({ step: step.id, status, told: 0, error: messageOf(error) });
    }
    if (this.#outcome === undefined) await strand.project();
  }

  /** A vote that was committed before its worker died has come before the deadline; the task's row knows. */
  async #expire(task: OpenTask | null): Promise<Outcome | 'timed_out'> {
    if (task === null || !patched('expire-task')) return 'timed_out';
    const { app } = this.#strand.run.input;
    const expired = await local.expireTask.executeWithOptions({ ...brief, summary: `time is up: ${task.step}` }, [
      { app, taskId: task.id, now: timeNow() },
    ]);
    if (expired.state === 'timed_out') return 'timed_out';
    const { state, by, onBehalfOf, comment } = expired;
    return {
      decision: state,
      by,
      ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
      ...(comment === undefined ? {} : { comment }),
    };
  }

  async #timeOut(step: ApprovalStep): Promise<string | null> {
    const strand = this.#strand;
    const { task } = strand.state;
    strand.note({ step: step.id, status: 'timed_out' });
    strand.change({ task: null });
    await strand.project(task === null ? [] : [{ taskId: task.id, state: 'timed_out' }]);
    if (step.on_timeout === undefined) {
      throw runFailure(`Nobody decided the step "${step.id}" in time (${step.timeout ?? ''}), and it has no on_timeout.`);
    }
    return target(step.on_timeout);
  }

  // --- people --------------------------------------------------------------------------------------------------------

  /** Throws unless the open task may be decided now. */
  check({ taskId }: { readonly taskId: string }): void {
    const { task } = this.#strand.state;
    if (task === null || task.id !== taskId) throw refuse('INVALID_STATE', 'This task is no longer open.');
    if (this.#outcome !== undefined)
      throw refuse('INVALID_STATE', `The task has been ${this.#outcome.decision.replace('_', ' ')} already.`);
    if (task.dueAt !== null && Date.now() >= Date.parse(task.dueAt))
      throw refuse('INVALID_STATE', `The time to decide ended at ${task.dueAt}.`);
  }

  /** Two people may decide in the same moment: the second waits for the first one's record and is then told so. */
  async untilRecorded(): Promise<void> {
    await condition(() => !this.#isRecording);
  }

  async record(decision: DecisionInput): Promise<void> {
    const { app, runId } = this.#strand.run.input;
    this.#isRecording = true;
    try {
      await keptInHistory();
      const recorded = await person.recordDecision.executeWithOptions(
        { ...answering, summary: `${decision.decision} by ${nameOf(decision.actor)}` },
        [{ app, runId, decision, now: timeNow() }],
      );
      await this.#count(decision, recorded as Recorded | undefined);
    } catch (error) {
      if (!isActivityFailure(error) || isRefusal(error) || !(await this.#hasBeenRecorded(decision))) throw failureOf(error);
    } finally {
      this.#isRecording = false;
    }
  }

  /** The answer did not come in time: whether the vote was written is asked until somebody knows. */
  async #hasBeenRecorded(decision: DecisionInput): Promise<boolean> {
    const { app } = this.#strand.run.input;
    const found = await local.findDecision.executeWithOptions({ ...brief, summary: 'was it recorded?' }, [
      { app, taskId: decision.taskId, key: decision.key },
    ]);
    if (found !== null) await this.#count(decision, found);
    return found !== null;
  }

  /** `recorded` is missing in histories from when the first decision was the only one. */
  async #count({ decision, actor, comment, key }: DecisionInput, recorded: Recorded | undefined): Promise<void> {
    const strand = this.#strand;
    const said = {
      by: nameOf(actor),
      ...(recorded?.onBehalfOf === undefined ? {} : { onBehalfOf: recorded.onBehalfOf }),
      ...(comment === undefined ? {} : { comment }),
    };
    strand.run.hasAnswered(key);
    if (recorded?.outcome !== 'open') {
      this.#outcome = { decision: recorded?.outcome ?? decision, ...said };
      strand.rest = undefined;
      return;
    }
    const { onBehalfOf, ...entry } = said;
    strand.note({
      step: this.#step,
      status: 'voted',
      decision,
      ...entry,
      ...(onBehalfOf === undefined ? {} : { on_behalf_of: onBehalfOf }),
    });
    await strand.project();
  }

  get #step(): string {
    return this.#strand.state.currentStep ?? '';
  }

  /** Gives the task on, asks others, or says a word about it. */
  async change(request: TaskRequest): Promise<void> {
    const strand = this.#strand;
    const entry = request.verb === 'comment' ? {} : await this.#handOver(request);
    strand.note({
      step: this.#step,
      status: CHANGED[request.verb],
      by: nameOf(request.actor),
      ...(request.comment === undefined ? {} : { comment: request.comment }),
      ...entry,
    });
    await strand.project();
  }

  async #handOver(request: Exclude<TaskRequest, { verb: 'comment' }>): Promise<Pick<HistoryEntry, 'to' | 'told' | 'skipped'>> {
    const options = { ...answering, summary: `${request.verb} by ${nameOf(request.actor)}` };
    try {
      const done =
        request.verb === 'delegate'
          ? await person.delegateTask.executeWithOptions(options, [{ app: this.#strand.run.input.app, request, now: timeNow() }])
          : await person.reassignTask.executeWithOptions(options, [{ ...this.#strand.scope(), request }]);
      return { to: done.to, told: done.told, ...skippedOf(done) };
    } catch (error) {
      throw failureOf(error);
    }
  }
}

const CHANGED = { delegate: 'delegated', reassign: 'reassigned', comment: 'commented' } as const;

const skippedOf = ({ skipped }: { readonly skipped: readonly string[] }): Pick<HistoryEntry, 'skipped'> =>
  skipped.length === 0 ? {} : { skipped };

function goesTo(step: ApprovalStep, decision: TaskDecision): string | null {
  switch (decision) {
    case 'approved':
      return target(step.on_approve);
    case 'rejected':
      return target(step.on_reject);
    case 'sent_back':
    case 'resubmitted':
      return target(step.on_send_back);
  }
}
