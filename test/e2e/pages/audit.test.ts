import fs from 'node:fs';
import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
let ticket: string;
withOffice(async (opened) => {
  office = opened;
  const [lead, agent] = await Promise.all([office.as('lead'), office.as('agent')]);
  const customer = (await lead('GET', '/api/helpdesk/customer?per_page=1')).at('data', 0, 'id');
  const fields = { title: '=1+1 is two', description: 'x', priority: 'low', customer_id: customer };
  const made = await lead('POST', '/api/helpdesk/ticket', fields);
  expect(made.status, made.text).toBe(201);
  ticket = String(made.at('data', 'id'));
  const changed = await agent('PATCH', `/api/helpdesk/ticket/${ticket}`, { description: 'looked at' });
  expect(changed.status, changed.text).toBe(200);
});

const savedBy = async (page: Page, button: string): Promise<string> => {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button }).click()]);
  return fs.readFileSync(await file.path(), 'utf8');
};

it('shows who changed which fields of which record, narrowed in the address, and exports just that', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_audit');
  const rows = page.getByRole('table', { name: 'Records' }).getByRole('row');
  await page.getByRole('row', { name: /ann changed Ticket.*Description.*x.*looked at/ }).waitFor();
  await look(page, 'audit');
  await page.getByRole('combobox', { name: 'Entity' }).click();
  await page.getByRole('option', { name: 'Ticket', exact: true }).click();
  await page.getByRole('textbox', { name: 'Record' }).fill(ticket);
  // The address follows a moment after the last key.
  await page.waitForURL((url) => url.searchParams.get('record') === ticket);
  await page.getByRole('combobox', { name: 'Who' }).fill('ann@');
  await page.getByRole('option', { name: 'ann@desk.test' }).click();
  await expect.poll(() => rows.count()).toBe(2);
  expect(new URL(page.url()).searchParams.get('record')).toBe(ticket);
  const exported = JSON.parse(await savedBy(page, 'Export JSON')) as { record_id: string; changes: object }[];
  expect(exported).toMatchObject([{ record_id: ticket, action: 'update', changes: { description: { old: 'x', new: 'looked at' } } }]);
  await page.reload();
  await page.getByRole('row', { name: /looked at/ }).waitFor();
  await look(page, 'audit-filtered');
  await page.getByRole('combobox', { name: 'Who' }).fill('');
  await page.keyboard.press('Escape');
  await expect.poll(() => rows.count()).toBe(3);
  const csv = await savedBy(page, 'Export CSV');
  expect(csv.split('\r\n')).toHaveLength(4);
  expect(csv).toMatch(/^at,actor,entity,record,action,version,changes\r\n/);
  await page.getByLabel('Before').fill('2020-01-01T00:00');
  await page.getByText('Nothing matches these filters.').waitFor();
  await look(page, 'audit-none');
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await page.getByRole('row', { name: /ann changed Ticket/ }).waitFor();
  for (const name of [/edit/i, /delete/i, /save/i]) expect(await page.getByRole('main').getByRole('button', { name }).count()).toBe(0);
}, 120_000);

it('walks the chain of what was done to accounts and settings, and tells whether it holds', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_audit?view=chain');
  await page.getByText(/Chain intact: \d+ entries/).waitFor();
  await page
    .getByRole('row', { name: /user\.create/ })
    .first()
    .waitFor();
  await look(page, 'audit-chain');
  await page.getByRole('textbox', { name: 'Action' }).fill('user.create');
  await expect.poll(() => page.getByRole('row', { name: /user\.create/ }).count()).toBeGreaterThanOrEqual(2);
  await expect
    .poll(() => page.getByRole('table').getByRole('row').count())
    .toBe((await page.getByRole('row', { name: /user\.create/ }).count()) + 1);
  await page.getByText(/Head: entry/).click();
  const head = (await office.admin('GET', '/api/helpdesk/_admin/audit/verify')).at('data', 'head') as { number: string; hash: string };
  await page.getByRole('region', { name: 'Hash of the head' }).getByText(`${head.number} ${head.hash}`).waitFor();
  const exported = JSON.parse(await savedBy(page, 'Export JSON')) as { action: string }[];
  expect(new Set(exported.map(({ action }) => action))).toEqual(new Set(['user.create']));
  expect(exported).toHaveLength(await page.getByRole('row', { name: /user\.create/ }).count());
}, 120_000);
