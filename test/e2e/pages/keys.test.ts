import { afterAll, expect, it } from 'vitest';
import { freePort } from '../../../infra/local/system.ts';
import { callerOf } from '../../support/api.ts';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';
import { startIdp, type Idp } from '../../support/oidc.ts';

let office: BackOffice;
let idp: Idp;
withOffice(async (opened) => {
  office = opened;
  idp = await startIdp([
    {
      client_id: 'helpdesk',
      client_secret: 'the secret of tests',
      redirect_uris: [`${office.stack.url}/api/helpdesk/auth/oidc/company/callback`],
    },
  ]);
});
afterAll(() => idp?.close());

const keyShownIn = async (page: Awaited<ReturnType<BackOffice['visit']>>): Promise<string> => {
  const text = (await page.getByRole('dialog').getByRole('region', { name: 'Key' }).textContent()) ?? '';
  await page.getByRole('button', { name: 'I have kept it' }).click();
  return text.trim();
};

it('makes a key with scopes, roles and an expiry, shows it once, rotates and revokes it', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_keys');
  await page.getByText('There are no API keys.').waitFor();
  await look(page, 'keys-none');
  await page.getByRole('button', { name: 'New API key' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Billing');
  await dialog.getByRole('combobox', { name: 'Scopes' }).fill('ticket:re');
  await page.getByRole('option', { name: 'ticket:read' }).click();
  await page.keyboard.press('Escape');
  await dialog.getByRole('radio', { name: 'Roles of its own' }).check();
  await dialog.getByRole('combobox', { name: 'Roles' }).fill('agent');
  await page.keyboard.press('Enter');
  await look(page, 'key-new');
  await dialog.getByRole('button', { name: 'Make key' }).click();
  await page.getByRole('dialog', { name: 'The key “Billing”' }).waitFor();
  await look(page, 'key-shown');
  const first = await keyShownIn(page);
  const as = (key: string): ReturnType<typeof callerOf> => callerOf(office.stack.url, key);
  expect((await as(first)('GET', '/api/helpdesk/ticket?per_page=1')).status).toBe(200);
  expect((await as(first)('GET', '/api/helpdesk/customer?per_page=1')).status).toBe(403);
  await page.reload();
  await page.getByRole('row', { name: /Billing.*ticket:read.*agent.*in use/ }).waitFor();
  expect(await page.content()).not.toContain(first);
  await look(page, 'keys');
  await page.getByRole('button', { name: 'Edit key Billing' }).click();
  await dialog.getByRole('combobox', { name: 'Scopes' }).fill('customer:read');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await dialog.getByRole('combobox', { name: 'Expires' }).click();
  await page.getByRole('option', { name: 'never' }).last().click();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('row', { name: /Billing.*customer:read.*never/ }).waitFor();
  expect((await as(first)('GET', '/api/helpdesk/customer?per_page=1')).status).toBe(200);
  await page.getByRole('button', { name: 'Rotate key Billing' }).click();
  await look(page, 'key-rotate');
  await dialog.getByRole('button', { name: 'Rotate' }).click();
  const second = await keyShownIn(page);
  expect((await as(first)('GET', '/api/helpdesk/ticket?per_page=1')).status).toBe(401);
  expect((await as(second)('GET', '/api/helpdesk/ticket?per_page=1')).status).toBe(200);
  await page.getByRole('button', { name: 'Revoke key Billing' }).click();
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('row', { name: /Billing.*revoked/ }).waitFor();
  expect((await as(second)('GET', '/api/helpdesk/ticket?per_page=1')).status).toBe(401);
}, 120_000);

it('says what is wrong with a key, and makes one that acts as another user', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_keys');
  await page.getByRole('button', { name: 'New API key' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('As Ann');
  await dialog.getByRole('combobox', { name: 'Scopes' }).fill('everything');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await dialog.getByRole('button', { name: 'Make key' }).click();
  await dialog.getByText(/must look like "ticket:read"/).waitFor();
  await look(page, 'key-refused');
  await dialog.getByRole('button', { name: 'Read everything' }).click();
  await dialog.getByRole('radio', { name: 'Another user' }).check();
  await dialog.getByRole('combobox', { name: 'User' }).fill('ann');
  await page.getByRole('option', { name: 'ann@desk.test' }).click();
  await dialog.getByRole('button', { name: 'Make key' }).click();
  const key = await keyShownIn(page);
  const me = await callerOf(office.stack.url, key)('GET', '/api/helpdesk/auth/me');
  expect(me.at('data')).toMatchObject({ kind: 'api_key', email: 'ann@desk.test', scopes: ['*:read'] });
  await page.getByRole('row', { name: /As Ann.*ann@desk\.test/ }).waitFor();
}, 120_000);

it('adds a provider after a test of its issuer, never shows its secret, and everybody is offered it', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_providers');
  await page.getByText('People sign in with a password only.').waitFor();
  await page.getByRole('link', { name: 'New provider' }).click();
  const form = page.getByRole('form', { name: 'Sign-in providers' });
  await form.getByRole('textbox', { name: 'Name' }).fill('company');
  await page
    .getByRole('region', { name: 'Redirect address' })
    .getByText(`${office.stack.url}/api/helpdesk/auth/oidc/company/callback`)
    .waitFor();
  await form.getByRole('textbox', { name: 'Issuer' }).fill(office.stack.url);
  await form.getByRole('button', { name: 'Test the issuer' }).click();
  await form.getByText('does not answer as this issuer').waitFor();
  await form.getByRole('textbox', { name: 'Issuer' }).fill(`http://127.0.0.1:${await freePort()}`);
  await form.getByRole('button', { name: 'Test the issuer' }).click();
  await form.getByText('The issuer does not answer.').waitFor();
  await look(page, 'provider-test-fails');
  await form.getByRole('textbox', { name: 'Issuer' }).fill(idp.issuer);
  await form.getByRole('button', { name: 'Test the issuer' }).click();
  await form.getByText('The issuer answers as an OpenID provider.').waitFor();
  await form.getByRole('textbox', { name: 'Client id' }).fill('helpdesk');
  await form.getByLabel('Client secret').fill('the secret of tests');
  await form.getByRole('switch', { name: /Makes accounts/ }).check();
  await form.getByRole('combobox', { name: 'Roles of accounts made so' }).fill('agent');
  await page.keyboard.press('Enter');
  await look(page, 'provider-new');
  await form.getByRole('button', { name: 'Add provider' }).click();
  await page.getByRole('row', { name: /company.*helpdesk.*yes.*In use/ }).waitFor();
  await look(page, 'providers');
  await page.getByRole('link', { name: 'company' }).click();
  await form.getByText('One is stored.').waitFor();
  expect(await form.getByLabel('Client secret').inputValue()).toBe('');
  expect(await page.content()).not.toContain('the secret of tests');
  await form.getByRole('textbox', { name: 'Shown as' }).fill('Company account');
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('link', { name: 'Company account' }).waitFor();
  const shown = await callerOf(office.stack.url)('GET', '/api/helpdesk/auth/providers');
  expect(shown.at('data')).toEqual([{ name: 'company', display_name: 'Company account' }]);
  await page.getByRole('link', { name: 'Company account' }).click();
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByText('People sign in with a password only.').waitFor();
}, 120_000);
