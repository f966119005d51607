/** The offline documentation page in a real Chromium: nothing foreign, no policy broken, readable in light and dark. */
import fs from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWorld, type World } from '../api/world.ts';
import { axe, launchBrowser, openPage, screenshot } from '../support/browser.ts';

let world: World;
let browser: Browser;

beforeAll(async () => {
  world = await startWorld();
  const token = await world.platformToken();
  await world.send('POST', '/api/_platform/apps', { token, body: { name: 'helpdesk' } });
  const example = fs.readFileSync(new URL('../../examples/helpdesk-ticketing.json', import.meta.url), 'utf8');
  await world.send('POST', '/api/helpdesk/_admin/import', { token, body: example, headers: { 'Content-Type': 'application/json' } });
  browser = await launchBrowser();
}, 120_000);
afterAll(() => browser.close());

it.each(['light', 'dark'] as const)(
  'signs in, shows the operations and tries one, in %s',
  async (colorScheme) => {
    const { page, context, complaints } = await openPage(browser, world.url, [/401/]);
    await page.emulateMedia({ colorScheme });
    await page.goto(`${world.url}/api/helpdesk/_docs`);
    // Later Swagger UI draws most of the page, which is its makers' affair.
    expect(await axe(page)).toEqual([]);
    await page.getByLabel('Email').fill('admin@localhost');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText('The email or the password is not right.').waitFor();
    await page.getByLabel('Password').fill('changeme');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText('schema version').first().waitFor();
    await page.locator('#operations-tag-customer').click();
    await page.locator('#operations-customer-get_customer .opblock-summary-control').click();
    await page.getByRole('button', { name: 'Try it out' }).click();
    await page.getByPlaceholder('id', { exact: true }).fill('0198c0de-1001-7000-8000-000000000001');
    await page.getByRole('button', { name: 'Execute' }).click();
    await page.getByText('fjordlight.example').first().waitFor();
    await screenshot(page, `docs-${colorScheme}`);
    expect(complaints).toEqual([]);
    await context.close();
  },
  120_000,
);

it('has a strict policy, and files that are kept for good', async () => {
  const page = await fetch(`${world.url}/api/helpdesk/_docs`);
  expect(page.headers.get('content-security-policy')).not.toMatch(/unsafe|\*|https?:/);
  const html = await page.text();
  expect(html).not.toMatch(/https?:\/\/| on\w+=/);
  for (const [, file] of html.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
    const asset = await fetch(world.url + String(file));
    expect([file, asset.status, asset.headers.get('cache-control')]).toEqual([file, 200, 'public, max-age=31536000, immutable']);
  }
  expect((await fetch(`${world.url}/api/nowhere/_docs`)).status).toBe(404);
  expect((await fetch(`${world.url}/api/helpdesk/_docs/0000/docs.js`)).status).toBe(404);
});
