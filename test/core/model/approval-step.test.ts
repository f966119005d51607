import { describe, expect, it } from 'vitest';
import type { AppError } from '../../../core/errors.ts';
import { readDocument } from '../../../core/model/read-document.ts';
import { reviewDocument } from '../../../core/model/review.ts';

const documentWith = (...steps: Record<string, unknown>[]): unknown => ({
  version: 1,
  entities: [],
  workflows: [
    { name: 'w', trigger: { type: 'manual' }, steps: steps.map((step, index) => ({ id: `s${index}`, type: 'approval', ...step })) },
  ],
});
const read = (step: Record<string, unknown>): unknown => readDocument(documentWith(step)).workflows[0]?.steps[0];

describe('an approval step', () => {
  it.each<[Record<string, unknown>, Record<string, unknown>]>([
    [{ assignee: 'lead' }, { assignee: { type: 'role', role: 'lead' } }],
    [
      { assignees: ['lead', 'user:ann@example.com'] },
      {
        assignee: [
          { type: 'role', role: 'lead' },
          { type: 'user', user: 'ann@example.com' },
        ],
      },
    ],
    [{ approvers: [{ type: 'role', name: 'lead' }] }, { assignee: { type: 'role', role: 'lead' } }],
    [{ assignee: { type: 'manager', path: 'record.owner', levels: 2 } }, { assignee: { type: 'manager', of: 'record.owner', level: 2 } }],
    [{ quorum: '2' }, { quorum: 2 }],
    [{ quorum: 'unanimous' }, { quorum: 'all' }],
    [
      { groups: [{ label: 'hr', approvers: 'hr', quorum: 'first' }] },
      { groups: [{ name: 'hr', assignee: { type: 'role', role: 'hr' }, quorum: 'any' }] },
    ],
    [{ reminders: '1d' }, { reminders: [{ after: '1d' }] }],
    [{ reminder: { before: '4h', repeat: '1h', times: 2 }, timeout: '1d' }, { reminders: [{ before_due: '4h', every: '1h', max: 2 }] }],
    [
      { escalation: { after: '1d', replace: 'boss' } },
      { escalate: [{ after: '1d', to: { type: 'role', role: 'boss' }, mode: 'replace' }] },
    ],
    [
      { escalate: [{ after: '1d', to: 'boss', add: true }] },
      { escalate: [{ after: '1d', to: { type: 'role', role: 'boss' }, mode: 'add' }] },
    ],
    [{ on_send_back: { goto: 'requester' } }, { on_send_back: 'requester' }],
    [{ comment_required: 'rejected' }, { comment_required: ['reject'] }],
    [
      { delegation: false, substitution: true },
      { delegation: 'forbidden', substitution: 'allowed' },
    ],
    [{ mail: { subject: 'S', body: 'T' } }, { mail: { assigned: { subject: 'S', text: 'T' }, reminder: { subject: 'S', text: 'T' } } }],
    [{ mail: false }, { mail: false }],
  ])('%j', (written, stored) => {
    expect(read(written)).toMatchObject(stored);
  });

  it('without its options is stored as it always was', () => {
    expect(read({ quorum: null, groups: [], reminders: [], on_send_back: '' })).toEqual({
      id: 's0',
      type: 'approval',
      comment_required: false,
      allow_self_approval: false,
    });
  });

  it.each<[Record<string, unknown>, string]>([
    [{ quorum: 0 }, 'quorum'],
    [{ quorum: 'most' }, 'quorum'],
    [{ reject: 'none' }, 'reject'],
    [{ escalate: [{ after: '1d' }] }, 'escalate.0.to'],
    [{ reminders: [{ after: 'soon' }] }, 'reminders.0.after'],
    [{ mail: { reminder: { subject: '', text: 3 } } }, 'mail.reminder.text'],
  ])('refuses %j', (written, at) => {
    let details: readonly { readonly path?: string }[] = [];
    try {
      read(written);
    } catch (error) {
      details = (error as AppError).details;
    }
    expect(details.map(({ path }) => path)).toContainEqual(
      expect.stringContaining(`workflows.0.steps.0.${at.split('.')[0] ?? ''}`) as string,
    );
  });

  it.each<[Record<string, unknown>, string]>([
    [{ order: 'sequence' }, 'order'],
    [{ groups: [{ assignee: 'a' }], assignee: 'b' }, 'assignee'],
    [{ groups: [{ assignee: 'a' }], quorum: 2 }, 'quorum'],
    [{ reminders: [{ before_due: '1h' }] }, 'reminders.0.before_due'],
    [{ reminders: [{ after: '1h', before_due: '1h' }], timeout: '1d' }, 'reminders.0'],
    [{ reminders: [{ after: '1h', max: 2 }] }, 'reminders.0.max'],
    [{ reminders: [{}] }, 'reminders.0'],
    [{ assignee: { type: 'manager', key: 'login' } }, 'assignee.key'],
    [{ on_send_back: 'nowhere' }, 'on_send_back'],
  ])('with %j does not fit together', (written, at) => {
    const { errors } = reviewDocument(readDocument(documentWith(written)));
    expect(errors.map(({ path }) => path)).toContain(`workflows.0.steps.0.${at}`);
  });

  it('tells of roles that nobody has, wherever they are named', () => {
    const document = {
      ...(documentWith({ groups: [{ assignee: 'one' }], escalate: [{ after: '1d', to: 'two' }] }) as object),
      roles: [{ name: 'three' }],
    };
    const { findings } = reviewDocument(readDocument(document));
    expect(findings.map(({ id }) => id.split(':').slice(0, 2).join(':'))).toEqual(
      expect.arrayContaining(['unknown-role:one', 'unknown-role:two']),
    );
  });
});
