/**
 * Moves the apps of a schema to one of its versions, ring by ring. Each app moves by its own `schemaMigration`, started as a child; what
 * came of it is read from its row, so that nothing here depends on who started it. Which app is how far stands in Postgres: the state here
 * stays small however many apps there are, and every run begins from there.
 */
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  ParentClosePolicy,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { RolloutActivities } from '../activities/rollout.ts';
import { failureOf, isActivityFailure, messageOf } from './activity-failure.ts';
import { batch, brief } from './activity-options.ts';
import { migrationWorkflowId } from './contracts/ids.ts';
import { changeRolloutUpdate, rolloutViewQuery } from './contracts/messages.ts';
import { appIdAttribute, dueAtAttribute, stateAttribute } from './contracts/search-attributes.ts';
import type {
  RolloutAppStatus,
  RolloutCounts,
  RolloutFacts,
  RolloutInput,
  RolloutRequest,
  RolloutResult,
  RolloutRing,
  RolloutState,
  RolloutStatus,
  RolloutView,
  SchemaMigrationInput,
} from './contracts/types.ts';
import { keptInHistory } from './kept-in-history.ts';
import type { schemaMigration } from './schema-migration.ts';

const local = proxyLocalActivities<RolloutActivities>(brief);
/** The heartbeat is only a sign of life: a worker killed while it watches is noticed after five seconds. */
const watching = { ...batch, heartbeatTimeout: '5s' } as const;
const remote = proxyActivities<RolloutActivities>(watching);

/** How long an app whose own migration is in the way is left alone. */
const BLOCKED_MS = 2_000;
/** Histories stay short enough to be read. */
const MAX_HISTORY = 1_000;

const TARGET: Readonly<Record<RolloutRequest['verb'], RolloutStatus>> = {
  pause: 'paused',
  resume: 'running',
  abort: 'aborted',
  rollback: 'rolling_back',
};
/** From where a request leads to its target; where it has been reached already, asking again changes nothing. */
const ALLOWED: Readonly<Record<RolloutRequest['verb'], readonly RolloutStatus[]>> = {
  pause: ['running'],
  resume: ['paused', 'stopped'],
  abort: ['running', 'paused', 'stopped'],
  rollback: ['running', 'paused', 'stopped', 'completed', 'aborted', 'rolled_back'],
};

export async function rollout(input: RolloutInput): Promise<RolloutResult> {
  const run = new Rollout(input.rolloutId);
  setHandler(rolloutViewQuery, () => run.view());
  // An update, not a signal: the caller must learn at once whether it counted.
  setHandler(changeRolloutUpdate, (request) => run.change(request));
  const outer = CancellationScope.current();
  // Whoever cancels the workflow in the Web UI means an abort; what is under way goes on to its end all the same.
  outer.cancelRequested.catch(() => run.cancel());
  return CancellationScope.nonCancellable(() => run.toEnd());
}

class Rollout {
  readonly #id: string;
  #facts: RolloutFacts = { schema: '', version: 0, rings: [], maxFailures: 0, parallel: 1 };
  #state: RolloutState = { status: 'planned', ring: 0, bakeUntil: null, accepted: 0, error: null, revision: 0 };
  #counts: RolloutCounts = { apps: {}, ring: {} };
  #isOpen = false;
  /** Raised by every request: what was asked of the rows before it may be old. */
  #requests = 0;
  #requesting = 0;
  readonly #started = new Set<string>();
  #shown = '';

  constructor(id: string) {
    this.#id = id;
  }

  view(): RolloutView {
    return { status: this.#state.status, ring: this.#ring().name, apps: this.#counts.apps };
  }

  async toEnd(): Promise<RolloutResult> {
    const { facts, state } = await local.openRollout.executeWithOptions({ ...brief, summary: 'read the rollout' }, [this.#id]);
    this.#facts = facts;
    this.#state = state;
    this.#isOpen = true;
    if (state.status === 'planned') await this.#enter({ status: 'running' });
    for (let isOver = false; !isOver;) {
      await condition(() => this.#requesting === 0);
      await this.#continueAsNewWhenDue();
      try {
        isOver = await this.#step();
      } catch (error) {
        if (!isActivityFailure(error)) throw error;
        await this.#afterFault(messageOf(error));
      }
    }
    return { status: this.#state.status };
  }

  // --- messages ------------------------------------------------------------------------------------------------------

  async change(request: RolloutRequest): Promise<RolloutView> {
    await keptInHistory();
    // One after the other: each is judged by what the one before came to.
    await condition(() => this.#isOpen && this.#requesting === 0);
    this.#requesting++;
    const before = this.#state;
    try {
      if (request.app === undefined) this.#obey(request);
      const summary = `${request.verb} by ${request.actor.id ?? request.actor.kind}`;
      await local.saveRollout.executeWithOptions({ ...brief, summary }, [{ rolloutId: this.#id, state: this.#state, request }]);
    } catch (error) {
      // Refused by the rows: nothing of it holds.
      this.#state = { ...before, revision: this.#state.revision };
      throw failureOf(error);
    } finally {
      this.#requests++;
      this.#requesting--;
    }
    this.#show();
    return this.view();
  }

  /** In a scope of its own: in the one that was cancelled nothing can be waited for any more, which made runs of before ignore it. */
  async cancel(): Promise<void> {
    if (!patched('cancel-aborts')) return;
    const abort = () => this.change({ verb: 'abort', actor: { kind: 'system', id: null, roles: [] } });
    await CancellationScope.nonCancellable(abort).catch(() => undefined);
  }

  #obey({ verb }: RolloutRequest): void {
    const { status } = this.#state;
    if (status === TARGET[verb] || (verb === 'rollback' && status === 'rolled_back' && this.#sum('rollback_failed') === 0)) return;
    if (!ALLOWED[verb].includes(status)) {
      throw ApplicationFailure.nonRetryable(
        `The rollout is ${status.replace('_', ' ')}: it cannot ${verb.replace('rollback', 'be rolled back')}.`,
        'INVALID_STATE',
      );
    }
    const accepted = verb === 'resume' ? this.#failures() : this.#state.accepted;
    const error = verb === 'pause' ? this.#state.error : null;
    this.#change({ status: TARGET[verb], accepted, error, ...(verb === 'pause' || verb === 'resume' ? {} : { bakeUntil: null }) });
  }

  // --- steps ---------------------------------------------------------------------------------------------------------

  /** True when there is nothing left to do. */
  async #step(): Promise<boolean> {
    const seen = this.#requests;
    await this.#begin();
    if (seen !== this.#requests || this.#requesting > 0) return false;
    if (this.#sum('moving', 'rolling_back') > 0) await this.#watch();
    else if (this.#sum('rollback_pending') > 0 || (this.#isForward() && this.#here('pending') > 0)) await this.#untilAsked(BLOCKED_MS);
    else return this.#rest();
    await this.#stopWhenFailing();
    return false;
  }

  async #begin(): Promise<void> {
    const { ring } = this.#state;
    const { migrations, counts } = await local.beginMoves.executeWithOptions(
      { ...brief, summary: `${this.#ring().name}: plan migrations` },
      [{ rolloutId: this.#id, ring, isForward: this.#isForward(), now: new Date().toISOString() }],
    );
    this.#counts = counts;
    await Promise.all(migrations.map((migration) => this.#startMigration(migration)));
    this.#show();
    await this.#stopWhenFailing();
  }

  async #startMigration(migration: SchemaMigrationInput): Promise<void> {
    const workflowId = migrationWorkflowId(migration.app, migration.number);
    if (this.#started.has(workflowId)) return;
    this.#started.add(workflowId);
    try {
      await startChild<typeof schemaMigration>('schemaMigration', {
        workflowId,
        args: [migration],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        // A migration sees itself through, whatever becomes of the rollout.
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowTaskTimeout: '5s',
        staticSummary: `Migration ${migration.number} of ${migration.app}, by ${this.#facts.schema} ${this.#facts.version}`,
        typedSearchAttributes: [
          { key: appIdAttribute, value: migration.app },
          { key: stateAttribute, value: 'running' },
        ],
      });
    } catch (error) {
      // The sweep was quicker; its row tells the outcome.
      if (!(error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError')) throw error;
    }
  }

  async #watch(): Promise<void> {
    const { ring } = this.#state;
    const counts = await remote.watchMoves.executeWithOptions({ ...watching, summary: `${this.#ring().name}: watch migrations` }, [
      { rolloutId: this.#id, ring },
    ]);
    this.#counts = counts;
    this.#show();
  }

  /** Nothing is under way: what is next is decided by the status. True at the end. */
  async #rest(): Promise<boolean> {
    switch (this.#state.status) {
      case 'planned':
      case 'running':
        await this.#advance();
        return false;
      case 'rolling_back': {
        const failed = this.#sum('rollback_failed');
        await this.#enter({ status: 'rolled_back', error: failed === 0 ? null : `${failed} of the apps could not be moved back.` });
        return false;
      }
      case 'paused':
      case 'stopped':
        await this.#untilAsked();
        return false;
      case 'completed':
      case 'aborted':
      case 'rolled_back': {
        const seen = this.#requests;
        await condition(allHandlersFinished);
        return seen === this.#requests;
      }
    }
  }

  /** All apps of the ring have had their turn: gate, bake, gate, and the next ring. */
  async #advance(): Promise<void> {
    const { ring, bakeUntil } = this.#state;
    const isLast = ring >= this.#facts.rings.length - 1;
    if (bakeUntil !== null) await this.#untilAsked(Date.parse(bakeUntil) - Date.now());
    if (!this.#isForward() || (bakeUntil !== null && Date.parse(bakeUntil) > Date.now())) return;
    const hasMoved = this.#here('moved') > 0;
    if (hasMoved) await this.#gate();
    if (!this.#isForward()) return;
    const { bakeMs } = this.#ring();
    if (bakeUntil === null && hasMoved && !isLast && bakeMs > 0) {
      return this.#enter({ bakeUntil: new Date(Date.now() + bakeMs).toISOString() });
    }
    await this.#enter(isLast ? { status: 'completed', bakeUntil: null } : { ring: ring + 1, bakeUntil: null });
  }

  async #gate(): Promise<void> {
    const { ring } = this.#state;
    this.#counts = await remote.probeRing.executeWithOptions({ ...watching, summary: `${this.#ring().name}: health` }, [
      { rolloutId: this.#id, ring },
    ]);
    await this.#stopWhenFailing();
  }

  async #stopWhenFailing(): Promise<void> {
    const failures = this.#failures() - this.#state.accepted;
    if (!this.#isForward() || failures <= this.#facts.maxFailures) return;
    await this.#enter({ status: 'stopped', error: `${failures} of the apps failed; ${this.#facts.maxFailures} may.` });
  }

  /** An activity gave up: an operator may resume, which tries again. Where nothing is moved forward any more, time is all there is to try. */
  async #afterFault(message: string): Promise<void> {
    if (this.#isForward()) await this.#enter({ status: 'stopped', error: message });
    else await this.#untilAsked(60_000);
  }

  async #untilAsked(ms?: number): Promise<void> {
    const seen = this.#requests;
    const isAsked = (): boolean => seen !== this.#requests;
    if (ms === undefined) await condition(isAsked);
    else if (ms > 0) await condition(isAsked, ms, { summary: `${this.#ring().name}: until the next look` });
  }

  async #continueAsNewWhenDue(): Promise<void> {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    if ((continueAsNewSuggested || historyLength > MAX_HISTORY) && allHandlersFinished()) {
      await continueAsNew<typeof rollout>({ rolloutId: this.#id });
    }
  }

  // --- state ---------------------------------------------------------------------------------------------------------

  #change(changes: Partial<RolloutState>): void {
    this.#state = { ...this.#state, ...changes, revision: this.#state.revision + 1 };
  }

  async #enter(changes: Partial<RolloutState>): Promise<void> {
    this.#change(changes);
    this.#show();
    const summary = `${this.#state.status}, ${this.#ring().name}`;
    await local.saveRollout.executeWithOptions({ ...brief, summary }, [{ rolloutId: this.#id, state: this.#state }]);
  }

  #isForward(): boolean {
    return this.#state.status === 'running';
  }

  #failures(): number {
    return this.#sum('failed', 'unhealthy');
  }

  #sum(...statuses: readonly RolloutAppStatus[]): number {
    return statuses.reduce((total, status) => total + (this.#counts.apps[status] ?? 0), 0);
  }

  #here(status: RolloutAppStatus): number {
    return this.#counts.ring[status] ?? 0;
  }

  #ring(): RolloutRing {
    return this.#facts.rings[this.#state.ring] ?? { name: '', bakeMs: 0 };
  }

  /** The whole story for whoever has only the Web UI. */
  #show(): void {
    const { status, ring, bakeUntil, error } = this.#state;
    const { schema, version, rings } = this.#facts;
    const counts = Object.entries(this.#counts.apps).map(([name, count]) => `- ${name.replace('_', ' ')}: ${count}`);
    const bake = bakeUntil === null ? '' : `, watched until ${bakeUntil}`;
    setCurrentDetails(
      [
        `**\`${schema}\` to version ${version}** is ${status.replace('_', ' ')} at ring \`${this.#ring().name}\` (${ring + 1} of ${rings.length})${bake}.`,
        ...(error === null ? [] : [error]),
        counts.join('\n'),
      ].join('\n\n'),
    );
    // Each is an event of the history.
    const shown = `${status} ${bakeUntil ?? ''}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    upsertSearchAttributes([
      { key: stateAttribute, value: status },
      { key: dueAtAttribute, value: bakeUntil === null ? null : new Date(bakeUntil) },
    ]);
  }
}
