import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AppError, type ErrorDetail } from '../../../core/errors.ts';
import { documentToYaml, exportDocument } from '../../../core/model/export-document.ts';
import { buildModel } from '../../../core/model/model.ts';
import { readDocument, readItem } from '../../../core/model/read-document.ts';
import { reviewDocument } from '../../../core/model/review.ts';

const FIXTURES = new URL('../../fixtures/documents/', import.meta.url);
const fixture = (name: string): string => readFileSync(new URL(name, FIXTURES), 'utf8');

const ticket = (extra: object = {}): object => ({
  name: 'ticket',
  table: 'tickets',
  fields: [{ name: 'title', type: 'string' }],
  ...extra,
});
const documentWith = (extra: object): object => ({ version: 1, entities: [ticket()], ...extra });

function failureOf(input: unknown): AppError {
  try {
    readDocument(input);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new AppError('INTERNAL_ERROR', 'The document was read.');
}

const detailAt = (error: AppError, path: string): ErrorDetail | undefined => error.details.find((detail) => detail.path === path);

it('is written to YAML without a character that YAML does not allow', () => {
  const odd = 'a\u0001b\u007fc\u0080d\u0085e\u009ff\ufffeg\uffffh\ttail';
  const document = readDocument({
    version: 1,
    entities: [{ name: 'thing', label: odd, fields: [{ name: 'name', type: 'string', description: odd }] }],
  });
  const text = documentToYaml(document);
  expect(text).toMatch(/^[\t\n\r\x20-\x7e\u0085\u00a0-\ufffd]*$/);
  expect(readDocument(text)).toEqual(document);
});

describe('documents of other hands', () => {
  it.each(readdirSync(FIXTURES))('%s is read unchanged, fits together, and comes back from JSON and YAML as it was', (name) => {
    const document = readDocument(fixture(name));
    expect(reviewDocument(document).errors).toEqual([]);
    expect(readDocument(exportDocument(document, { exportedAt: '2026-01-01T00:00:00Z' }))).toEqual(document);
    expect(readDocument(JSON.stringify(exportDocument(document)))).toEqual(document);
    expect(readDocument(documentToYaml(document))).toEqual(document);
    expect(readDocument(document)).toEqual(document);
    expect(buildModel(document).entities.size).toBe(document.entities.length);
  });

  it('the answer of an export is unwrapped, types and nulls become ours, expressions JSONata', () => {
    const document = readDocument(fixture('helpdesk-export.json'));
    const fields = Object.fromEntries((document.entities[1]?.fields ?? []).map((field) => [field.name, field.type]));
    expect(fields).toMatchObject({ minutes: 'int', urgent: 'boolean', due: 'timestamp', score: 'float', cost: 'decimal' });
    expect(fields).not.toHaveProperty('deleted_at');
    expect(document.permissions[0]).toMatchObject({ conditions: [] });
    expect(document.state_machines[0]?.definition.transitions[0]).toEqual({ from: 'open', to: 'assigned', roles: [], actions: [] });
    expect(document.webhooks[0]).toMatchObject({
      condition: expect.not.stringContaining('===') as string,
      headers: { 'X-Key': '{{secret.HOOK_KEY}}' },
    });
    expect(document.workflows[0]?.steps[0]).toMatchObject({ on_approve: 'assign', on_reject: 'end', on_timeout: 'assign' });
    expect(document.workflows[0]?.steps[1]).toMatchObject({
      actions: [{ type: 'set_field' }, { type: 'http', url: 'https://hooks.example.com/assigned' }],
      then: 'end',
    });
    expect(document.sample_data).toHaveProperty('customer');
    expect(document.ui_configs).toHaveLength(1);
    expect(document).not.toHaveProperty('exported_at');
  });

  it('a many_to_one is the one_to_many of the other side', () => {
    const relation = readDocument(fixture('crm.json')).relations.find(({ name }) => name === 'deal_contact');
    expect(relation).toMatchObject({
      type: 'one_to_many',
      source: 'contact',
      target: 'deal',
      target_key: 'contact_id',
      source_key: 'id',
      on_delete: 'set_null',
    });
  });

  it('a webhook that names what happened hears of that', () => {
    const read = (more: object) =>
      readDocument({ version: 1, entities: [], webhooks: [{ entity: 'a', url: 'http://a.test/', ...more }] }).webhooks[0];
    expect(read({ event: 'record.created' })).toMatchObject({ hook: 'after_write', events: ['record.created'] });
    expect(read({ events: '*' })?.events).toEqual(['record.created', 'record.updated', 'record.deleted', 'record.restored']);
    expect(read({ event: 'AfterDelete' })).toMatchObject({ hook: 'after_delete' });
    expect(() => read({ events: ['record.read'] })).toThrow();
  });

  it('a webhook inside a transition becomes a webhook that fires after the transition', () => {
    const webhook = readDocument(fixture('crm.json')).webhooks.find(({ url }) => url.endsWith('/won'));
    expect(webhook).toMatchObject({ entity: 'deal', hook: 'after_write', async: true });
    expect(webhook?.condition).toBe('action = "update" and record.stage = "won" and old.stage in ["proposal"]');
  });

  it('a list of actions is as many permissions, and "*" as a state is every other state', () => {
    expect(
      readDocument(fixture('crm.json'))
        .permissions.filter(({ roles }) => roles.includes('manager'))
        .map(({ action }) => action),
    ).toEqual(['create', 'delete']);
    const transition = readDocument(fixture('project-tracker.json')).state_machines[0]?.definition.transitions[3];
    expect(transition?.from).toEqual(['in_progress', 'review', 'done']);
  });

  it.each(['fixed', 'user'])('an assignee of type %s is a user', (type) => {
    const workflow = readItem('workflows', {
      name: 'w',
      trigger: { type: 'manual' },
      steps: [{ id: 'a', type: 'approval', assignee: { type, user: 'x@example.com' } }],
    });
    expect(workflow.steps[0]).toMatchObject({ assignee: { type: 'user', user: 'x@example.com' } });
  });

  it('a declared id without a primary key decides the type of the key', () => {
    const entity = readItem('entities', {
      name: 'a',
      fields: [
        { name: 'id', type: 'integer' },
        { name: 'b', type: 'text' },
      ],
    });
    expect(entity.primary_key).toEqual({ field: 'id', type: 'int', generated: true });
  });

  it('links let go on delete unless the document says otherwise, and an export keeps either', () => {
    const link = { name: 'x', type: 'many_to_many', source: 'a', target: 'b' };
    expect(readItem('relations', link).on_delete).toBe('detach');
    const strict = readDocument({ version: 1, relations: [{ ...link, on_delete: 'restrict' }] });
    expect(readDocument(exportDocument(strict))).toEqual(strict);
  });
});

describe('mistakes', () => {
  it('are listed all at once, each with its path', () => {
    const error = failureOf({
      version: 1,
      entities: [
        ticket({
          fields: [
            { name: 'a', type: 'strin' },
            { name: 'B', type: 'int' },
          ],
        }),
        ticket({ name: 'x', fields: [] }),
      ],
      webhooks: [{ entity: 'ticket', url: 'ftp://x', retries: 1 }],
      rules: [{ entity: 'ticket', type: 'expression', definition: { expression: 'record.a == (' } }],
    });
    expect(error.code).toBe('VALIDATION_FAILED');
    expect(error.details.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        'entities.0.fields.0.type',
        'entities.0.fields.1.name',
        'entities.1.fields',
        'webhooks.0.url',
        'webhooks.0.retries',
        'rules.0.definition.expression',
      ]),
    );
    expect(detailAt(error, 'webhooks.0.retries')).toMatchObject({ rule: 'unknown', near: expect.arrayContaining(['retry']) as string[] });
    expect(detailAt(error, 'entities.0.fields.0.type')?.message).toContain('not "strin"');
  });

  it.each<[string, unknown, string]>([
    ['a version that is not 1', { version: 2 }, 'version'],
    ['no version', { entities: [] }, 'version'],
    ['an unknown section', { version: 1, entites: [] }, 'entites'],
    ['a missing name', { version: 1, entities: [{ fields: [{ name: 'a', type: 'int' }] }] }, 'entities.0.name'],
    [
      'an unknown step type',
      documentWith({ workflows: [{ name: 'w', trigger: { type: 'manual' }, steps: [{ id: 'a', type: 'dance' }] }] }),
      'workflows.0.steps.0.type',
    ],
    [
      'an unknown trigger type',
      documentWith({ workflows: [{ name: 'w', trigger: { type: 'moon' }, steps: [{ id: 'a', type: 'wait', duration: '1h' }] }] }),
      'workflows.0.trigger.type',
    ],
    ['a workflow without steps', documentWith({ workflows: [{ name: 'w', trigger: { type: 'manual' }, steps: [] }] }), 'workflows.0.steps'],
    ['an unknown rule type', documentWith({ rules: [{ entity: 'ticket', type: 'magic', definition: {} }] }), 'rules.0.type'],
    [
      'a machine without transitions',
      documentWith({ state_machines: [{ entity: 'ticket', field: 'title', definition: { initial: 'a', transitions: [] } }] }),
      'state_machines.0.definition.transitions',
    ],
    [
      'a field option of another type',
      documentWith({ rules: [{ entity: 'ticket', type: 'field', definition: { field: 'title', operator: 'almost' } }] }),
      'rules.0.definition.operator',
    ],
  ])('%s is refused at its path', (_what, input, path) => {
    const error = failureOf(input);
    expect(error.code).toBe('VALIDATION_FAILED');
    expect(error.details.map((detail) => detail.path)).toContain(path);
  });

  it.each([
    ['{"version": 1,', 'JSON'],
    ['version: [1', 'YAML'],
    ['a: &x [*x, *x]\nb: {', 'YAML'],
  ])('text that is no document (%s) is INVALID_PAYLOAD', (text, format) => {
    const error = failureOf(text);
    expect(error.code).toBe('INVALID_PAYLOAD');
    expect(error.message).toContain(format);
  });

  it.each([['[]'], ['null'], ['"text"'], ['just words']])('a value that is no object (%s) is refused', (text) => {
    expect(failureOf(text).code).toBe('VALIDATION_FAILED');
  });

  it('a YAML text that grows by its aliases is refused, not expanded', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 9; i++)
      lines.push(
        `a${String(i)}: &a${String(i)} [${Array(10)
          .fill(`*a${String(i - 1)}`)
          .join(', ')}]`,
      );
    expect(failureOf(lines.join('\n')).code).toBe('INVALID_PAYLOAD');
  });

  it('a key named __proto__ is an unknown key and reaches no prototype', () => {
    const error = failureOf('{"version": 1, "__proto__": {"polluted": true}, "sample_data": {"__proto__": [{"x": 1}]}}');
    expect(error.code).toBe('VALIDATION_FAILED');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('messages', () => {
  it.each<[object, string, string]>([
    [
      { permissions: [{ entity: 'ticket', action: 'read', roles: [] }] },
      'permissions.0.roles',
      'permissions.0.roles must have at least 1 entry.',
    ],
    [{ entities: [{ name: 'a', fields: [] }] }, 'entities.0.fields', 'entities.0.fields is refused: an entity needs at least one field.'],
    [{ settings: { max_per_page: 0 } }, 'settings.max_per_page', 'settings.max_per_page must be at least 1.'],
    [{ entities: [{ name: 5, fields: [{ name: 'a', type: 'int' }] }] }, 'entities.0.name', 'entities.0.name must be text.'],
    [{ rules: {} }, 'rules', 'rules must be a list.'],
  ])('%j', (extra, path, message) => {
    expect(detailAt(failureOf(documentWith(extra)), path)?.message).toBe(message);
  });
});

describe('what comes later is refused with its path', () => {
  const step = (extra: object): object =>
    documentWith({ workflows: [{ name: 'w', trigger: { type: 'manual' }, steps: [{ id: 'a', ...extra }] }] });

  it.each<[string, unknown]>([
    ['views', documentWith({ views: [{ name: 'x' }] })],
    ['isolation', documentWith({ isolation: 'database' })],
    ['settings.retention', documentWith({ settings: { retention: { events: '90d' } } })],
    ['workflows.0.steps.0.actions.0.type', step({ type: 'action', actions: [{ type: 'transform', expression: '1' }] })],
    [
      'state_machines.0.definition.transitions.0.actions.0',
      documentWith({
        state_machines: [
          {
            entity: 'ticket',
            field: 'title',
            definition: { initial: 'a', transitions: [{ from: 'a', to: 'b', actions: [{ type: 'send_event', event: 'x' }] }] },
          },
        ],
      }),
    ],
  ])('%s', (path, input) => {
    const error = failureOf(input);
    expect(error.code).toBe('UNSUPPORTED');
    expect(error.details.map((detail) => detail.path)).toContain(path);
  });

  it('an empty section that comes later is no use of it', () => {
    expect(readDocument(documentWith({ slas: [], views: null })).entities).toHaveLength(1);
  });

  it('a webhook in a transition cannot be told by a single machine, so the admin API refuses it', () => {
    const machine = {
      entity: 'ticket',
      field: 'title',
      initial: 'a',
      transitions: [{ from: 'a', to: 'b', actions: [{ type: 'webhook', url: 'https://x.example' }] }],
    };
    expect(() => readItem('state_machines', machine)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }) as AppError);
  });
});

describe('single items', () => {
  it('carry the path they are given', () => {
    expect(() => readItem('permissions', { entity: 'ticket', action: 'dance', roles: [] }, 'permission')).toThrow(
      expect.objectContaining({
        details: expect.arrayContaining([expect.objectContaining({ path: 'permission.action' })]) as ErrorDetail[],
      }) as AppError,
    );
  });

  it('get the same defaults as in a document', () => {
    expect(readItem('webhooks', { entity: 'ticket', url: 'https://x.example' })).toEqual({
      entity: 'ticket',
      hook: 'after_write',
      url: 'https://x.example',
      method: 'POST',
      headers: {},
      async: true,
      ordered: false,
      active: true,
      retry: { max_attempts: 8, backoff: 'exponential', initial: '5s' },
    });
  });
});
