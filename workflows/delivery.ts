/** Retries of one delivery: one activity whose own retries follow the webhook's schedule, so a 72-hour story is a few events. */
import { ApplicationFailure, patched, proxyActivities, setCurrentDetails, sleep, upsertSearchAttributes } from '@temporalio/workflow';
import type { DeliveryActivities } from '../activities/webhook.ts';
import { attempt } from './activity-options.ts';
import { dueAtAttribute, stateAttribute } from './contracts/search-attributes.ts';
import type { AttemptResult, DeliveryInput } from './contracts/types.ts';

const { deliver } = proxyActivities<DeliveryActivities>(attempt);

export async function delivery(input: DeliveryInput): Promise<AttemptResult> {
  const { webhook, eventSeq, round, entity, recordId, delayMs } = input;
  const about = entity === undefined ? '' : ` (${entity} ${recordId ?? ''})`;
  const say = (what: string): void => setCurrentDetails(`Webhook ${webhook}, event ${eventSeq}${about}, round ${round}: ${what}.`);
  if (delayMs > 0) {
    say('waiting after the first attempt');
    await sleep(delayMs, { summary: 'after the first attempt' });
  }
  say('being attempted; its activity tells how often, why it failed and when it is tried again');
  try {
    const result = await deliver.executeWithOptions({ ...attempt, summary: `attempts of round ${round}` }, [input]);
    say(result.reason === null ? result.outcome : `${result.outcome}, ${result.reason}`);
    if (patched('delivery-state')) {
      upsertSearchAttributes([
        { key: stateAttribute, value: result.outcome },
        { key: dueAtAttribute, value: null },
      ]);
    }
    return result;
  } catch (error) {
    // Only a defect of ours gets here: what receivers do is an outcome, not an error.
    throw ApplicationFailure.create({ type: 'INTERNAL_ERROR', message: 'The delivery could not be carried out.', cause: error as Error });
  }
}
