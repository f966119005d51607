import { expect, it } from 'vitest';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
withOffice((opened) => void (office = opened));

it('finds pages and entities by a few letters', async () => {
  const page = await office.visit('platform', '/t/helpdesk');
  await page.getByRole('list', { name: 'Data' }).waitFor();
  expect(await page.title()).toBe('Helpdesk · Durabase');
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('tick');
  await look(page, 'palette');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/t\/helpdesk\/ticket/);
  await page.getByRole('link', { name: 'Label printer stops after ten pages' }).waitFor();
});

it('lists its shortcuts, and obeys none while somebody types', async () => {
  const page = await office.visit('agent', '/t/helpdesk');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').pressSequentially('?g a');
  expect(page.url()).not.toContain('_approvals');
  await page.getByText('Nothing is called that.').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await page.waitForURL(/_approvals/);
});

it('speaks German and is dark when asked to, and stays so', async () => {
  // The scripts that are held back in the end.
  const page = await office.visit('agent', '/t/helpdesk', [/ERR_FAILED/]);
  const account = page.getByRole('button', { name: /ann@desk.test/ });
  await account.click();
  await look(page, 'account');
  await page.getByRole('menuitemradio', { name: 'Deutsch' }).click();
  await page.getByRole('menuitem', { name: 'Freigaben' }).waitFor();
  await account.click();
  await page.getByRole('menuitemradio', { name: 'Dunkel' }).click();
  await page.reload();
  await page.getByRole('menuitem', { name: 'Freigaben' }).waitFor();
  expect(await page.evaluate('document.documentElement.lang')).toBe('de');
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(15, 18, 22)');
  // Before any of its scripts has come the window is dark already, though the system is light.
  await page.route('**/assets/*.js', (route) => route.abort());
  await page.reload();
  expect(await page.evaluate('getComputedStyle(document.documentElement).colorScheme')).toBe('dark');
});

it('keeps the session when something is refused, and ends it when it has ended', async () => {
  const page = await office.visit('agent', '/t/helpdesk', [/403/]);
  const refusal = { error: { code: 'FORBIDDEN', message: 'Not for you.', details: [], request_id: 'r-1' } };
  await page.route('**/api/helpdesk/_absences*', (route) => route.fulfill({ status: 403, json: refusal }));
  await page.getByRole('menuitem', { name: 'Absences' }).click();
  await page.getByText('Not for you.').waitFor();
  await look(page, 'refused');
  const agent = await office.as('agent');
  expect((await agent('DELETE', '/api/helpdesk/auth/sessions?all=true')).status).toBe(200);
  await page.getByRole('menuitem', { name: 'Approvals' }).click();
  await page.getByLabel('Password').waitFor();
  expect(page.url()).toContain('_approvals');
});

it('tells nobody of pages and apps that are not theirs', async () => {
  const page = await office.visit('agent', '/t/helpdesk', [/404/]);
  expect(await page.getByRole('menuitem', { name: 'Versions' }).count()).toBe(0);
  await office.go(page, '/t/helpdesk/_versions');
  await page.getByText('There is no such page.').waitFor();
  await look(page, 'not-found');
  await office.go(page, '/t/someone-elses');
  await page.getByText('There is no such app, or it is not for you.').waitFor();
});
