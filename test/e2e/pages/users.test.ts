import { TOTP } from 'otpauth';
import { expect, it } from 'vitest';
import { signIn } from '../../support/api.ts';
import { type BackOffice, look, PEOPLE, withOffice } from '../../support/back-office.ts';
import { startSmtp } from '../../support/smtp.ts';

let office: BackOffice;
const smtp = await startSmtp();
withOffice(
  (opened) => void (office = opened),
  () => ({ SMTP_URL: smtp.url, MAIL_FROM: 'Desk <desk@desk.test>' }),
);

const USERS = '/t/helpdesk/_users';
const linkTo = (email: string): string =>
  /http\S+accept-invite#token=[\w.-]+/.exec(smtp.mails.findLast(({ to }) => to.includes(email))?.text ?? '')?.[0] ?? '';

it('finds users, gives and takes roles, and ends sessions; what a role is taken of is refused from then on', async () => {
  const ann = await office.as('agent');
  const page = await office.visit('platform', USERS);
  await page.getByRole('row', { name: /lea@desk\.test.*team_lead.*active/ }).waitFor();
  await look(page, 'users');
  await page.getByRole('searchbox', { name: 'Search by email' }).fill('ann@');
  await page.getByRole('row', { name: /lea@desk\.test/ }).waitFor({ state: 'hidden' });
  await page.getByRole('combobox', { name: 'Role' }).click();
  await page.getByRole('option', { name: 'agent', exact: true }).click();
  expect(new URL(page.url()).search).toBe('?q=ann%40&role=agent');
  await page.reload();
  await page.getByRole('link', { name: 'ann@desk.test' }).click();
  await page.getByRole('heading', { level: 1, name: 'ann@desk.test' }).waitFor();
  const form = page.getByRole('form', { name: 'Profile and roles' });
  await form.getByRole('combobox', { name: 'Roles' }).fill('team_lead');
  await page.keyboard.press('Enter');
  await form.getByRole('combobox', { name: 'Manager' }).fill('lea');
  await page.getByRole('option', { name: 'lea@desk.test' }).click();
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved').waitFor();
  await form.getByRole('button', { name: 'team_lead' }).waitFor();
  expect((await office.admin('GET', '/api/helpdesk/_admin/users?q=ann@')).at('data', 0)).toMatchObject({ roles: ['agent', 'team_lead'] });
  // Her token has the roles of before: it is refused, and a new one has those of now.
  await expect.poll(async () => (await ann('GET', '/api/helpdesk/auth/me')).status, { timeout: 5_000 }).toBe(401);
  const again = await office.as('agent');
  await page.reload();
  await page.getByRole('region', { name: 'Sessions' }).getByRole('row').nth(1).waitFor();
  await look(page, 'user');
  await page.getByRole('button', { name: 'End all sessions' }).click();
  await page.getByText('No open session.').waitFor();
  await expect.poll(async () => (await again('GET', '/api/helpdesk/auth/me')).status, { timeout: 5_000 }).toBe(401);
}, 120_000);

it('deactivates and reactivates, sets a password, resets a lost second factor; nobody takes the last admin away', async () => {
  const page = await office.visit('platform', `${USERS}?q=lea@`, [/409/]);
  await page.getByRole('link', { name: 'lea@desk.test' }).click();
  const lea = await office.as('lead');
  const { secret } = (await lea('POST', '/api/helpdesk/auth/totp', { password: PEOPLE.lead.password })).at('data') as { secret: string };
  expect((await lea('POST', '/api/helpdesk/auth/totp/confirm', { code: new TOTP({ secret }).generate() })).status).toBe(200);
  await page.reload();
  const factor = page.getByRole('region', { name: 'Second factor' });
  await factor.getByText('10 recovery codes left').waitFor();
  await factor.getByRole('button', { name: 'Turn it off' }).click();
  await look(page, 'user-factor-reset');
  await page.getByRole('dialog').getByRole('button', { name: 'Turn it off' }).click();
  await factor.getByText('off', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Deactivate' }).click();
  await look(page, 'user-deactivate');
  await page.getByRole('dialog').getByRole('button', { name: 'Deactivate' }).click();
  await page.getByRole('button', { name: 'Activate again' }).waitFor();
  await expect(office.as('lead')).rejects.toThrow(/401/);
  await page.getByRole('button', { name: 'Activate again' }).click();
  await page.getByText('May sign in.').waitFor();
  await page.getByRole('button', { name: 'Set a password' }).click();
  await page.getByRole('dialog').getByLabel('Password').fill('told by the admin');
  await page.getByRole('dialog').getByRole('button', { name: 'Set a password' }).click();
  await page.getByText('Saved').waitFor();
  await signIn(office.stack.url, PEOPLE.lead.email, 'told by the admin', 'helpdesk');
  await office.go(page, `${USERS}?role=admin`);
  await page.getByRole('link', { name: 'admin@localhost' }).click();
  for (const [button, word] of [
    ['Deactivate', undefined],
    ['Delete', 'admin@localhost'],
  ] as const) {
    await page.getByRole('button', { name: button }).click();
    const dialog = page.getByRole('dialog');
    if (word !== undefined) await dialog.getByRole('textbox').fill(word);
    await dialog.getByRole('button', { name: button }).click();
    await dialog.getByText('The last active admin cannot be removed, demoted or deactivated.').waitFor();
    if (word === undefined) await look(page, 'user-last-admin');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  }
  await page.getByRole('combobox', { name: 'Roles' }).press('Backspace');
  await page.getByRole('form').getByRole('button', { name: 'Save' }).click();
  await page.getByRole('region', { name: 'Profile and roles' }).getByText('The last active admin').waitFor();
}, 120_000);

it('invites many at once by mail, sends again, withdraws, and shows who has which role', async () => {
  const page = await office.visit('platform', `${USERS}/invites`);
  await page.getByText('Nobody is invited.').waitFor();
  await look(page, 'invites-none');
  await page.getByRole('button', { name: 'Invite people' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Email addresses').fill('new@desk.test\nother@desk.test, lea@desk.test; nonsense');
  await dialog.getByRole('combobox', { name: 'Roles' }).fill('agent');
  await page.keyboard.press('Enter');
  await look(page, 'invite');
  await dialog.getByRole('button', { name: 'Send invites' }).click();
  await dialog.getByText('2 people invited.').waitFor();
  await dialog.getByText('lea@desk.test has an account already').waitFor();
  await dialog.getByText('nonsense is no email address').waitFor();
  await look(page, 'invite-outcome');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('row', { name: /new@desk\.test.*agent.*pending.*sent/ }).waitFor();
  await look(page, 'invites');
  const first = linkTo('new@desk.test');
  await page.getByRole('button', { name: 'Send again: new@desk.test' }).click();
  await expect.poll(() => linkTo('new@desk.test')).not.toBe(first);
  await page.getByRole('button', { name: 'Withdraw: other@desk.test' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click();
  await page.getByRole('row', { name: /other@desk\.test/ }).waitFor({ state: 'hidden' });
  const guest = await page.context().newPage();
  await guest.goto(first);
  await guest.getByLabel('Choose a password').fill('long enough to choose');
  await guest.getByRole('button').click();
  await guest.getByText('There is no such invite.').waitFor();
  await guest.goto('about:blank');
  await guest.goto(linkTo('new@desk.test'));
  await guest.getByLabel('Choose a password').fill('long enough to choose');
  await guest.getByRole('button').click();
  await guest.getByText('Your account is ready.').waitFor();
  await guest.close();
  await signIn(office.stack.url, 'new@desk.test', 'long enough to choose', 'helpdesk');
  await page.getByRole('tab', { name: 'Roles' }).click();
  await page.getByRole('row', { name: /^agent .*ann@desk\.test, new@desk\.test/ }).waitFor();
  await look(page, 'role-holders');
  await page.getByRole('link', { name: /^Show \d: team_lead$/ }).click();
  await page.getByRole('link', { name: 'lea@desk.test' }).waitFor();
  await page.getByRole('button', { name: 'New user' }).click();
  await page.getByRole('dialog').getByLabel('Email').fill('lea@desk.test');
  await page.getByRole('dialog').getByLabel('Password').fill('x');
  await look(page, 'user-new');
  await page.getByRole('dialog').getByLabel('Email').fill('fresh@desk.test');
  await page.getByRole('dialog').getByRole('button', { name: 'Make user' }).click();
  await page.getByRole('heading', { level: 1, name: 'fresh@desk.test' }).waitFor();
}, 120_000);
