import { expect, it } from 'vitest';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

interface Exported {
  readonly entities: readonly { readonly name: string; readonly fields: readonly object[] }[];
}

let office: BackOffice;
withOffice(async (opened) => {
  office = opened;
  const { admin } = office;
  const before = (await admin('GET', '/api/helpdesk/_admin/export')).at('data') as Exported;
  const entities = before.entities.map((entity) =>
    entity.name === 'ticket' ? { ...entity, fields: [...entity.fields, { name: 'urgency', type: 'string' }] } : entity,
  );
  expect((await admin('POST', '/api/helpdesk/_admin/versions', { ...before, entities })).status).toBe(201);
  expect((await admin('POST', '/api/helpdesk/_admin/versions?confirm=drop', before)).status).toBe(201);
});

it('lists what changed with each version, shows its document and compares any two', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_versions');
  const table = page.getByRole('table', { name: 'Versions' });
  await table.waitFor();
  await table.getByText('ticket.urgency').first().waitFor();
  await look(page, 'versions');
  await table.getByRole('link', { name: 'Version 2', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Version 2' }).waitFor();
  await page.getByRole('textbox', { name: 'Document' }).waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download YAML' }).click()]);
  expect(download.suggestedFilename()).toBe('helpdesk-v2.yaml');
  await page.getByRole('button', { name: 'JSON', exact: true }).click();
  await page.getByRole('button', { name: 'Download JSON' }).waitFor();
  expect(page.url()).toContain('format=json');
  await look(page, 'version');
  await page.getByRole('link', { name: 'Compare with version 1' }).click();
  await page.getByText(/Field ticket.urgency added/).waitFor();
  await page.getByRole('textbox', { name: 'Version 1 beside version 2: +' }).waitFor();
  await look(page, 'versions-compare');
  await page.getByRole('combobox', { name: 'To' }).click();
  await page.getByRole('option', { name: 'Version 3' }).click();
  await page.getByText('The two are the same.').waitFor();
  await page.reload();
  await page.getByText('The two are the same.').waitFor();
}, 90_000);

it('rolls back after the plan was read, and asks for the name of what is dropped', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_versions');
  await page.getByRole('link', { name: 'Roll back: Version 2' }).click();
  await page.getByRole('heading', { level: 1, name: 'Roll back to version 2' }).waitFor();
  await page.getByRole('button', { name: 'SQL of step 1' }).waitFor();
  await page.getByRole('button', { name: 'SQL of step 1' }).click();
  await page.getByRole('textbox', { name: /^SQL / }).waitFor();
  await look(page, 'version-rollback');
  await page.getByRole('button', { name: 'Roll back', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Migration to version 4' }).waitFor();
  await office.go(page, '/t/helpdesk/_versions/3/rollback');
  const act = page.getByRole('button', { name: 'Roll back', exact: true });
  await act.waitFor();
  expect(await act.isDisabled()).toBe(true);
  await page.getByRole('textbox', { name: /This drops values/ }).fill('ticket.urgency');
  await look(page, 'version-rollback-drop');
  await act.click();
  await page.getByRole('heading', { level: 1, name: 'Migration to version 5' }).waitFor();
}, 90_000);

it('says of an app that follows another what it follows, and moves it', async () => {
  await office.admin('POST', '/api/_platform/apps', { name: 'branch', schema: 'helpdesk', version: 1 });
  const page = await office.visit('platform', '/t/branch/_versions');
  await page.getByText('This app follows the schema “helpdesk”').waitFor();
  await look(page, 'versions-followed');
  await page.getByRole('link', { name: 'Move to this version: Version 2' }).click();
  await page.getByRole('button', { name: 'Move to this version' }).click();
  await page.getByRole('heading', { level: 1, name: 'Migration to version 2' }).waitFor();
}, 90_000);

it('is for admins', async () => {
  const page = await office.visit('agent', '/t/helpdesk/_versions');
  await page.getByText('There is no such page.').waitFor();
}, 90_000);
