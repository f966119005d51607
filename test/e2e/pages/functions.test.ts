import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
withOffice((opened) => void (office = opened));

async function choose(page: Page, label: string, option: string | RegExp): Promise<void> {
  await page.getByRole('combobox', { name: label, exact: true }).click();
  await page
    .getByRole('option', { name: option, exact: typeof option === 'string' })
    .first()
    .click();
}

it('attaches a function of the registry, tried on a record first, runs its tests and takes it away', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_functions/registry');
  await page.getByRole('textbox', { name: 'Find a function' }).fill('normalize_whitespace');
  await page.getByRole('article', { name: 'normalize_whitespace' }).waitFor();
  await look(page, 'functions-registry');
  await page.getByRole('link', { name: 'Attach normalize_whitespace' }).click();
  await page.getByRole('form').getByRole('textbox', { name: 'Name' }).fill('tidy title');
  await choose(page, 'Entity', 'Ticket');
  await choose(page, 'Field it is about', 'title');
  const trial = page.getByRole('region', { name: 'Try it' });
  await trial.getByRole('textbox', { name: 'Title' }).fill('  Printer   is   broken ');
  await trial.getByText('"Printer is broken"').waitFor();
  const tests = [{ name: 'blanks', input: { record: { title: ' a  b ' } }, expect: { result: 'a b' } }];
  await page.getByRole('textbox', { name: 'Tests (JSON)' }).fill(JSON.stringify(tests));
  await look(page, 'function-tried');
  await page.getByRole('button', { name: 'Publish attachment' }).click();
  await page.getByText(/Published as version/).waitFor();
  await page.getByRole('button', { name: 'Run all tests' }).click();
  await page.getByText('All tests passed.').waitFor();
  await look(page, 'functions');
  await page.getByRole('button', { name: 'Delete tidy title' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByText('Nothing is attached yet.').waitFor();
}, 90_000);

it('shows runs with what they were given, narrowed by their status', async () => {
  const attachment = {
    name: 'mailed',
    entity: 'customer',
    on: 'before_create',
    function: 'validate_email',
    field: 'email',
    params: { domains: ['desk.test'] },
    log: true,
  };
  expect((await office.admin('POST', '/api/helpdesk/_admin/function-attachments', attachment)).status).toBe(201);
  expect((await office.admin('POST', '/api/helpdesk/customer', { name: 'A', email: 'a@elsewhere.test' })).status).toBe(422);
  const page = await office.visit('platform', '/t/helpdesk/_functions/runs');
  await page.getByRole('row', { name: /validate_email.*failed/ }).waitFor();
  await look(page, 'function-runs');
  await page.getByRole('button', { name: /^Details: validate_email/ }).click();
  await page
    .getByRole('dialog', { name: 'Run of validate_email' })
    .getByText(/elsewhere/)
    .first()
    .waitFor();
  await look(page, 'function-run');
  await page.getByRole('button', { name: 'Close' }).click();
  await choose(page, 'Status', 'succeeded');
  await page.getByText('No runs here.').waitFor();
  expect(page.url()).toContain('status=succeeded');
}, 90_000);
