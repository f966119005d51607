/** What stands beside a record: its story, what people say about it, what waits and how a program reaches it. */
import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { eventually } from '../../support/api.ts';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
let page: Page;
let ticket: string;

withOffice(async (opened) => {
  office = opened;
  const agent = await office.as('agent');
  const customer = await agent('GET', '/api/helpdesk/customer?per_page=1');
  const body = {
    title: 'The lift stands still',
    description: 'Between two floors',
    priority: 'critical',
    customer_id: customer.at('data', 0, 'id'),
  };
  const made = await agent('POST', '/api/helpdesk/ticket', body);
  ticket = String(made.at('data', 'id'));
  await agent('PATCH', `/api/helpdesk/ticket/${ticket}`, { description: 'Between three floors' });
  await eventually(
    () => agent('GET', '/api/helpdesk/_workflows/pending'),
    (reply) => reply.at('meta', 'total') === 1,
  );
  page = await office.visit('lead', `/t/helpdesk/ticket/${ticket}/show`);
});

it('tells what happened to it, with the old and the new value, and puts a value back', async () => {
  const story = page.getByRole('list', { name: 'Activity' });
  await story.getByText('Between three floors').waitFor();
  await page.getByRole('region', { name: 'Waiting for a decision' }).waitFor();
  await page.getByRole('group', { name: 'SLA clocks of this record' }).waitFor();
  await look(page, 'record-activity');
  await story.getByRole('button', { name: 'Put back' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Put these values back?' });
  await look(page, 'record-put-back');
  await dialog.getByRole('button', { name: 'Put back' }).click();
  await dialog.waitFor({ state: 'detached' });
  const agent = await office.as('agent');
  expect((await agent('GET', `/api/helpdesk/ticket/${ticket}`)).at('data', 'description')).toBe('Between two floors');
});

it('takes comments, and lets their author change and delete them', async () => {
  const story = page.getByRole('list', { name: 'Activity' });
  await page.getByLabel(/Write a comment/).fill('Somebody is on the way');
  await page.getByRole('button', { name: 'Comment', exact: true }).click();
  const said = story.getByRole('listitem').filter({ hasText: 'Somebody is on the way' });
  await said.waitFor();
  await said.getByRole('button', { name: 'Edit' }).click();
  await story.getByRole('textbox', { name: 'Comments' }).fill('Somebody is there');
  await story.getByRole('button', { name: 'Save' }).click();
  const changed = story.getByRole('listitem').filter({ hasText: 'Somebody is there' });
  await changed.getByText('edited').waitFor();
  await page.getByRole('group', { name: 'Show' }).getByRole('button', { name: 'Comments' }).click();
  await look(page, 'record-comments');
  await changed.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await changed.waitFor({ state: 'detached' });
});

it('shows how a program reads and changes it, at an address of its own', async () => {
  await page.getByRole('tab', { name: 'API' }).click();
  await page.getByText(`/api/helpdesk/ticket/${ticket}`).first().waitFor();
  expect(page.url()).toContain('side=api');
  await look(page, 'record-api');
});

it('takes the decision that waits at the record itself', async () => {
  await page.getByRole('tab', { name: 'Activity' }).click();
  await page.getByRole('region', { name: 'Waiting for a decision' }).getByRole('button', { name: 'Approve' }).click();
  await page.getByRole('region', { name: 'Waiting for a decision' }).waitFor({ state: 'detached' });
});
