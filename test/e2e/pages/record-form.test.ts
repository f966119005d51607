/** The form of a record: relations, the rows that belong to it, mistakes, leaving, and two people at once. */
import { expect, it, vi } from 'vitest';
import type { Locator, Page } from 'playwright-core';
import type { Caller } from '../../support/api.ts';
import { look, withOffice, type BackOffice } from '../../support/back-office.ts';

vi.setConfig({ testTimeout: 90_000 });

const AUTHOR = '00000000-0000-7000-8000-000000000001';

let office: BackOffice;
let agent: Caller;
let customer: string;

withOffice(async (opened) => {
  office = opened;
  agent = await office.as('agent');
  const made = await agent('POST', '/api/helpdesk/customer', { name: 'Bertha Benz', email: 'bertha@benz.test' });
  customer = String(made.at('data', 'id'));
});

const newTicket = async (more: object = {}): Promise<string> => {
  const body = { title: 'The engine stutters', description: 'Uphill only', customer_id: customer, ...more };
  const made = await agent('POST', '/api/helpdesk/ticket', body);
  expect(made.status).toBe(201);
  return String(made.at('data', 'id'));
};

const edit = async (ticket: string, expected: readonly RegExp[] = []): Promise<Page> => {
  const page = await office.visit('agent', `/t/helpdesk/ticket/${ticket}`, expected);
  await page.getByLabel('Title').waitFor();
  return page;
};

const save = (within: Page | Locator): Promise<void> => within.getByRole('button', { name: 'Save', exact: true }).click();
const saved = (page: Page): Promise<void> => page.waitForURL(/\/ticket\/[0-9a-f-]{36}\/show$/);

it('finds the record it leads to on the server, by keyboard alone', async () => {
  const page = await office.visit('agent', '/t/helpdesk/ticket/create');
  await page.getByLabel('Title').fill('The engine stutters');
  await page.getByLabel('Description').fill('Uphill only');
  await look(page, 'form-new');
  const asked = page.waitForRequest((request) => decodeURIComponent(request.url()).includes('bertha'));
  await page.getByRole('combobox', { name: /Customer/ }).focus();
  await page.keyboard.type('bertha');
  await asked;
  await page.getByRole('option', { name: 'Bertha Benz', exact: true }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  expect(await page.getByRole('combobox', { name: /Customer/ }).inputValue()).toBe('Bertha Benz');
  await save(page);
  await saved(page);
  const ticket = page.url().split('/').at(-2) ?? '';
  expect((await agent('GET', `/api/helpdesk/ticket/${ticket}`)).at('data', 'customer_id')).toBe(customer);
});

it('makes the record it leads to on the way, and keeps what is typed around it', async () => {
  const page = await office.visit('agent', '/t/helpdesk/ticket/create');
  await page.getByLabel('Title').fill('The engine stutters again');
  await page.getByLabel('Description').fill('Downhill too');
  await page.getByRole('combobox', { name: /Customer/ }).fill('Carl Otto');
  await page.getByRole('option', { name: 'New Customer “Carl Otto” …' }).click();
  const drawer = page.getByRole('dialog', { name: 'New Customer' });
  expect(await drawer.getByLabel('Name').inputValue()).toBe('Carl Otto');
  await drawer.getByLabel('Email').fill('not an address');
  await save(drawer);
  await drawer.getByRole('alert').getByRole('link', { name: 'Email' }).waitFor();
  expect(await drawer.getByLabel('Email').getAttribute('aria-invalid')).toBe('true');
  await look(page, 'form-drawer');
  // What is typed there is not lost by a slip either.
  await page.keyboard.press('Escape');
  await page.getByRole('dialog', { name: 'Leave without saving?' }).getByRole('button', { name: 'Stay here' }).click();
  await drawer.getByLabel('Email').fill('carl@otto.test');
  await save(drawer);
  await drawer.waitFor({ state: 'detached' });
  await expect.poll(() => page.getByRole('combobox', { name: /Customer/ }).inputValue()).toBe('Carl Otto');
  expect(await page.getByLabel('Title').inputValue()).toBe('The engine stutters again');
  await save(page);
  await saved(page);
  await page.getByRole('link', { name: 'Carl Otto' }).first().waitFor();
});

it('says what is wrong above and at each input, goes to the first, and finds mistakes in the rows too', async () => {
  const ticket = await newTicket();
  const page = await edit(ticket);
  await page.getByLabel('Title').fill('');
  await page.getByRole('button', { name: 'Add to Responses' }).click();
  const row = page.getByRole('group', { name: 'Responses 1' });
  await row.getByLabel('Body').fill('On my way');
  await save(page);
  const summary = page.getByRole('alert');
  await summary.getByText(/things need your attention/).waitFor();
  expect(await page.getByLabel('Title').getAttribute('aria-invalid')).toBe('true');
  expect(await page.evaluate('document.activeElement.name')).toBe('title');
  await look(page, 'form-mistakes');
  await summary.getByRole('link', { name: 'Responses 1: Author', exact: true }).click();
  await page.keyboard.type('nobody');
  await page.getByLabel('Title').fill('Hot');
  await row.getByLabel('Author type').click();
  await page.getByRole('option').first().click();
  await save(page);
  // Now it is the server that finds them.
  await summary.getByText('The title needs at least 5 characters.').waitFor();
  await summary.getByRole('link', { name: 'Responses 1: Author', exact: true }).waitFor();
  expect(await row.getByLabel('Author', { exact: false }).last().getAttribute('aria-invalid')).toBe('true');
  await look(page, 'form-refused');
  await page.getByLabel('Title').fill('Hot engine');
  await row.locator('[data-source$="author_id"] input').fill(AUTHOR);
  await save(page);
  await saved(page);
  const rows = await agent('GET', `/api/helpdesk/response?filter[ticket_id]=${ticket}`);
  expect(rows.at('data', 0, 'body')).toBe('On my way');
  expect((await agent('GET', `/api/helpdesk/ticket/${ticket}`)).at('data', 'title')).toBe('Hot engine');
});

it('changes, adds and removes rows with their record, in one write', async () => {
  const response = { author_type: 'agent', author_id: AUTHOR };
  const responses = [
    { ...response, body: 'The first answer' },
    { ...response, body: 'The second answer' },
  ];
  const ticket = await newTicket({ responses });
  const page = await office.visit('platform', `/t/helpdesk/ticket/${ticket}`);
  await page.getByRole('group', { name: 'Responses 2' }).waitFor();
  const bodies = page.getByRole('region', { name: 'Responses' }).getByLabel('Body');
  const texts = await Promise.all([bodies.nth(0).inputValue(), bodies.nth(1).inputValue()]);
  const first = texts.indexOf('The first answer');
  await bodies.nth(first).fill('A better answer');
  await page.getByRole('button', { name: `Remove Responses ${2 - first}` }).click();
  await page.getByText('is removed when you save').waitFor();
  await look(page, 'form-rows');
  await save(page);
  await saved(page);
  const left = await agent('GET', `/api/helpdesk/response?filter[ticket_id]=${ticket}`);
  expect((left.at('data') as { body: string }[]).map(({ body }) => body)).toEqual(['A better answer']);
});

it('asks before a form with something typed is left, and not before any other', async () => {
  const page = await edit(await newTicket());
  await page.getByRole('link', { name: 'Cancel' }).click();
  await page.getByRole('link', { name: 'Edit' }).click();
  await page.getByLabel('Title').fill('The engine is silent');
  await page.getByRole('link', { name: 'Cancel' }).click();
  const dialog = page.getByRole('dialog', { name: 'Leave without saving?' });
  await look(page, 'form-leave');
  await dialog.getByRole('button', { name: 'Stay here' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(await page.getByLabel('Title').inputValue()).toBe('The engine is silent');
  await page.getByRole('link', { name: 'Cancel' }).click();
  await dialog.getByRole('button', { name: 'Leave' }).click();
  await saved(page);
});

it('shows what somebody else changed meanwhile beside what is typed, and saves what is chosen', async () => {
  const ticket = await newTicket({ priority: 'low' });
  const page = await edit(ticket, [/412/]);
  const lead = await office.as('lead');
  await lead('PATCH', `/api/helpdesk/ticket/${ticket}`, { title: 'The gearbox grinds', priority: 'medium' });
  await page.getByLabel('Title').fill('The engine knocks');
  await page.getByLabel('Description').fill('At every temperature');
  await save(page);
  const dialog = page.getByRole('dialog', { name: 'Somebody else changed this meanwhile' });
  await dialog.getByText('The gearbox grinds').waitFor();
  await dialog.getByText('The engine stutters').waitFor();
  await dialog.getByText(/Changed by lea/).waitFor();
  await look(page, 'form-conflict');
  await dialog.getByRole('button', { name: 'Back to the form' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(await page.getByLabel('Title').inputValue()).toBe('The engine knocks');
  // Somebody is faster once more, while it is looked at.
  await save(page);
  await lead('PATCH', `/api/helpdesk/ticket/${ticket}`, { category: 'other' });
  await dialog
    .getByRole('radiogroup', { name: /^Title/ })
    .getByRole('radio', { name: 'Theirs' })
    .check();
  await dialog.getByRole('button', { name: 'Save like this' }).click();
  await dialog.getByRole('radiogroup', { name: /^Category/ }).waitFor();
  expect(await dialog.getByRole('radiogroup', { name: /^Title/ }).count()).toBe(0);
  await dialog.getByRole('button', { name: 'Save like this' }).click();
  await saved(page);
  const after = await agent('GET', `/api/helpdesk/ticket/${ticket}`);
  expect(['title', 'priority', 'description', 'category'].map((name) => after.at('data', name))).toEqual([
    'The gearbox grinds',
    'medium',
    'At every temperature',
    'other',
  ]);
});

it('has two columns where there is room, and holds whatever is typed', async () => {
  const ticket = await newTicket({ title: `${'W'.repeat(150)} مرحبا بالعالم 👩‍👩‍👧‍👦`, description: 'x'.repeat(3000) });
  const page = await edit(ticket);
  const top = async (label: RegExp): Promise<number> => (await page.getByLabel(label).first().boundingBox())?.y ?? 0;
  const isBeside = async (): Promise<boolean> => Math.abs((await top(/^Priority/)) - (await top(/^Category/))) < 4;
  expect(await isBeside()).toBe(true);
  await page.setViewportSize({ width: 1000, height: 900 });
  expect(await isBeside()).toBe(false);
  await page.setViewportSize({ width: 1366, height: 900 });
  await look(page, 'form-long');
});
