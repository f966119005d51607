/** The first page of an app: what waits for whoever looks. */
import { expect, it } from 'vitest';
import { eventually, type Caller } from '../../support/api.ts';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
let agent: Caller;

withOffice(async (opened) => {
  office = opened;
  agent = await office.as('agent');
  const customer = await agent('GET', '/api/helpdesk/customer?per_page=1');
  for (const title of ['Server room is flooding', 'Roof has gone']) {
    const body = { title, description: 'As it says', priority: 'critical', customer_id: customer.at('data', 0, 'id') };
    expect((await agent('POST', '/api/helpdesk/ticket', body)).status).toBe(201);
  }
  await eventually(
    () => office.admin('GET', '/api/helpdesk/_workflows/pending'),
    (reply) => reply.at('meta', 'total') === 2,
  );
});

it('shows what waits for a decision, what is late or soon due, and the last changes, each a link to where it is', async () => {
  const page = await office.visit('lead', '/t/helpdesk');
  const approvals = page.getByRole('region', { name: 'Waiting for your decision' });
  await approvals.getByText('2', { exact: true }).waitFor();
  await approvals.getByText('Roof has gone').waitFor();
  await page
    .getByRole('region', { name: 'Last changes' })
    .getByText(/^ann created this/)
    .first()
    .waitFor();
  expect(await page.getByText('Migrations under way').count()).toBe(0);
  await look(page, 'home-lead');
  await approvals.getByRole('link', { name: 'See all: Waiting for your decision' }).click();
  await page.waitForURL(/_approvals/);
  await page.goBack();
  await page.getByRole('list', { name: 'Data' }).getByRole('link', { name: 'Customer' }).click();
  await page.waitForURL(/\/t\/helpdesk\/customer/);
});

it('counts down once something is decided', async () => {
  const lead = await office.as('lead');
  const page = await office.visit('lead', '/t/helpdesk');
  const approvals = page.getByRole('region', { name: 'Waiting for your decision' });
  await approvals.getByText('2', { exact: true }).waitFor();
  const task = (await lead('GET', '/api/helpdesk/_workflows/pending?assignee=me')).at('data', 0, 'id');
  expect((await lead('POST', `/api/helpdesk/_workflows/${String(task)}/approve`, {})).status).toBe(200);
  await page.reload();
  await approvals.getByText('1', { exact: true }).waitFor();
});

it('tells an admin of the schema and of what is stuck, and an empty app where to begin', async () => {
  expect((await office.admin('POST', '/api/_platform/apps', { name: 'fresh', display_name: 'Fresh start' })).status).toBe(201);
  const page = await office.visit('platform', '/t/helpdesk');
  await page.getByText(/^Schema version \d+/).waitFor();
  await look(page, 'home-admin');
  await office.go(page, '/t/fresh');
  await page.getByText('Nothing waits for you.').waitFor();
  await page.getByText('This app has no entities yet.').waitFor();
  await look(page, 'home-empty');
});
