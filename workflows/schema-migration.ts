import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  ContinueAsNew,
  log,
  ParentClosePolicy,
  patched,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { DdlActivities, MigrationRef } from '../activities/ddl.ts';
import type { Step } from '../core/change/step.ts';
import { failureOf } from './activity-failure.ts';
import { answering, brief } from './activity-options.ts';
import type { contract } from './contract.ts';
import { contractWorkflowId } from './contracts/ids.ts';
import { changeMigrationUpdate } from './contracts/messages.ts';
import { appIdAttribute, stateAttribute } from './contracts/search-attributes.ts';
import type { MigrationRequest, SchemaMigrationInput, SchemaMigrationResult } from './contracts/types.ts';
import { keptInHistory } from './kept-in-history.ts';
import { applyPhase, type PhaseEnd } from './migration-phase.ts';

const local = proxyLocalActivities<DdlActivities>(brief);
const { changeSchemaMigration } = proxyLocalActivities<DdlActivities>(answering);

/** One schema migration: expand, switch, wait until every api process serves the new version, settle; then its contract takes over. */
export async function schemaMigration(input: SchemaMigrationInput): Promise<SchemaMigrationResult> {
  const run = new Migration(input);
  // An update, not a signal: the caller must learn at once whether it counted.
  setHandler(changeMigrationUpdate, (request) => run.change(request));
  const showState = (state: string): void =>
    upsertSearchAttributes([
      { key: appIdAttribute, value: input.app },
      { key: stateAttribute, value: state },
    ]);
  showState('running');
  const result = await run.toEnd();
  showState(result.status);
  setCurrentDetails(
    result.error === undefined
      ? `Migration ${input.number}: ${result.status}`
      : `Migration ${input.number}: ${result.status}. ${result.error}`,
  );
  await condition(allHandlersFinished);
  return result;
}

const FIRST_LOOK_MS = 60_000;
const LAST_LOOK_MS = 3_600_000;

class Migration {
  readonly #input: SchemaMigrationInput;
  readonly #migration: MigrationRef;
  #isApproved: boolean;
  #isCalledOff = false;
  /** Requests that counted: whoever was held looks again after each. */
  #words = 0;
  #patienceMs = FIRST_LOOK_MS;

  constructor(input: SchemaMigrationInput) {
    this.#input = input;
    this.#migration = { app: input.app, migrationId: input.migrationId };
    this.#isApproved = input.needsApproval !== true;
  }

  async change(request: MigrationRequest): Promise<{ status: string }> {
    await keptInHistory();
    try {
      const changed = await changeSchemaMigration({ ...this.#migration, request });
      if (request.verb === 'approve') this.#isApproved = true;
      if (request.verb === 'abort' || request.verb === 'reject') this.#isCalledOff = true;
      this.#words++;
      return changed;
    } catch (error) {
      throw failureOf(error);
    }
  }

  async toEnd(): Promise<SchemaMigrationResult> {
    let switched: { readonly event: number; readonly isBreaking: boolean };
    try {
      const reached = await this.#toSwitch();
      if ('status' in reached) return reached;
      switched = reached;
    } catch (error) {
      if (error instanceof ContinueAsNew) throw error;
      const reason = reasonOf(error);
      log.warn('the migration is taken back', { reason });
      this.#say(`taking back, because ${reason}`);
      await local.failSchemaMigration({ ...this.#migration, reason });
      return { status: 'failed', error: reason };
    }
    this.#say('waiting until every api process serves the new version');
    await local.awaitApiLeases({ ...this.#migration, event: switched.event });
    await applyPhase(this.#migration, 'settle');
    if (!switched.isBreaking) {
      await local.completeSchemaMigration(this.#migration);
      return { status: 'completed' };
    }
    await local.openGracePeriod({ ...this.#migration, now: new Date().toISOString() });
    const { app, migrationId, number } = this.#input;
    try {
      await startChild<typeof contract>('contract', {
        workflowId: contractWorkflowId(app, number),
        args: [{ app, migrationId, number }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `Grace and retention of migration ${number} of ${app}`,
        typedSearchAttributes: [
          { key: appIdAttribute, value: app },
          { key: stateAttribute, value: 'grace' },
        ],
      });
    } catch (error) {
      // This run was started again after one that had come this far.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    return { status: 'ready' };
  }

  async #toSwitch(): Promise<SchemaMigrationResult | { readonly event: number; readonly isBreaking: boolean }> {
    if (!this.#isApproved) {
      this.#say('waiting for approval');
      await condition(() => this.#isApproved || this.#isCalledOff);
      if (this.#isCalledOff) return this.#calledOff();
      await local.checkApprovedPlan(this.#migration);
    }
    // Histories from before there were backfills have no next phase in their answers.
    for (let phase: Step['phase'] | undefined = 'expand'; phase !== undefined;) {
      this.#say(DOING[phase] ?? phase);
      const words = this.#words;
      const ended: PhaseEnd = await applyPhase(this.#migration, phase);
      if (ended.kind === 'ended') return { status: ended.status, ...(ended.error === undefined ? {} : { error: ended.error }) };
      if (ended.kind === 'done') phase = ended.next;
      else if (ended.isCalledOff || !(await this.#isReleased(words))) return this.#calledOff();
    }
    for (;;) {
      this.#say('switching to the new version');
      const words = this.#words;
      const { event, isBreaking, isCalledOff } = await local.switchSchemaVersion(this.#migration);
      // Histories from before there were breaking migrations have no such member.
      if (event !== null) return { event, isBreaking: isBreaking === true };
      if (isCalledOff === true || !(await this.#isReleased(words))) return this.#calledOff();
    }
  }

  /**
   * After its row said that it is held: true when it is worth looking again, false when it was called off. The row is the truth; the
   * timer is for a word that changed the row while its update was lost.
   */
  async #isReleased(words: number): Promise<boolean> {
    this.#say(this.#isCalledOff ? 'called off' : 'paused');
    const isAsked = await condition(() => this.#words !== words || this.#isCalledOff, this.#patienceMs, {
      summary: 'until it is looked at again',
    });
    this.#patienceMs = isAsked ? FIRST_LOOK_MS : Math.min(this.#patienceMs * 2, LAST_LOOK_MS);
    if (!this.#isCalledOff) await this.#continueWhenDue();
    return !this.#isCalledOff;
  }

  /** One that is paused for months looks at its row again and again. How far it has come stands there. */
  async #continueWhenDue(): Promise<void> {
    if (!workflowInfo().continueAsNewSuggested || !allHandlersFinished() || !patched('continue-migration')) return;
    await continueAsNew<typeof schemaMigration>({ ...this.#input, needsApproval: false });
  }

  async #calledOff(): Promise<SchemaMigrationResult> {
    this.#say('taking back, because it was called off');
    await local.abortSchemaMigration(this.#migration);
    return { status: 'aborted' };
  }

  #say(what: string): void {
    setCurrentDetails(`Migration ${this.#input.number}: ${what}`);
  }
}

const DOING: Partial<Record<Step['phase'], string>> = {
  expand: 'adding what the new version needs',
  backfill: 'filling what is new',
  verify: 'checking that old and new agree',
};

function reasonOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure || cause instanceof Error ? cause.message : String(cause);
}
