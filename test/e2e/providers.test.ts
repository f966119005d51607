/** The page to sign in at, with providers: a real browser through a real provider and back. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../infra/local/system.ts';
import { axe, launchBrowser, openPage } from '../support/browser.ts';
import { freshDatabase } from '../support/database.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';
import { startIdp, type Idp } from '../support/oidc.ts';
import { buildAll } from '../support/process.ts';

let world: HttpWorld;
let idp: Idp;
let browser: Browser;
let base: string;

beforeAll(async () => {
  await buildAll();
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  const redirects = [`${base}/api/desk/auth/oidc/corp/callback`];
  idp = await startIdp([{ client_id: 'desk', redirect_uris: redirects, token_endpoint_auth_method: 'none' }]);
  world = await httpWorld(await freshDatabase(), { PORT: String(port), PUBLIC_URL: base });
  await world.app('desk', { version: 1 }, [{ id: '10000000-0000-4000-8000-000000000001', email: 'admin@example.com', roles: ['admin'] }]);
  const admin = await world.login('desk', 'admin@example.com');
  const provider = { name: 'corp', display_name: 'Corp', issuer: idp.issuer, client_id: 'desk' };
  expect((await admin('POST', '/api/desk/_admin/auth-providers', provider)).status).toBe(201);
  idp.people.set('a', { email: 'admin@example.com', email_verified: true });
  idp.people.set('b', { email: 'stranger@example.com', email_verified: true });
  browser = await launchBrowser();
}, 180_000);

afterAll(async () => {
  await browser?.close();
  await world?.close();
  await idp?.close();
});

it('offers the providers of the app, says why one may not come in, and signs in whoever may', async () => {
  const { page, complaints } = await openPage(browser, base, [/401/]);
  await page.goto(`${base}/admin/`);
  const button = page.getByRole('button', { name: 'Continue with Corp' });
  await page.getByLabel('Email').waitFor();
  expect(await button.count()).toBe(0);
  await page.getByLabel('App').fill('desk');
  await button.waitFor();
  expect(await axe(page)).toEqual([]);
  idp.person = 'b';
  await button.click();
  await page.getByText('There is no account with your email address.').waitFor();
  expect(page.url()).toBe(`${base}/admin/`);
  await page.goto(`${base}/admin/?error=x&error_description=Call+us`);
  await page.getByText('The sign-in provider did not sign you in.').waitFor();
  expect(await page.getByText('Call us').count()).toBe(0);
  await button.waitFor();
  idp.person = 'a';
  await page.context().clearCookies();
  await button.click();
  await page.waitForURL(`${base}/admin/t/desk**`);
  await page.reload();
  await page.waitForURL(`${base}/admin/t/desk**`);
  expect(await page.getByLabel('Email').count()).toBe(0);
  expect(complaints.filter((line) => !line.includes(idp.issuer))).toEqual([]);
}, 60_000);
