import { AppError, nearestNames } from '../../core/errors.ts';
import type { WebhookDefinition } from '../../core/model/document.ts';
import type { AppRuntime } from '../context.ts';

/** The served webhook of an id; 404 where there is none. */
export function requireWebhook(app: AppRuntime, webhookId: string): WebhookDefinition {
  const { webhooks } = app.model.document;
  const hook = webhooks.find((candidate) => candidate.id === webhookId);
  if (hook !== undefined) return hook;
  const near = nearestNames(
    webhookId,
    webhooks.flatMap((candidate) => candidate.id ?? []),
  );
  throw new AppError('NOT_FOUND', `There is no webhook "${webhookId}".`, near.length === 0 ? {} : { hint: `Near: ${near.join(', ')}.` });
}
