/** Importing a file in the back office: sent, mapped, looked at, written, cancelled and taken back; by mouse, keyboard and on a phone. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
let page: Page;
withOffice((opened) => void (office = opened));

const button = (name: string | RegExp) => page.getByRole('button', { name });
const state = (word: string) => page.getByRole('status').getByText(word, { exact: true });
const ROWS = [
  'Name;E-Mail;Firma',
  'Ada;ada@import.test;Engines',
  'Bob;not an address;',
  'Cleo;cleo@import.test;Nile',
  'Ada;ada@import.test;Again',
];
const file = (name: string, lines: readonly string[]) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(lines.join('\r\n')) });

async function choose(label: string | RegExp, option: string | RegExp): Promise<void> {
  await page.getByRole('combobox', { name: label }).click();
  await page.getByRole('option', { name: option, exact: typeof option === 'string' }).click();
}

const customers = async (): Promise<readonly string[]> => {
  const reply = await office.admin('GET', '/api/helpdesk/customer?filter[email.ends_with]=import.test&sort=email');
  return (reply.at('data') as readonly { readonly email: string }[]).map(({ email }) => email);
};

describe('a file', () => {
  it('is begun from the list of its entity', async () => {
    page = await office.visit('platform', '/t/helpdesk/customer', [/409/]);
    await page.getByRole('link', { name: 'Import' }).click();
    await page.getByRole('heading', { level: 1, name: /^Import into Customer/i }).waitFor();
    expect(await button('Look at the rows').isDisabled()).toBe(true);
    await look(page, 'imports-new');
    await page.locator('input[type=file]').setInputFiles(file('people.csv', ROWS));
    await page.getByText('people.csv,').waitFor();
    await button('Look at the rows').click();
  }, 120_000);

  it('shows where its columns go and what is wrong, and is looked at again', async () => {
    await state('looked at').waitFor();
    await page.getByText('2 would be created, 2 bad').waitFor();
    const bad = page.getByRole('region', { name: 'Bad rows' }).getByRole('table');
    await bad.getByText('email is the same as in line 2').waitFor();
    expect(await customers()).toEqual([]);
    await look(page, 'imports-checked');
    await choose('Column Firma goes to', 'Company');
    await button('Look again').click();
    await page.getByText('2 would be created, 2 bad').waitFor();
    await page.getByRole('combobox', { name: 'Column Firma goes to' }).getByText('Company').waitFor();
  }, 120_000);

  it('gives the bad rows as a file', async () => {
    const download = page.waitForEvent('download');
    await button('Download the bad rows').click();
    expect((await download).suggestedFilename()).toBe('people-bad-rows.csv');
  }, 60_000);

  it('is written by the keyboard, and taken back where nobody was there since', async () => {
    await button('Write the 2 good rows').focus();
    await page.keyboard.press('Enter');
    await state('written').waitFor();
    await page.getByText('2 created, 2 bad').waitFor();
    expect(await customers()).toEqual(['ada@import.test', 'cleo@import.test']);
    await look(page, 'imports-written');
    const found = await office.admin('GET', '/api/helpdesk/customer?filter[email]=ada@import.test');
    await office.admin('PATCH', `/api/helpdesk/customer/${String(found.at('data', 0, 'id'))}`, { company: 'Touched' });
    await button('Undo').click();
    await page.getByRole('dialog').getByText('is deleted').waitFor();
    await look(page, 'imports-undo');
    await page.getByRole('dialog').getByRole('button', { name: 'Undo' }).click();
    await state('taken back').waitFor();
    await page.getByText('It was changed since: it has version 2, and the import left 1.').waitFor();
    expect(await customers()).toEqual(['ada@import.test']);
    await look(page, 'imports-undone');
  }, 120_000);

  it('is listed with the others', async () => {
    await page.getByRole('link', { name: 'All imports' }).click();
    await page.getByRole('link', { name: 'people.csv' }).waitFor();
    await look(page, 'imports');
  }, 60_000);
});

describe('pasted rows', () => {
  it('are refused with words, then shown as they are written, and cancelled', async () => {
    await office.go(page, '/t/helpdesk/_imports/new?entity=customer');
    await page.getByLabel('Pasted text').check();
    await page.getByRole('textbox', { name: 'Rows' }).fill('nothing\nknown here');
    await button('Look at the rows').click();
    await page.getByText('No column of the file goes to a field of customer').waitFor();
    const lines = Array.from({ length: 20_000 }, (_, at) => `Many ${String(at)};many${String(at)}@import.test`);
    await page.getByLabel('A file').check();
    await page.locator('input[type=file]').setInputFiles(file('many.csv', ['name;email', ...lines]));
    await choose('When rows are bad', 'Write the good rows');
    await button('Look at the rows').click();
    await button('Write 20000 rows').click({ timeout: 60_000 });
    await page.getByRole('progressbar', { name: 'Progress' }).waitFor();
    await page.getByText(/rows a second/).waitFor();
    await look(page, 'imports-running');
    await button('Cancel').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).last().click();
    await state('cancelled').waitFor();
  }, 180_000);
});

describe('people', () => {
  it('who may not write see no import', async () => {
    const agent = await office.visit('agent', '/t/helpdesk/ticket');
    await agent.getByRole('link', { name: 'New' }).first().waitFor();
    await office.go(agent, '/t/helpdesk/_imports');
    await agent.getByText('No file has been imported yet.').waitFor();
  }, 60_000);

  it('read it in German', async () => {
    await office.go(page, '/t/helpdesk/_imports/new?entity=customer');
    await page.evaluate(`localStorage.setItem('durabase.locale', 'de')`);
    await page.reload();
    await page.getByRole('button', { name: 'Zeilen prüfen' }).waitFor();
  }, 60_000);
});
