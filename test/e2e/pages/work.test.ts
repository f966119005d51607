/** Approvals, absences, runs and clocks, as those see them who decide and those who operate. */
import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { eventually, type Caller } from '../../support/api.ts';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
let agent: Caller;
let lead: Page;
let operator: Page;

const GONE = '00000000-0000-7000-8000-00000000dead';
const TITLES = ['Server room is flooding', 'Roof has gone', 'Lift stands still', 'Coffee is cold'];

async function tickets(titles: readonly string[]): Promise<void> {
  const customer = await agent('GET', '/api/helpdesk/customer?per_page=1');
  for (const title of titles) {
    const body = { title, description: 'As it says', priority: 'critical', customer_id: customer.at('data', 0, 'id') };
    expect((await agent('POST', '/api/helpdesk/ticket', body)).status).toBe(201);
  }
}

withOffice(async (opened) => {
  office = opened;
  agent = await office.as('agent');
  await office.admin('POST', '/api/helpdesk/_admin/users', { email: 'max@desk.test', password: 'longer-password', roles: ['team_lead'] });
  await tickets(TITLES);
  await eventually(
    () => office.admin('GET', '/api/helpdesk/_workflows/pending'),
    (reply) => reply.at('meta', 'total') === TITLES.length,
  );
  lead = await office.visit('lead', '/t/helpdesk/_approvals');
});

const card = (page: Page): ReturnType<Page['getByRole']> => page.getByRole('article').filter({ hasText: String(TITLES[0]) });

it('shows what waits, with who has to sign and until when, and after a decision what came next', async () => {
  await card(lead).getByText('0 of 1').waitFor();
  await card(lead).getByText(/^due/).waitFor();
  // What is in Temporal is of all apps: it is for accounts of the platform.
  expect(await card(lead).getByText('Open in Temporal').count()).toBe(0);
  await look(lead, 'approvals');
  await card(lead).getByLabel('Comment').fill('Pumps are on their way');
  await card(lead).getByRole('button', { name: 'Approve' }).click();
  await lead.getByText(/^Approved: /).waitFor();
  await card(lead).waitFor({ state: 'detached' });
});

it('gives a part to somebody else, says when there is nobody of that name, and approves several at once', async () => {
  const other = lead.getByRole('article').filter({ hasText: String(TITLES[1]) });
  await other.getByRole('button', { name: 'Delegate' }).click();
  const dialog = lead.getByRole('dialog', { name: 'Delegate' });
  await dialog.getByLabel(/To/).fill('nobody@desk.test');
  await dialog.getByRole('button', { name: 'Delegate' }).click();
  await dialog.getByRole('alert').waitFor();
  await look(lead, 'approvals-delegate');
  await dialog.getByLabel(/To/).fill('max@desk.test');
  await dialog.getByRole('button', { name: 'Delegate' }).click();
  await dialog.waitFor({ state: 'detached' });
  await lead.getByText('Delegated').waitFor();
  const choices = lead.getByRole('checkbox', { name: /^Choose/ });
  await choices.nth(0).check();
  await choices.nth(1).check();
  await lead.getByRole('button', { name: 'Approve the chosen' }).click();
  await lead.getByText('2 of 2 approved.').waitFor();
});

it('keeps its filters in the address, and says so when nothing is left', async () => {
  await lead.getByRole('tab', { name: 'All open' }).click();
  // The address says whether it is on, so it turns a moment after the click.
  await lead.getByRole('switch', { name: 'Overdue only' }).click();
  await lead.getByText('Nothing waits for anybody.').waitFor();
  expect(lead.url()).toContain('who=all');
  await lead.reload();
  await lead.getByText('Nothing waits for anybody.').waitFor();
  expect(await lead.getByRole('switch', { name: 'Overdue only' }).isChecked()).toBe(true);
  await look(lead, 'approvals-empty');
});

it('lets one name a substitute for days away', async () => {
  await office.go(lead, '/t/helpdesk/_absences');
  await lead.getByText('Nobody is away.').waitFor();
  await lead.getByRole('button', { name: 'New absence' }).first().click();
  const dialog = lead.getByRole('dialog', { name: 'New absence' });
  await dialog.getByLabel(/Substitute/).fill('ann@desk.test');
  await dialog.getByLabel('From').fill('2030-08-01');
  await dialog.getByLabel('Until').fill('2030-08-15');
  await look(lead, 'absences-new');
  await dialog.getByRole('button', { name: 'Enter' }).click();
  await lead.getByText('not now').waitFor();
  await look(lead, 'absences');
});

it('shows operators where runs are stuck, and lets them retry one with other values', async () => {
  const workflow = {
    name: 'relabel',
    trigger: { type: 'manual' },
    context: { target: `"${GONE}"` },
    steps: [
      {
        id: 'label',
        type: 'action',
        actions: [{ type: 'update_record', entity: 'customer', record_id: 'context.target', fields: { company: 'Found' } }],
      },
    ],
    active: true,
  };
  const made = await office.admin('POST', '/api/helpdesk/_admin/workflows', workflow);
  expect(made.status, made.text).toBeLessThan(300);
  for (let count = 0; count < 3; count += 1) {
    const started = await office.admin('POST', '/api/helpdesk/_workflows/start/relabel', { context: {} });
    expect(started.status, started.text).toBeLessThan(300);
  }
  await eventually(
    () => office.admin('GET', '/api/helpdesk/_admin/runs?status=stuck'),
    (reply) => (reply.at('data', 'length') as number) === 3,
  );
  operator = await office.visit('platform', '/t/helpdesk/_runs');
  await operator.getByRole('table', { name: 'Where runs are, most first' }).waitFor();
  await look(operator, 'runs');
  await operator.getByRole('button', { name: /^Show: relabel stuck/ }).click();
  await operator.getByRole('link', { name: 'relabel' }).first().waitFor();
  expect(operator.url()).toContain('status=stuck');
  await look(operator, 'runs-stuck');
  await operator.getByRole('link', { name: 'relabel' }).first().click();
  await operator.getByRole('region', { name: 'What happened' }).waitFor();
  await look(operator, 'run');
  await operator.getByRole('button', { name: 'Retry' }).click();
  const dialog = operator.getByRole('dialog', { name: 'Retry' });
  const customer = await agent('GET', '/api/helpdesk/customer?per_page=1');
  await dialog.getByRole('textbox', { name: /Values/ }).fill(`{"target": "${String(customer.at('data', 0, 'id'))}"}`);
  await look(operator, 'run-retry');
  await dialog.getByRole('button', { name: 'Retry' }).click();
  await operator.getByText('completed', { exact: true }).first().waitFor();
});

it('does one thing to all that match, and shows how far it is', async () => {
  await office.go(operator, '/t/helpdesk/_runs?status=stuck&workflow=relabel');
  await operator.getByRole('button', { name: 'Cancel run' }).click();
  const dialog = operator.getByRole('dialog', { name: 'Cancel run: 2 runs' });
  await look(operator, 'runs-operate');
  await dialog.getByRole('button', { name: 'Cancel run' }).click();
  await operator.getByText('2 of 2 done, 0 failed').waitFor();
  await operator.getByText('No run is like that.').waitFor();
  await operator.getByRole('tab', { name: 'Failed starts' }).click();
  await operator.getByText('Every workflow that was to start has started.').waitFor();
  await look(operator, 'runs-starts');
});

it('shows the clocks of SLAs with what is left, and others no button of operators', async () => {
  await office.go(operator, '/t/helpdesk/_clocks');
  await operator.getByText('first_response').first().waitFor();
  await look(operator, 'clocks');
  const other = await office.visit('agent', '/t/helpdesk/_runs');
  await other
    .getByRole('link', { name: /critical ticket escalation/ })
    .first()
    .click();
  await other.getByRole('region', { name: 'What happened' }).waitFor();
  expect(await other.getByRole('button', { name: 'Cancel run' }).count()).toBe(0);
});
