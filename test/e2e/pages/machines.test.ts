import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
withOffice((opened) => void (office = opened));

async function open(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Ticket: status' }).click();
  await page.getByRole('region', { name: 'Diagram of Ticket: status' }).getByText('in_progress', { exact: true }).waitFor();
}

it('marks beginnings and ends, counts records, and edits a transition that holds once it is published', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_machines');
  await page.getByRole('link', { name: 'Ticket: status' }).waitFor();
  await look(page, 'machines');
  await open(page);
  const diagram = page.getByRole('region', { name: 'Diagram of Ticket: status' });
  await diagram.getByText(/^initial/).waitFor();
  const rows = page.getByRole('region', { name: 'States', exact: true });
  const tickets = (await office.admin('GET', '/api/helpdesk/ticket?filter[status]=in_progress&count=exact')).at('meta', 'total');
  await rows.getByRole('row', { name: new RegExp(`^in_progress .*${String(tickets)}`) }).waitFor();
  await look(page, 'machine');

  await page.getByRole('button', { name: 'New transition' }).click();
  const form = page.getByRole('dialog', { name: 'New transition' });
  await form.getByRole('combobox', { name: 'To' }).fill('rejected');
  await form.getByRole('combobox', { name: 'Roles that may' }).fill('team_lead');
  await page.keyboard.press('Enter');
  await form.getByRole('textbox', { name: 'Only if this is true' }).fill("record.priority = 'low'");
  await form.getByRole('textbox', { name: 'Message when the guard refuses' }).fill('Only unimportant tickets are rejected.');
  await look(page, 'machine-transition');
  await form.getByRole('button', { name: 'Take over' }).click();
  await rows.getByRole('row', { name: /^rejected final 0/ }).waitFor();
  await page.getByRole('button', { name: 'Publish machine' }).click();
  await page
    .getByText(/is not among the values|Published as version/)
    .first()
    .waitFor();
  await look(page, 'machine-published');
}, 90_000);

it('shows the way of one record, and exactly the moves that the API allows, for other roles too', async () => {
  const lead = await office.as('lead');
  const customer = (await lead('GET', '/api/helpdesk/customer?per_page=1')).at('data', 0, 'id');
  const made = await lead('POST', '/api/helpdesk/ticket', { title: 'Walks its way', description: 'x', customer_id: customer });
  const id = String(made.at('data', 'id'));
  await lead('PATCH', `/api/helpdesk/ticket/${id}`, { status: 'assigned' });
  const page = await office.visit('platform', '/t/helpdesk/_machines');
  await open(page);
  await page.getByRole('combobox', { name: 'Record of Ticket' }).fill('Walks');
  await page.getByRole('option', { name: 'Walks its way' }).click();
  await page
    .getByRole('row', { name: /open → assigned/ })
    .filter({ hasText: '20' })
    .first()
    .waitFor();
  expect(page.url()).toContain(`record=${id}`);
  const moves = page.getByRole('region', { name: 'Where it may go' });
  await moves.getByText('allowed').first().waitFor();
  const [field] = (await office.admin('GET', `/api/helpdesk/ticket/${id}/_transitions`)).at('data') as {
    transitions: { to: string; allowed: boolean }[];
  }[];
  const allowed = (field?.transitions ?? []).filter((each) => each.allowed).map(({ to }) => to);
  const shown = await moves.getByRole('row').filter({ hasText: 'allowed' }).locator('strong').allTextContents();
  expect(shown.sort()).toEqual(allowed.sort());
  await look(page, 'machine-path');
}, 90_000);

it('makes a machine for a field that has none, and takes it away again', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_machines');
  await page.getByRole('button', { name: 'New state machine' }).click();
  const form = page.getByRole('dialog', { name: 'New state machine' });
  await form.getByRole('combobox', { name: 'Field' }).click();
  await page.getByRole('option', { name: 'Response: author_type' }).click();
  await form.getByRole('combobox', { name: 'Initial state' }).fill('agent');
  await form.getByRole('combobox', { name: 'Leads to' }).fill('customer');
  await page.keyboard.press('Tab');
  await look(page, 'machine-new');
  await form.getByRole('button', { name: 'Publish machine' }).click();
  await page.getByText(/Published as version/).waitFor();
  await page.getByRole('button', { name: 'Delete machine' }).click();
  const asked = page.getByRole('dialog');
  await asked.getByRole('textbox').fill('author_type');
  await look(page, 'machine-delete');
  await asked.getByRole('button', { name: 'Delete machine' }).click();
  await page.getByText(/Published as version/).waitFor();
  await page.getByRole('link', { name: 'Response: author_type' }).waitFor({ state: 'hidden' });
}, 90_000);
