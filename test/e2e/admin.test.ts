import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { axe, launchBrowser, openPage, screenshot, type WatchedPage } from '../support/browser.ts';
import { eventually, signIn, type Caller } from '../support/api.ts';
import { Stack } from '../support/process.ts';

let stack: Stack;
let browser: Browser;
let admin: Caller;
let agent: Caller;
let lead: WatchedPage;

beforeAll(async () => {
  stack = await (await Stack.spawn()).ready();
  browser = await launchBrowser();
  admin = await signIn(stack.url, 'platform@localhost', 'changeme');
  for (const [email, roles] of [
    ['ann@desk.test', ['agent']],
    ['lea@desk.test', ['team_lead']],
  ] as const) {
    await admin('POST', '/api/helpdesk/_admin/users', { email, password: 'longer-password', roles });
  }
  agent = await signIn(stack.url, 'ann@desk.test', 'longer-password', 'helpdesk');
  // A refused sign-in and the first, unauthenticated refresh are 401s in the browser's console.
  lead = await openPage(browser, stack.url, [/401/, /422/]);
}, 180_000);

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

const signInAs = async ({ page }: WatchedPage, email: string, password: string, app: string): Promise<void> => {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByLabel('App').fill(app);
  await page.getByRole('button', { name: 'Sign in' }).click();
};

describe('the back office', () => {
  it('refuses a wrong password without saying whether the address exists, and keeps the form', async () => {
    const { page } = lead;
    await page.goto(`${stack.url}/admin/t/helpdesk/ticket`);
    await signInAs(lead, 'lea@desk.test', 'wrong', 'helpdesk');
    await page.getByText('The email or the password is not right.').waitFor();
    expect(await page.getByLabel('Email').inputValue()).toBe('lea@desk.test');
    expect(await axe(page)).toEqual([]);
    await screenshot(page, 'sign-in');
  });

  it('returns to the page that was asked for, and lists the records with their fields', async () => {
    const { page } = lead;
    await signInAs(lead, 'lea@desk.test', 'longer-password', 'helpdesk');
    await page.getByRole('link', { name: 'Label printer stops after ten pages' }).waitFor();
    expect(page.url()).toContain('/admin/t/helpdesk/ticket');
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    expect(await axe(page)).toEqual([]);
    await screenshot(page, 'list');
  });

  it('keeps the session over a reload without storing a token where scripts can read it', async () => {
    const { page } = lead;
    await page.reload();
    await page.getByRole('link', { name: 'Label printer stops after ten pages' }).waitFor();
    const stored = await page.evaluate('JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie');
    expect(stored).not.toMatch(/eyJ|refresh|token/);
  });

  it('filters and sorts on the server, in the address', async () => {
    const { page } = lead;
    await page.goto(`${stack.url}/admin/t/helpdesk/ticket?priority.eq=high&sort=title`);
    await page.getByRole('link', { name: 'Label printer stops after ten pages' }).waitFor();
    const shown = await page.getByRole('row').count();
    const answer = await agent('GET', '/api/helpdesk/ticket?filter[priority]=high');
    expect(shown - 1).toBe(answer.at('meta', 'total'));
  });

  it('shows the rule that refused a write at its field, and creates once it is met', async () => {
    const { page } = lead;
    await page.goto(`${stack.url}/admin/t/helpdesk/ticket/create`);
    await page.getByLabel('Title').fill('Hot');
    await page.getByLabel('Description').fill('It burns');
    await page.getByLabel('Customer').click();
    await page.getByRole('option').first().click();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The title needs at least 5 characters.').first().waitFor();
    expect(await page.getByLabel('Title').getAttribute('aria-invalid')).toBe('true');
    expect(await axe(page)).toEqual([]);
    await screenshot(page, 'form');
    await page.getByLabel('Title').fill('Hot printer');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.waitForURL(/\/ticket\/[0-9a-f-]{36}\/show/);
    await page.getByText('Hot printer').first().waitFor();
    expect(await axe(page)).toEqual([]);
    await screenshot(page, 'record');
  });

  it('lets the team lead approve what waits, and shows the next step', async () => {
    const customer = await agent('GET', '/api/helpdesk/customer?per_page=1');
    const ticket = await agent('POST', '/api/helpdesk/ticket', {
      title: 'Server room is flooding',
      description: 'Knee deep',
      priority: 'critical',
      customer_id: customer.at('data', 0, 'id'),
    });
    expect(ticket.status).toBe(201);
    const { page } = lead;
    await eventually(
      () => agent('GET', '/api/helpdesk/_workflows/pending'),
      (reply) => reply.at('data', 0) !== undefined,
    );
    await page.goto(`${stack.url}/admin/t/helpdesk/_approvals`);
    await page.getByRole('button', { name: 'Approve' }).first().waitFor();
    expect(await axe(page)).toEqual([]);
    await screenshot(page, 'inbox');
    await page.getByRole('button', { name: 'Approve' }).first().click();
    await page.getByText(/^Approved:/).waitFor();
    const id = String(ticket.at('data', 'id'));
    const after = await eventually(
      () => agent('GET', `/api/helpdesk/ticket/${id}`),
      (reply) => reply.at('data', 'status') === 'assigned',
    );
    expect(after.at('data', 'status')).toBe('assigned');
    await page.goto(`${stack.url}/admin/t/helpdesk/_runs`);
    await page.getByText('completed').first().waitFor();
    expect(await axe(page)).toEqual([]);
    await screenshot(page, 'runs');
  });

  it('offers a role no more than the API allows it', async () => {
    const reader = await openPage(browser, stack.url, [/401/]);
    await admin('POST', '/api/helpdesk/_admin/users', { email: 'rob@desk.test', password: 'longer-password', roles: ['customer'] });
    await reader.page.goto(`${stack.url}/admin/`);
    await signInAs(reader, 'rob@desk.test', 'longer-password', 'helpdesk');
    await reader.page.getByRole('menuitem', { name: 'Approvals' }).waitFor();
    expect(await reader.page.getByRole('menuitem', { name: 'Schema', exact: true }).count()).toBe(0);
    expect(await reader.page.getByRole('menuitem', { name: 'Agent' }).count()).toBe(0);
    expect(reader.complaints).toEqual([]);
    await reader.context.close();
  });

  it('imports a document for an admin, who then sees the new entity, and switches between apps', async () => {
    await admin('POST', '/api/_platform/apps', { name: 'library', display_name: 'Library' });
    const owner = await openPage(browser, stack.url, [/401/]);
    const { page } = owner;
    await page.goto(`${stack.url}/admin/t/helpdesk/_schema/import`);
    await signInAs(owner, 'platform@localhost', 'changeme', '');
    await page
      .getByLabel('Document (JSON or YAML)')
      .fill(
        'version: 1\nentities:\n  - name: book\n    fields:\n      - {name: title, type: string, required: true}\n      - {name: price, type: decimal}\nsample_data:\n  book:\n    - {title: Emma, price: 9.5}\n',
      );
    await page.getByRole('button', { name: 'Import' }).click();
    await page.getByRole('menuitem', { name: 'Book' }).waitFor();
    await page.getByRole('menuitem', { name: 'Book' }).click();
    await page.getByRole('link', { name: 'Emma' }).waitFor();
    await screenshot(page, 'imported');
    await page.getByLabel('App').click();
    await page.getByRole('option', { name: 'Library' }).click();
    await page.waitForURL(/\/t\/library/);
    expect(await page.getByRole('menuitem', { name: 'Book' }).count()).toBe(0);
    await page.goto(`${stack.url}/admin/t/helpdesk/_versions`);
    await page.getByRole('table', { name: 'Versions' }).waitFor();
    expect(await axe(page)).toEqual([]);
    expect(owner.complaints).toEqual([]);
    await owner.context.close();
  });

  it('is as readable in the dark, and fits a narrow screen', async () => {
    const { page } = lead;
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 800 });
    await page.goto(`${stack.url}/admin/t/helpdesk/ticket`);
    await page.getByRole('link', { name: 'Label printer stops after ten pages' }).waitFor();
    expect(await axe(page)).toEqual([]);
    await screenshot(page, 'dark-narrow');
    await page.setViewportSize({ width: 1366, height: 900 });
    await page.getByRole('link', { name: 'Label printer stops after ten pages' }).click();
    await page.waitForURL(/\/show$/);
    await page.getByText('Label printer stops after ten pages').first().waitFor();
    expect(await axe(page)).toEqual([]);
    await screenshot(page, 'dark-record');
  });

  it('is served under a policy without inline code, and asked nothing of any other origin', async () => {
    const response = await fetch(`${stack.url}/admin/`);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/script-src 'self' 'nonce-[\w+/=-]+'/);
    expect(policy).not.toContain('unsafe-inline');
    expect(await response.text()).not.toContain('__CSP_NONCE__');
    expect(lead.complaints).toEqual([]);
  });
});
