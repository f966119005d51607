/** The Temporal Web UI within our origin, for operators and for nobody else. */
import { expect, it } from 'vitest';
import { signIn } from '../../support/api.ts';
import { type BackOffice, look, PEOPLE, withOffice } from '../../support/back-office.ts';
import { screenshot } from '../../support/browser.ts';

let office: BackOffice;

/** Its pages have no icon, and it warns of markers without data. */
const ITS_OWN = [/404/, /Could not parse payload/];
withOffice((opened) => void (office = opened));

it('is opened from the menu, and shows the workflows of all apps', async () => {
  const page = await office.visit('platform', '/platform/status', ITS_OWN);
  await page.getByRole('menuitem', { name: 'Temporal' }).click();
  await page.waitForURL(/\/temporal\/namespaces\/default\/workflows/);
  await page.getByText('provision/').first().waitFor();
  await screenshot(page, 'temporal-list');
});

it('is where links to a workflow lead, by way of the sign-in', async () => {
  const runs = await office.admin('GET', '/api/helpdesk/_admin/migrations');
  const link = String(runs.at('data', 0, 'temporal_url'));
  expect(link.startsWith(`${office.stack.url}/temporal/`)).toBe(true);
  const page = await office.visit('platform', '/platform/status', ITS_OWN);
  await page.goto(link);
  await page.waitForURL((url) => url.pathname.startsWith('/temporal/') && decodeURIComponent(url.pathname).includes('migration/'));
  await page.getByText('Completed').first().waitFor();
  await page.getByText('Event History').first().waitFor();
  await screenshot(page, 'temporal-workflow');
});

it('says why where it cannot be opened', async () => {
  const page = await office.visit('platform', '/platform/status', [/503/]);
  await page.route('**/temporal/_session', (route) =>
    route.fulfill({
      status: 503,
      json: { error: { code: 'UNAVAILABLE', message: 'The Temporal Web UI does not answer.', hint: 'Wait.' } },
    }),
  );
  await page.getByRole('menuitem', { name: 'Temporal' }).click();
  await page.getByText('The Temporal Web UI does not answer.').waitFor();
  await look(page, 'temporal-refused');
});

it('is not shown to an app’s own people, and refuses them', async () => {
  const page = await office.visit('lead', '/t/helpdesk/_runs');
  await page.getByRole('heading', { level: 1, name: 'Workflow runs' }).waitFor();
  expect(await page.getByText('Open in Temporal').count()).toBe(0);
  const { email, password, app } = PEOPLE.lead;
  const lead = await signIn(office.stack.url, email, password, app);
  expect((await lead('POST', '/temporal/_session')).status).toBe(401);
  await page.goto(`${office.stack.url}/temporal/`);
  await page.waitForURL(/\/admin\/t\/helpdesk/);
});
