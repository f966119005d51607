/**
 * What is left of a migration after its switch. It holds only what its changes name, so an app may have many of these at once: they
 * wait, each on one timer, and act when the grace is over and nobody speaks the older shape any more.
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  patched,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { DdlActivities, MigrationRef } from '../activities/ddl.ts';
import { brief } from './activity-options.ts';
import { contractNowUpdate } from './contracts/messages.ts';
import { dueAtAttribute, stateAttribute } from './contracts/search-attributes.ts';
import type { ContractInput, ContractResult } from './contracts/types.ts';
import { keptInHistory } from './kept-in-history.ts';
import { applyPhase } from './migration-phase.ts';

const local = proxyLocalActivities<DdlActivities>(brief);

export async function contract(input: ContractInput): Promise<ContractResult> {
  const { app, migrationId, number, asked } = input;
  const migration: MigrationRef = { app, migrationId };
  const wanted: Wanted = { contract: asked !== undefined, drop: asked?.drop === true, words: 0 };
  setHandler(contractNowUpdate, async ({ drop }) => {
    await keptInHistory();
    wanted.contract = true;
    wanted.words++;
    if (drop) wanted.drop = true;
  });
  const say = (state: string, what: string, dueAt?: string): void => {
    upsertSearchAttributes([
      { key: stateAttribute, value: state },
      { key: dueAtAttribute, value: dueAt === undefined ? null : new Date(dueAt) },
    ]);
    setCurrentDetails(`Migration ${number}: ${what}`);
  };

  const graceUntil = await local.openGracePeriod({ ...migration, now: now() });
  say('grace', 'the older shape is served', graceUntil);
  if (await condition(() => wanted.contract, until(graceUntil), { summary: 'the grace' })) await answered();
  const event = await endGrace(input, wanted, say);
  if (event === undefined) return { status: 'superseded' };
  say('contract', 'waiting until no api process serves the older shape');
  await local.awaitApiLeases({ ...migration, event });
  await applyPhase(migration, 'contract');

  const retentionUntil = await local.openRetentionPeriod({ ...migration, now: now() });
  say('retention', 'what was dropped can be brought back', retentionUntil);
  if (await condition(() => wanted.drop, until(retentionUntil), { summary: 'the retention' })) await answered();
  say('purge', 'taking away what was dropped');
  await applyPhase(migration, 'purge');
  await local.completeSchemaMigration(migration);
  say('completed', 'completed');
  await condition(allHandlersFinished);
  return { status: 'completed' };
}

/** What follows may wait for locks inside of one workflow task: the one before ends first, and with it goes the answer to whoever asked. */
const answered = (): Promise<void> => keptInHistory('answer who asked');

interface Wanted {
  contract: boolean;
  drop: boolean;
  /** How often it was asked for. */
  words: number;
}

const now = (): string => new Date().toISOString();
/** At least a millisecond: a timer of none is no timer. */
const until = (time: string): number => Math.max(1, Date.parse(time) - Date.now());

/** The event with which it ended; undefined when there is nothing to contract any more. */
async function endGrace(
  input: ContractInput,
  wanted: Readonly<Wanted>,
  say: (state: string, what: string) => void,
): Promise<number | undefined> {
  const migration: MigrationRef = { app: input.app, migrationId: input.migrationId };
  for (;;) {
    const { contract: isForced, words } = wanted;
    const ended = await local.endGracePeriod({ ...migration, now: now(), isForced });
    if (ended.kind === 'closed') return undefined;
    if (ended.kind === 'ended') return ended.event;
    say('grace', `waiting for ${ended.reason}`);
    // Asked once more, it looks once more: what it waited for may have been mended.
    if (await condition(() => wanted.words !== words, Math.max(1, ended.forMs), { summary: `look again: ${ended.reason}` }))
      await answered();
    await continueWhenDue(input, wanted);
  }
}

/** Values may wait for their repair for months, and each look is in the history. What stands in the row needs no carrying. */
async function continueWhenDue({ app, migrationId, number }: ContractInput, wanted: Readonly<Wanted>): Promise<void> {
  if (!workflowInfo().continueAsNewSuggested || !allHandlersFinished() || !patched('continue-contract')) return;
  const next: ContractInput = { app, migrationId, number };
  await continueAsNew<typeof contract>(wanted.contract ? { ...next, asked: { drop: wanted.drop } } : next);
}
