/** Checks of permissions and webhooks. They may name entities that do not exist yet. */
import type { PermissionDefinition, WebhookDefinition } from '../document.ts';
import { labelOf } from '../identity.ts';
import { reviewPaths } from './rules.ts';
import type { Review } from './review.ts';

export function reviewPermissions(review: Review): void {
  review.document.permissions.forEach((permission, index) => {
    reviewPermission(review, permission, `permissions.${String(index)}`);
  });
  review.unique(
    review.document.roles.map(({ name }, index) => ({ name: name.toLowerCase(), path: `roles.${String(index)}.name` })),
    'the role name',
  );
}

function reviewPermission(review: Review, permission: PermissionDefinition, path: string): void {
  const what = `The permission ${labelOf('permissions', permission)}`;
  review.expectEntity(`${path}.entity`, permission.entity, what);
  for (const role of permission.roles) review.expectRole(`${path}.roles`, role, what);
  if (permission.entity !== '*') {
    for (const field of permission.fields?.read ?? []) review.requireField(`${path}.fields.read`, permission.entity, field);
    for (const field of permission.fields?.write ?? []) review.requireField(`${path}.fields.write`, permission.entity, field);
    for (const field of Object.keys(permission.presets ?? {})) review.requireField(`${path}.presets`, permission.entity, field);
  }
  reviewPaths(review, review.expression(`${path}.expression`, permission.expression), permission.entity, `${path}.expression`);
}

export function reviewWebhooks(review: Review): void {
  review.document.webhooks.forEach((webhook, index) => {
    reviewWebhook(review, webhook, `webhooks.${String(index)}`);
  });
}

function reviewWebhook(review: Review, webhook: WebhookDefinition, path: string): void {
  const what = `The webhook ${labelOf('webhooks', webhook)}`;
  review.expectEntity(`${path}.entity`, webhook.entity, what);
  if (webhook.as_role !== undefined) review.expectRole(`${path}.as_role`, webhook.as_role, what);
  if (webhook.entity !== '*') for (const field of webhook.fields ?? []) review.requireField(`${path}.fields`, webhook.entity, field);
  reviewPaths(review, review.expression(`${path}.condition`, webhook.condition), webhook.entity, `${path}.condition`);
  if (webhook.retry.backoff === 'custom' && webhook.retry.schedule === undefined) {
    review.error(
      `${path}.retry.schedule`,
      'required',
      `${path}: the backoff "custom" needs "schedule", a list of waits like ["5s", "1m"].`,
    );
  }
  const isAsked = !webhook.async || webhook.hook.startsWith('before_');
  const moment = webhook.hook.endsWith('_delete') ? ['record.deleted'] : ['record.created', 'record.updated'];
  if (isAsked && webhook.events?.some((event) => moment.includes(event)) === false) {
    review.find({
      id: `never-asked:${labelOf('webhooks', webhook)}`,
      level: 'warning',
      path: `${path}.events`,
      message: `${what} is asked at ${webhook.hook}, and none of its events happens there.`,
      consequence: 'It is never called.',
      fix: `Name one of ${moment.join(', ')}, or another hook.`,
    });
  }
  if (!webhook.async && webhook.hook.startsWith('after_')) {
    review.find({
      id: `sync-after:${labelOf('webhooks', webhook)}`,
      level: 'info',
      path: `${path}.async`,
      message: `${what} is synchronous but called after the write.`,
      consequence: 'Only before_write and before_delete webhooks can refuse a write.',
      fix: 'Use the hook before_write to ask first, or async: true.',
    });
  }
}
