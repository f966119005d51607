import fs from 'node:fs';
import { expect, it, vi } from 'vitest';
import { look, withOffice, type BackOffice } from '../../support/back-office.ts';
import { addPrinters, rows, shows } from '../../support/printers.ts';

vi.setConfig({ testTimeout: 60_000 });

let office: BackOffice;
withOffice(async (opened) => {
  office = opened;
  await addPrinters(office);
});

it('does with many what may be done, tells what was refused, and brings back what was deleted', async () => {
  const page = await office.visit('platform', '/t/helpdesk/ticket?title.icontains=printer+0&sort=title');
  await shows(page, 10);
  await page.getByRole('checkbox', { name: 'Select Printer 00 is on fire' }).check();
  await page.getByRole('checkbox', { name: 'Select Printer 01 is on fire' }).check();
  await page.getByRole('button', { name: 'Change a field' }).click();
  await look(page, 'list-change');
  const dialog = page.getByRole('dialog', { name: 'Change 2 records' });
  await dialog.getByLabel('New value').fill('x');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('2 were refused').waitFor();
  await page.getByText('The title needs at least 5 characters.').first().waitFor();
  await look(page, 'list-refused');
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await shows(page, 8);
  await page.getByRole('tab', { name: 'Deleted' }).click();
  await shows(page, 2);
  await look(page, 'list-deleted');
  await page.getByRole('checkbox', { name: 'Select all rows of this page' }).check();
  await page.getByRole('button', { name: 'Restore' }).click();
  await page.getByText('Nothing is deleted.').waitFor();
});

it('writes the filtered list into a file, without formulas', async () => {
  const page = await office.visit('agent', '/t/helpdesk/ticket?title.icontains=cmd');
  await shows(page, 1);
  await page.getByRole('button', { name: 'More' }).click();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'Export as CSV' }).click()]);
  expect(file.suggestedFilename()).toBe('ticket.csv');
  const lines = fs
    .readFileSync(await file.path(), 'utf8')
    .trim()
    .split(/\r?\n/);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain("'=cmd|calc");
});

it('edits where a value stands once that is turned on, and says at the value why one is refused', async () => {
  const page = await office.visit('agent', '/t/helpdesk/ticket?title.icontains=printer+05');
  await shows(page, 1);
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Edit in the table' }).click();
  await page.getByRole('button', { name: /^Change Title of Printer 05 is on fire/ }).press('Enter');
  const input = page.getByRole('textbox', { name: 'Change Title of Printer 05 is on fire' });
  await input.fill('no');
  await input.press('Enter');
  await page.getByText('The title needs at least 5 characters.').waitFor();
  await look(page, 'list-edit');
  // On the phone there are cards, so the input is gone.
  await page.getByRole('button', { name: /^Change Title of Printer 05 is on fire/ }).press('Enter');
  await input.fill('Printer 05 is wet');
  await input.press('Enter');
  await page.getByRole('button', { name: /^Change Title of Printer 05 is wet/ }).waitFor();
});

it('tells of new records without moving a row, and follows when asked to', async () => {
  const page = await office.visit('agent', '/t/helpdesk/customer');
  await page.getByRole('status', { name: 'Live', exact: true }).waitFor();
  const before = await rows(page).allInnerTexts();
  await office.admin('POST', '/api/helpdesk/customer', { name: 'Brand New', email: 'brand@new.test' });
  await page.getByText('One new record').waitFor();
  expect(await rows(page).allInnerTexts()).toEqual(before);
  await look(page, 'list-news');
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.getByRole('link', { name: 'Brand New' }).waitFor();
});

it('finds records from the command palette', async () => {
  const page = await office.visit('agent', '/t/helpdesk');
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('printer 33');
  await page.getByRole('option', { name: /Printer 33 is on fire/ }).waitFor();
  await look(page, 'palette-records');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/ticket\/[0-9a-f-]{36}\/show/);
});

it('says that there is nothing yet, and shows a new field once the schema has one', async () => {
  const document = { version: 1, entities: [{ name: 'shelf', fields: [{ name: 'title', type: 'string' }] }] };
  await office.admin('POST', '/api/_platform/apps', { name: 'attic', display_name: 'Attic' });
  await office.admin('POST', '/api/attic/_admin/import?mode=merge', document);
  const page = await office.visit('platform', '/t/attic/shelf');
  await page.getByText('There is nothing here yet.').waitFor();
  await page.getByRole('link', { name: 'Create the first one' }).waitFor();
  await look(page, 'list-empty');
});
