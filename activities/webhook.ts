import { activityInfo, ApplicationFailure } from '@temporalio/activity';
import type { Services } from '../operations/context.ts';
import { attemptDelivery, hasPredecessor } from '../operations/webhooks/attempt.ts';
import type { AttemptResult, DeliveryInput } from '../workflows/contracts/types.ts';

export interface DeliveryActivities {
  /** One attempt; throws with the time of the next one until the delivery has ended. */
  deliver(input: DeliveryInput): Promise<AttemptResult>;
}

export function createDeliveryActivities(services: Services): DeliveryActivities {
  return {
    async deliver(input) {
      const app = await services.registry.byId(input.app);
      if (app === undefined) return { outcome: 'dead', delayMs: null, reason: 'The app no longer exists.' };
      const hook = app.model.document.webhooks.find((candidate) => candidate.id === input.webhook);
      if (hook?.ordered === true && (await hasPredecessor(services, app, input.deliveryId))) {
        throw ApplicationFailure.create({
          type: 'WAITING',
          message: 'An earlier change of the record is not delivered yet.',
          nextRetryDelay: Math.min(250 * activityInfo().attempt, 10_000),
        });
      }
      const result = await attemptDelivery(services, app, { id: input.deliveryId, webhook: input.webhook }, 'workflow');
      if (result.outcome !== 'retry') return result;
      throw ApplicationFailure.create({
        type: 'NOT_DELIVERED',
        message: result.reason ?? 'The receiver did not take it.',
        nextRetryDelay: result.delayMs ?? 5_000,
      });
    },
  };
}
