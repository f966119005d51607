import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
withOffice((opened) => void (office = opened));

async function choose(page: Page, label: string, option: string | RegExp): Promise<void> {
  await page.getByRole('combobox', { name: label, exact: true }).click();
  await page.getByRole('option', { name: option }).first().click();
}

const BASE = '/t/helpdesk/_permissions';

it('gives a role a permission by clicking: who gains access stands first, and the simulator says why', async () => {
  const page = await office.visit('platform', BASE);
  await page.getByRole('table', { name: 'What each role may do with each entity' }).waitFor();
  await look(page, 'permissions-matrix');
  await page.getByRole('button', { name: 'agent may delete Ticket: denied' }).click();
  await page.getByText('No permission grants this.').waitFor();
  await look(page, 'permissions-cell');
  await page.getByRole('button', { name: 'Grant or deny this' }).click();
  const form = page.getByRole('dialog', { name: 'New permission' });
  await form.getByRole('button', { name: 'Add a condition' }).click();
  await form.getByRole('combobox', { name: 'Field or path' }).fill('status');
  await form.getByRole('combobox', { name: 'Value' }).fill('closed');
  await look(page, 'permissions-form');
  await form.getByRole('button', { name: 'Put into the draft' }).click();
  await form.waitFor({ state: 'hidden' });
  await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByRole('button', { name: 'agent may delete Ticket: by condition, by the draft' }).waitFor();

  await page.getByRole('button', { name: 'Review and publish' }).click();
  const gains = page.getByRole('region', { name: 'Who gains access' });
  await gains.getByRole('row', { name: /role agent.*Ticket: delete.*denied → by condition/ }).waitFor();
  await gains.getByRole('row', { name: /ann@desk\.test.*Ticket: delete.*\+\d/ }).waitFor();
  await page.getByRole('region', { name: 'Who loses access' }).getByText('Nobody.').waitFor();
  await look(page, 'permissions-publish');
  // Nothing holds before it is published.
  expect(await deleting()).toBe(403);
  await page.getByRole('button', { name: 'Publish', exact: true }).click();
  await page.getByText(/Published as version/).waitFor();
  await page.getByRole('button', { name: 'agent may delete Ticket: by condition', exact: true }).click();
  await page.getByRole('link', { name: 'Open in the simulator' }).click();
  await page.getByRole('region', { name: 'Allowed for some records' }).waitFor();
  await choose(page, 'On this record', 'Label printer stops after ten pages');
  await page.getByRole('region', { name: 'Denied' }).getByText('No grant holds for the stored record').waitFor();
  expect(page.url()).toContain('role=agent&entity=ticket&action=delete&record=');
  await page.reload();
  await page.getByRole('row', { name: /its condition does not hold for the record/ }).waitFor();
  await look(page, 'permissions-simulator');
}, 90_000);

/** What the agent is answered about a ticket that is not closed: 403 without any grant, 404 beyond one. */
async function deleting(): Promise<number> {
  const agent = await office.as('agent');
  const [ticket] = (await agent('GET', '/api/helpdesk/ticket?filter[status]=in_progress')).at('data') as { id: string }[];
  return (await agent('DELETE', `/api/helpdesk/ticket/${ticket?.id ?? ''}`)).status;
}

it('shows who loses access by a removal, for one user with the records that go, and keeps the draft over a reload', async () => {
  const page = await office.visit('platform', `${BASE}/list`);
  await page.getByRole('button', { name: 'Remove: agent, team_lead may read every entity' }).click();
  await page.getByText('removed').waitFor();
  await page.reload();
  await page.getByText('One edit is not published.').waitFor();
  await look(page, 'permissions-list');
  await page.getByRole('tab', { name: 'Simulator' }).click();
  await page.getByRole('button', { name: 'A user' }).click();
  await choose(page, 'User', /ann@desk\.test/);
  await choose(page, 'Entity', 'Ticket');
  await page.getByRole('region', { name: 'With the draft' }).getByText('Denied').waitFor();
  await page.getByRole('list', { name: 'Go with the draft' }).getByRole('link').first().waitFor();
  await look(page, 'permissions-draft-simulated');
  await page.getByRole('button', { name: 'Review and publish' }).click();
  const loses = page.getByRole('region', { name: 'Who loses access' });
  await loses.getByRole('row', { name: /ann@desk\.test.*Ticket: read.*allowed → denied.*−\d/ }).waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('dialog', { name: 'Discard the draft?' }).getByRole('button', { name: 'Discard' }).click();
  await page.getByText('One edit is not published.').waitFor({ state: 'hidden' });
}, 90_000);

it('refuses what could not be saved while it is a draft, keeps roles, and is not there for those who may not', async () => {
  const page = await office.visit('platform', `${BASE}/roles`);
  await page.getByRole('button', { name: 'New role' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('auditor');
  await page.getByRole('button', { name: 'Publish role' }).click();
  await page.getByRole('row', { name: /auditor/ }).waitFor();
  await look(page, 'permissions-roles');
  await page.getByRole('tab', { name: 'All permissions' }).click();
  await page.getByRole('button', { name: 'New permission' }).click();
  const form = page.getByRole('dialog', { name: 'New permission' });
  await form.getByRole('combobox', { name: 'Roles' }).fill('auditor');
  await page.keyboard.press('Enter');
  await choose(page, 'Entity', 'Ticket');
  await form.getByRole('textbox', { name: 'And this expression' }).fill("record.title ~> $uppercase = 'X'");
  await form.getByRole('button', { name: 'Put into the draft' }).click();
  await form.getByRole('alert').first().waitFor();
  await look(page, 'permissions-refused');
  const lead = await office.visit('lead', BASE);
  await lead.getByText('There is no such page.').waitFor();
  expect((await (await office.as('lead'))('POST', '/api/helpdesk/_admin/permissions/impact', { draft: [{}] })).status).toBe(403);
}, 90_000);
