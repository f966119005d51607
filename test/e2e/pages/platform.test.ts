import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
let page: Page;
withOffice(async (opened) => {
  office = opened;
  page = await office.visit('platform', '/platform/apps', [/409/]);
});

it('makes an app from an example, and opens it', async () => {
  await page.getByRole('link', { name: 'Helpdesk', exact: true }).waitFor();
  await look(page, 'platform-apps');
  await page.getByRole('button', { name: 'New app' }).click();
  const dialog = page.getByRole('dialog', { name: 'New app' });
  await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('people');
  await dialog.getByLabel('Display name').fill('People');
  await dialog.getByRole('combobox', { name: 'an example' }).click();
  await page.getByRole('option', { name: 'employees' }).click();
  const examples = await office.admin('GET', '/api/_platform/examples');
  const records = String(examples.at('data', 1, 'records'));
  await dialog.getByText(`department, employee, leave_request, document, attendance, with ${records} records.`).waitFor();
  await look(page, 'platform-new-app');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await page.waitForURL(/\/t\/people$/);
  await page.getByRole('menuitem', { name: 'Employee' }).waitFor();
});

it('says at the form that a name is taken, and nothing is lost', async () => {
  await office.go(page, '/platform/apps');
  await page.getByRole('button', { name: 'New app' }).click();
  const dialog = page.getByRole('dialog', { name: 'New app' });
  await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('people');
  await dialog.getByRole('radio', { name: 'nothing' }).check();
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByRole('alert').waitFor();
  expect(await dialog.getByRole('textbox', { name: 'Name', exact: true }).inputValue()).toBe('people');
  await look(page, 'platform-new-app-refused');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
});

it('rolls a version out to the apps that follow a schema, and shows how far it is', async () => {
  const created = await office.admin('POST', '/api/_platform/apps', {
    name: 'branch',
    display_name: 'Branch',
    schema: 'people',
    version: 1,
  });
  expect(created.status).toBe(201);
  await office.go(page, '/platform/schemas');
  await page.getByText('branch (1)').first().waitFor();
  await look(page, 'platform-schemas');
  await page.getByRole('link', { name: 'Roll out: people' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'New rollout' });
  const versions = await office.admin('GET', '/api/_platform/schemas/people/versions');
  await dialog.getByRole('combobox', { name: 'Version' }).click();
  await page.getByRole('option', { name: String(versions.at('data', 0, 'version')), exact: true }).click();
  await look(page, 'platform-new-rollout');
  await dialog.getByRole('button', { name: 'Start' }).click();
  await page.waitForURL(/\/rollouts\/[0-9a-f-]{36}/);
  await page.getByText('2 of 2').first().waitFor();
  await page.getByText('completed', { exact: true }).waitFor();
  await look(page, 'platform-rollout');
  await office.go(page, '/platform/rollouts');
  await page.getByRole('link', { name: /people to version/ }).waitFor();
  await look(page, 'platform-rollouts');
});

it('puts an app under maintenance, keeps it to a version, removes it and calls it back', async () => {
  await office.go(page, '/platform/apps/branch');
  await page.getByRole('switch', { name: 'under maintenance' }).check();
  await page.getByText('under maintenance').first().waitFor();
  await look(page, 'platform-app');
  await page.getByRole('switch', { name: 'under maintenance' }).uncheck();
  await page.getByText('active', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Remove' }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove Branch?' });
  expect(await dialog.getByRole('button', { name: 'Remove' }).isDisabled()).toBe(true);
  await dialog.getByLabel(/Type/).fill('branch');
  await look(page, 'platform-remove-app');
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('button', { name: 'Call it back' }).click();
  await page.getByText('active', { exact: true }).waitFor();
});

it('tells how the parts are, and shows an app user nothing of the platform', async () => {
  await office.go(page, '/platform/status');
  await page.getByText('Postgres').waitFor();
  await page.getByRole('table', { name: 'Migrations of all apps' }).waitFor();
  await look(page, 'platform-status');
  const agent = await office.visit('agent', '/t/helpdesk', [/403/]);
  await office.go(agent, '/platform/apps');
  await agent.waitForURL(/\/t\/helpdesk/);
});
