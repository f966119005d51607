/** Retries of one delivery: one activity whose own retries follow the webhook's schedule, so a 72-hour story is a few events. */
import { ApplicationFailure, proxyActivities, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { DeliveryActivities } from '../activities/webhook.ts';
import { attempt } from './activity-options.ts';
import type { AttemptResult, DeliveryInput } from './contracts/types.ts';

const { deliver } = proxyActivities<DeliveryActivities>(attempt);

export async function delivery(input: DeliveryInput): Promise<AttemptResult> {
  setCurrentDetails(`Webhook ${input.webhook}, event ${input.eventSeq}, round ${input.round}`);
  if (input.delayMs > 0) await sleep(input.delayMs, { summary: 'after the first attempt' });
  try {
    return await deliver.executeWithOptions({ ...attempt, summary: `attempts of round ${input.round}` }, [input]);
  } catch (error) {
    // Only a defect of ours gets here: what receivers do is an outcome, not an error.
    throw ApplicationFailure.create({ type: 'INTERNAL_ERROR', message: 'The delivery could not be carried out.', cause: error as Error });
  }
}
