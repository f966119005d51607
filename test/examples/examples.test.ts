import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../core/expression/expression.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { documentToYaml, exportDocument } from '../../core/model/export-document.ts';
import { buildModel } from '../../core/model/model.ts';
import { readDocument } from '../../core/model/read-document.ts';
import { reviewDocument } from '../../core/model/review.ts';
import { policyErrors } from '../../core/policy/policy.ts';

const example = (name: string): SchemaDocument =>
  readDocument(readFileSync(new URL(`../../examples/${name}.json`, import.meta.url), 'utf8'));
const helpdesk = example('helpdesk-ticketing');
const content = example('content-management');
const employees = example('employee-management');

const sizes = (document: SchemaDocument): Record<string, number> =>
  Object.fromEntries(Object.entries(document.sample_data ?? {}).map(([name, rows]) => [name, rows.length]));

describe.each([
  ['helpdesk', helpdesk],
  ['content', content],
  ['employees', employees],
])('the %s example', (_name, document) => {
  it('has no mistake and no finding', () => {
    expect(reviewDocument(document)).toEqual({ errors: [], findings: [] });
    expect(policyErrors(buildModel(document), 'app_example')).toEqual([]);
  });

  it('comes back from an export as it was', () => {
    expect(readDocument(exportDocument(document, { exportedAt: '2026-01-01T00:00:00Z' }))).toEqual(document);
    expect(readDocument(documentToYaml(document))).toEqual(document);
  });

  it('points every sample row at rows that are there', () => {
    const ids = new Set(
      Object.values(document.sample_data ?? {})
        .flat()
        .map((row) => row['id']),
    );
    const dangling = Object.values(document.sample_data ?? {})
      .flat()
      .flatMap((row) => Object.entries(row).filter(([key, value]) => key.endsWith('_id') && !ids.has(value)));
    expect(dangling).toEqual([]);
  });
});

describe('what is in them', () => {
  it('helpdesk', () => {
    expect(helpdesk.permissions).toHaveLength(7);
    expect(helpdesk.webhooks.map(({ active, url }) => active && url.startsWith('http://127.0.0.1:4010/'))).toEqual([true, true]);
    expect(sizes(helpdesk)).toEqual({ customer: 5, agent: 4, ticket: 7, response: 8 });
    expect(helpdesk.relations.map(({ name, on_delete: onDelete }) => [name, onDelete])).toEqual([
      ['ticket_customer', 'restrict'],
      ['ticket_agent', 'set_null'],
      ['ticket_responses', 'cascade'],
    ]);
    expect(helpdesk.workflows[0]).toMatchObject({ name: 'critical_ticket_escalation', trigger: { field: 'priority', to: 'critical' } });
    expect(helpdesk.workflows[0]?.steps[0]).toMatchObject({
      assignee: { type: 'role', role: 'team_lead' },
      timeout: '4h',
      on_approve: 'assign',
      on_timeout: 'assign',
      on_reject: 'end',
    });
  });

  it('content', () => {
    expect(content.permissions).toHaveLength(13);
    expect([content.webhooks.length, content.rules.length]).toEqual([2, 4]);
    expect(sizes(content)).toEqual({ author: 3, category: 4, tag: 8, post: 5, comment: 6, post_tags: 14 });
    expect(content.entities.filter(({ slug }) => slug !== undefined).map(({ name }) => name)).toEqual(['category', 'tag', 'post']);
  });

  it('employees', () => {
    expect(employees.permissions).toHaveLength(16);
    expect([employees.webhooks.length, employees.rules.length]).toEqual([3, 4]);
    expect(sizes(employees)).toEqual({ department: 4, employee: 7, leave_request: 5, attendance: 10 });
  });

  it('leave that ends before it begins is what violates the date rule, not the other way round', () => {
    const rule = employees.rules.find(({ type }) => type === 'expression');
    const expression = rule?.type === 'expression' ? rule.definition.expression : '';
    const violates = (start: string, end: string): unknown =>
      compileExpression(expression).evaluate({ record: { start_date: start, end_date: end } });
    expect(violates('2026-07-06', '2026-07-17')).toBe(false);
    expect(violates('2026-07-06', '2026-07-06')).toBe(false);
    expect(violates('2026-07-06', '2026-07-05')).toBe(true);
  });

  it.each([
    ['helpdesk', helpdesk],
    ['content', content],
    ['employees', employees],
  ])('every state a workflow of %s sets can be reached by a transition', (_name, document) => {
    for (const workflow of document.workflows) {
      for (const action of workflow.steps.flatMap((step) => (step.type === 'action' ? step.actions : []))) {
        if (action.type !== 'set_field') continue;
        const machine = document.state_machines.find(({ entity, field }) => entity === action.entity && field === action.field);
        expect(machine?.definition.transitions.map(({ to }) => to)).toContain(action.value);
      }
    }
  });

  it('granting leave at once stamps its approval: pending to approved is a transition', () => {
    const transition = employees.state_machines[0]?.definition.transitions.find(
      ({ from, to }) => to === 'approved' && from.includes('pending'),
    );
    expect(transition?.actions).toMatchObject([{ type: 'set_field', field: 'approved_at', value: 'now' }]);
  });
});
