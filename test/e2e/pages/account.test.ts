import { TOTP } from 'otpauth';
import { expect, it } from 'vitest';
import { callerOf, signIn } from '../../support/api.ts';
import { type BackOffice, look, PEOPLE, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
withOffice((opened) => void (office = opened));

const ACCOUNT = '/t/helpdesk/_account';

it('changes the password, which ends other sessions; a wrong one is refused and signs nobody out', async () => {
  const elsewhere = await office.as('agent');
  const page = await office.visit('agent', ACCOUNT);
  await page.getByText('ann@desk.test').first().waitFor();
  await look(page, 'account');
  const form = page.getByRole('form', { name: 'Password' });
  const fill = async (current: string, next: string, again: string): Promise<void> => {
    await form.getByLabel('Current password').fill(current);
    await form.getByLabel('New password', { exact: true }).fill(next);
    await form.getByLabel('New password, once more').fill(again);
  };
  await fill('wrong', 'another long one', 'another long on');
  await form.getByText('The two are not the same.').waitFor();
  expect(await form.getByRole('button', { name: 'Change the password' }).isDisabled()).toBe(true);
  await fill('wrong', 'another long one', 'another long one');
  await form.getByRole('button', { name: 'Change the password' }).click();
  await form.getByText('The current password is not right.').waitFor();
  await look(page, 'account-password-refused');
  await fill(PEOPLE.agent.password, 'short', 'short');
  await form.getByRole('button', { name: 'Change the password' }).click();
  await form
    .getByText(/at least \d+ characters/)
    .first()
    .waitFor();
  await fill(PEOPLE.agent.password, 'another long one', 'another long one');
  await form.getByRole('button', { name: 'Change the password' }).click();
  await form.getByText('Password changed. 1 other session ended.').waitFor();
  await expect.poll(async () => (await elsewhere('GET', '/api/helpdesk/auth/me')).status, { timeout: 5_000 }).toBe(401);
  const again = await signIn(office.stack.url, PEOPLE.agent.email, 'another long one', 'helpdesk');
  await page.reload();
  const sessions = page.getByRole('region', { name: 'Sessions' }).first();
  await sessions.getByText('this one').waitFor();
  await sessions.getByRole('button', { name: 'End all others' }).click();
  await sessions.getByRole('button', { name: 'End all others' }).waitFor({ state: 'hidden' });
  await expect.poll(async () => (await again('GET', '/api/helpdesk/auth/me')).status, { timeout: 5_000 }).toBe(401);
}, 120_000);

it('sets up a second factor with a QR code and recovery codes, and turns it off again', async () => {
  const page = await office.visit('lead', ACCOUNT);
  const factor = page.getByRole('region', { name: 'Second factor' });
  await factor.getByRole('button', { name: 'Set it up' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Current password').fill(PEOPLE.lead.password);
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await dialog.getByRole('img', { name: 'QR code for your authenticator app' }).waitFor();
  await look(page, 'factor-set-up');
  const secret = ((await dialog.getByRole('region', { name: 'Key' }).textContent()) ?? '').trim();
  await dialog.getByRole('textbox', { name: 'Code' }).fill('000000');
  await dialog.getByRole('button', { name: 'Turn it on' }).click();
  await dialog.getByText('The code is not right').waitFor();
  const totp = new TOTP({ secret });
  await dialog.getByRole('textbox', { name: 'Code' }).fill(totp.generate());
  await dialog.getByRole('button', { name: 'Turn it on' }).click();
  const shown = page.getByRole('dialog', { name: 'Recovery codes' });
  const codes = ((await shown.getByRole('region', { name: 'Recovery codes' }).textContent()) ?? '').trim().split('\n');
  expect(codes).toHaveLength(10);
  await look(page, 'factor-recovery');
  await shown.getByRole('button', { name: 'I have kept them' }).click();
  await factor.getByText('10 recovery codes left').waitFor();
  const login = await callerOf(office.stack.url)('POST', '/api/helpdesk/auth/login', { ...PEOPLE.lead, app: undefined });
  expect(login.at('data', 'mfa_required')).toBe(true);
  await factor.getByRole('button', { name: 'Turn it off' }).click();
  await dialog.getByLabel('Current password').fill(PEOPLE.lead.password);
  await dialog.getByRole('textbox', { name: 'Code' }).fill(String(codes[0]));
  await look(page, 'factor-off');
  await dialog.getByRole('button', { name: 'Turn it off' }).click();
  await factor.getByText('off', { exact: true }).waitFor();
}, 120_000);

it('keeps own keys, and the language and appearance of the pages; also for the platform', async () => {
  const page = await office.visit('lead', ACCOUNT);
  await page.getByRole('button', { name: 'New API key' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Mine');
  await dialog.getByRole('button', { name: 'Read everything' }).click();
  await dialog.getByRole('button', { name: 'Make key' }).click();
  const key = ((await dialog.getByRole('region', { name: 'Key' }).textContent()) ?? '').trim();
  await page.getByRole('button', { name: 'I have kept it' }).click();
  expect((await callerOf(office.stack.url, key)('GET', '/api/helpdesk/auth/me')).at('data')).toMatchObject({ email: PEOPLE.lead.email });
  await page.getByRole('combobox', { name: 'Language' }).click();
  await page.getByRole('option', { name: 'Deutsch' }).click();
  await page.getByRole('heading', { level: 1, name: 'Ihr Konto' }).waitFor();
  await look(page, 'account-german');
  const operator = await office.visit('platform', '/platform/account');
  await operator.getByText('platform@localhost').nth(1).waitFor();
  await operator.getByText('Yours is the published one').waitFor();
  await look(operator, 'account-platform');
}, 120_000);

it('changes the settings of the app through a publish, and shows what is refused', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_settings');
  await page.getByRole('heading', { name: 'Accounts and sign-in' }).waitFor();
  await look(page, 'settings');
  await page.getByRole('textbox', { name: 'Own page for invites' }).fill('https://shop.example/welcome');
  await page.getByRole('spinbutton', { name: 'Of one user' }).fill('600');
  await page.getByRole('button', { name: 'Review and publish' }).click();
  const dialog = page.getByRole('dialog');
  await dialog
    .getByText(/must be an address at one of settings\.origins/)
    .first()
    .waitFor();
  await look(page, 'settings-refused');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('combobox', { name: 'Origins that may call from a browser' }).fill('https://shop.example');
  await page.keyboard.press('Enter');
  await page.getByRole('switch', { name: 'Anybody may sign up' }).check();
  await page.getByRole('button', { name: 'Review and publish' }).click();
  await dialog.getByRole('button', { name: /^Publish/ }).click();
  await page
    .getByText(/is active|is served|ready/i)
    .first()
    .waitFor();
  const exported = await office.admin('GET', '/api/helpdesk/_admin/export');
  expect(exported.at('data', 'settings')).toMatchObject({
    origins: ['https://shop.example'],
    limits: { requests_per_minute: { user: 600 } },
    auth: { public_signup: true, invite_url: 'https://shop.example/welcome' },
  });
}, 120_000);
