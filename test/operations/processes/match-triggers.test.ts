import { describe, expect, it } from 'vitest';
import { documentSchema } from '../../../core/model/document.ts';
import { EMPTY_DOCUMENT } from '../../../core/model/merge.ts';
import type { AppRuntime } from '../../../operations/context.ts';
import type { EventRow } from '../../../operations/events.ts';
import { matchTriggers } from '../../../operations/processes/match-triggers.ts';
import { createAppRuntime } from '../../../operations/registry-runtimes.ts';

const END = [{ id: 'end_of_it', type: 'wait', duration: '1s' }];

function appWith(...triggers: readonly Record<string, unknown>[]): AppRuntime {
  const workflows = triggers.map((trigger, i) => ({
    id: `w${i}`,
    name: `w${i}`,
    trigger: { entity: 'ticket', ...trigger },
    steps: END,
    active: trigger['active'] ?? true,
  }));
  for (const workflow of workflows) delete (workflow.trigger as Record<string, unknown>)['active'];
  const document = documentSchema.parse({
    ...EMPTY_DOCUMENT,
    entities: [
      { name: 'customer', fields: [{ name: 'tier', type: 'string' }] },
      {
        name: 'ticket',
        fields: [
          { name: 'priority', type: 'string' },
          { name: 'price', type: 'decimal' },
          { name: 'customer', type: 'relation', target: 'customer' },
        ],
      },
    ],
    workflows,
  });
  return createAppRuntime({
    id: 'a',
    name: 'a',
    displayName: 'A',
    storage: 'app_a',
    status: 'active',
    schemaName: 'a',
    version: 3,
    document,
  });
}

const event = (changes: Partial<EventRow>): EventRow => ({
  seq: '7',
  at: '2026-01-01T00:00:00Z',
  app: 'a',
  entity: 'ticket',
  record_id: 't1',
  action: 'update',
  record_version: '2',
  schema_version: 3,
  actor: { kind: 'user', id: 'u1', roles: ['agent'] },
  record: { priority: 'critical', price: '10.50' },
  old: { priority: 'low' },
  cause: null,
  depth: 0,
  ...changes,
});
const matched = (app: AppRuntime, changes: Partial<EventRow> = {}): string[] =>
  matchTriggers(app, event(changes)).map(({ definition }) => definition.name);

describe('state_change', () => {
  const change = { type: 'state_change', field: 'priority' };

  it('matches any field, on update and on create, and nothing that did not change', () => {
    const app = appWith({ ...change, to: 'critical' });
    expect(matched(app)).toEqual(['w0']);
    expect(matched(app, { action: 'create', old: null })).toEqual(['w0']);
    expect(matched(app, { old: { price: '1.00' } })).toEqual([]);
    expect(matched(app, { action: 'delete', record: null, old: { priority: 'critical' } })).toEqual([]);
    expect(matched(app, { entity: 'customer' })).toEqual([]);
  });

  it('takes from and to as one value or several; a creation comes from nothing', () => {
    const app = appWith({ ...change, from: ['low', 'high'], to: ['critical'] }, { ...change, from: 'high' }, { ...change, from: null });
    expect(matched(app)).toEqual(['w0']);
    expect(matched(app, { old: { priority: 'high' } })).toEqual(['w0', 'w1']);
    expect(matched(app, { action: 'create', old: null })).toEqual(['w2']);
  });

  it('compares exact numbers with the numbers of the document', () => {
    expect(matched(appWith({ type: 'state_change', field: 'price', to: 10.5 }), { old: { price: '1.00' } })).toEqual(['w0']);
  });
});

describe('the other triggers', () => {
  it('match their action, and not when switched off', () => {
    const app = appWith(
      { type: 'record_created' },
      { type: 'record_updated' },
      { type: 'record_deleted' },
      { type: 'record_created', active: false },
      { type: 'manual' },
    );
    expect(matched(app, { action: 'create', old: null })).toEqual(['w0']);
    expect(matched(app)).toEqual(['w1']);
    expect(matched(app, { action: 'delete', record: null, old: {} })).toEqual(['w2']);
    expect(matched(app, { action: 'custom' })).toEqual([]);
  });
});

describe('a condition', () => {
  it('over the event is decided at once, over a deleted record too', () => {
    const app = appWith(
      { type: 'record_updated', condition: 'record.priority = "critical" and old.priority = "low"' },
      { type: 'record_deleted', condition: 'record.priority = "low"' },
    );
    expect(matched(app)).toEqual(['w0']);
    expect(matched(app, { old: { priority: 'high' } })).toEqual([]);
    expect(matched(app, { action: 'delete', record: null, old: { priority: 'low' } })).toEqual(['w1']);
  });

  it('over related records is left to the run', () => {
    const [start] = matchTriggers(appWith({ type: 'record_updated', condition: 'record.customer.tier = "gold"' }), event({}));
    expect(start?.input.definition.condition).toBe('record.customer.tier = "gold"');
    expect(matchTriggers(appWith({ type: 'record_updated' }), event({}))[0]?.input.definition.condition).toBeUndefined();
  });
});

describe('a start', () => {
  it('has an id made of the event and the definition, and the same run id every time', () => {
    const app = appWith({ type: 'record_updated' });
    const [first] = matchTriggers(app, event({}));
    expect(first).toMatchObject({
      workflowId: 'process/a/7.w0',
      input: { app: 'a', schemaVersion: 3, trigger: { eventSeq: '7', recordId: 't1', actor: { id: 'u1' }, depth: 0 } },
    });
    expect(matchTriggers(app, event({}))[0]?.input.runId).toBe(first?.input.runId);
  });

  it('does not happen beyond eight effects in a row', () => {
    const app = appWith({ type: 'record_updated' });
    expect(matched(app, { depth: 8 })).toEqual(['w0']);
    expect(matched(app, { depth: 9 })).toEqual([]);
  });
});
