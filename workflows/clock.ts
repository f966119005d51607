/**
 * The clock of an SLA for one record. It holds its row's id and one timer: every look reads what happened and works the clock out
 * anew in an activity, so a change of the record, of the calendar or of the definition, a late worker and a restart are one
 * case. Marks fire beside each other: a server that does not answer a warning holds up no breach.
 */
import {
  condition,
  continueAsNew,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { ClockActivities } from '../activities/clock.ts';
import { codeOf, isActivityFailure, messageOf } from './activity-failure.ts';
import { brief, effect, inTask, outbound } from './activity-options.ts';
import { lookAgainSignal } from './contracts/messages.ts';
import { OUTBOUND_QUEUE } from './contracts/queues.ts';
import { dueAtAttribute, entityAttribute, MAX_KEYWORD, recordIdAttribute, stateAttribute } from './contracts/search-attributes.ts';
import type { ClockInput, ClockLook, ClockMark, ClockResult, FoundClock } from './contracts/types.ts';
import { oneAtATime } from './one-at-a-time.ts';

const local = oneAtATime(proxyLocalActivities<ClockActivities>(brief));
const writing = proxyActivities<ClockActivities>(effect);
const calling = proxyActivities<ClockActivities>({ ...outbound, taskQueue: OUTBOUND_QUEUE });

/** After a look that failed for a defect of ours. */
const TRY_AGAIN = '10m';

export async function clock(input: ClockInput): Promise<ClockResult> {
  let heard = 0;
  setHandler(lookAgainSignal, () => {
    heard++;
  });
  const firing = new Map<string, Promise<void>>();
  for (;;) {
    const seen = heard;
    const found = await look(input);
    if (found === 'failed') {
      await condition(() => heard !== seen, TRY_AGAIN, { summary: 'look again after a failure' });
      continue;
    }
    if (found.status === 'gone') return { status: 'gone' };
    show(found);
    for (const mark of found.due) {
      if (!firing.has(mark.key))
        firing.set(
          mark.key,
          fire(input, mark).finally(() => firing.delete(mark.key)),
        );
    }
    if (found.status === 'ended') {
      await Promise.all(firing.values());
      return { status: found.state === 'met' || found.state === 'breached' ? found.state : 'cancelled' };
    }
    if (workflowInfo().continueAsNewSuggested && firing.size === 0) await continueAsNew<typeof clock>(input);
    await untilNext(found, () => heard !== seen);
  }
}

async function look(input: ClockInput): Promise<ClockLook | 'failed'> {
  try {
    return await local.assessClock.executeWithOptions({ ...brief, summary: 'look at the clock' }, [{ ...input, now: timeNow() }]);
  } catch (error) {
    if (!isActivityFailure(error)) throw error;
    if (codeOf(error) === 'APP_NOT_FOUND') return { status: 'gone' };
    return 'failed';
  }
}

function show({ name, entity, recordId, state, isPaused, dueAt }: FoundClock): void {
  upsertSearchAttributes([
    { key: stateAttribute, value: state },
    { key: entityAttribute, value: entity },
    { key: recordIdAttribute, value: recordId.slice(0, MAX_KEYWORD) },
    { key: dueAtAttribute, value: dueAt === null ? null : new Date(dueAt) },
  ]);
  setCurrentDetails(
    `**${name}** is ${state}${isPaused && state !== 'paused' ? ' and paused' : ''}${dueAt === null ? '' : `, due ${dueAt}`}.`,
  );
}

/** A clock that is paused, or has nothing ahead, holds no timer. */
async function untilNext({ nextAt, name }: FoundClock, isTold: () => boolean): Promise<void> {
  if (nextAt === null) await condition(isTold);
  else await condition(isTold, Math.max(1, Date.parse(nextAt) - Date.now()), { summary: `${name}: next mark` });
}

async function fire(input: ClockInput, mark: ClockMark): Promise<void> {
  let error: string | null = null;
  for (const [index, type] of mark.actions.entries()) {
    try {
      await act({ ...input, mark, index, now: timeNow() }, type);
    } catch (failure) {
      if (!isActivityFailure(failure)) throw failure;
      error ??= `${type}: ${messageOf(failure)}`;
    }
  }
  await local.noteClockMark.executeWithOptions({ ...brief, summary: `${mark.key} has fired` }, [{ ...input, mark, now: timeNow(), error }]);
}

/**
 * What is not somebody else's server is asked in the task in which the mark falls due: hundreds that fall due at one moment, after an
 * outage, fire twice as fast as with an activity and a task more for each.
 */
function act(given: Parameters<ClockActivities['performClockAction']>[0], type: string): Promise<void> {
  const summary = `${given.mark.key}: ${type}`;
  if (type === 'http') return calling.performClockAction.executeWithOptions({ ...outbound, taskQueue: OUTBOUND_QUEUE, summary }, [given]);
  if (patched('clock-effects-in-task')) return local.performClockAction.executeWithOptions({ ...inTask, summary }, [given]);
  return writing.performClockAction.executeWithOptions({ ...effect, summary }, [given]);
}

const timeNow = (): string => new Date().toISOString();
