import { expect, it, vi } from 'vitest';
import { look, withOffice, type BackOffice } from '../../support/back-office.ts';
import { addPrinters, shows } from '../../support/printers.ts';

vi.setConfig({ testTimeout: 60_000 });

let office: BackOffice;
withOffice(async (opened) => {
  office = opened;
  await addPrinters(office);
});

it('shows a page of records in few requests and few nodes, whatever their names are', async () => {
  const page = await office.visit('agent', '/t/helpdesk/ticket');
  await shows(page, 25);
  const asked: string[] = [];
  page.on('request', (request) => {
    if (/\/api\/helpdesk\/(?!_events|_discovery)/.test(request.url())) asked.push(request.url());
  });
  await page.reload();
  await page.getByRole('link', { name: '=cmd|calc' }).waitFor();
  await shows(page, 25);
  expect(asked.filter((url) => !url.includes('/auth/')).length).toBeLessThanOrEqual(3);
  expect(await page.evaluate<number>('document.querySelectorAll("*").length')).toBeLessThan(2500);
  await look(page, 'list');
});

it('filters by what is built from field, condition and value; the address, Back and a reload keep it', async () => {
  const page = await office.visit('agent', '/t/helpdesk/ticket');
  await shows(page, 25);
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  const builder = page.getByRole('dialog', { name: 'Add filter' });
  // By keyboard alone: the field is focused, its list is open.
  await page.keyboard.type('Title');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await look(page, 'list-filter');
  await builder.getByLabel('Value').fill('printer 1');
  await page.keyboard.press('Enter');
  await page.waitForURL(/title\.icontains=printer\+1/);
  await shows(page, 10);
  await page.getByRole('button', { name: 'Title', exact: true }).click();
  await page.waitForURL(/sort=title/);
  await page.reload();
  await shows(page, 10);
  await look(page, 'list-filtered');
  await page.getByRole('button', { name: 'Remove: Title contains printer 1' }).click();
  await shows(page, 25);
  await page.goBack();
  await shows(page, 10);
  await page.getByRole('searchbox', { name: 'Search' }).fill('nothing at all');
  await page.getByText('Nothing matches these filters.').waitFor();
  await look(page, 'list-nothing-found');
  await page.getByRole('button', { name: 'Clear filters' }).first().click();
  await shows(page, 25);
  await page.getByRole('button', { name: 'Next page' }).click();
  await page.waitForURL(/page=2/);
});

it('keeps a list: saved, shared by its link, renamed, opened first, deleted', async () => {
  const page = await office.visit('agent', '/t/helpdesk/ticket?priority.eq=high&title.icontains=printer');
  await shows(page, 25);
  await page.getByRole('button', { name: 'Save this list' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Hot printers');
  await look(page, 'list-save');
  await page.keyboard.press('Enter');
  await page.getByRole('tab', { name: 'Hot printers', selected: true }).waitFor();
  const link = page.url();
  expect(link).toMatch(/\?list=[0-9a-f-]{36}$/);
  await page.getByRole('button', { name: 'Options of Hot printers' }).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Burning printers');
  await page.keyboard.press('Enter');
  await page.getByRole('tab', { name: 'Burning printers' }).waitFor();
  await page.getByRole('button', { name: 'Options of Burning printers' }).click();
  await page.getByRole('menuitem', { name: 'Open with this list' }).click();
  await page.getByRole('tab', { name: /Burning printers.*opens first/ }).waitFor();

  const again = await office.visit('agent', '/t/helpdesk/ticket');
  await again.getByRole('tab', { name: /Burning printers/, selected: true }).waitFor();
  const { total } = (await office.admin('GET', '/api/helpdesk/ticket?filter[priority]=high&filter[title.icontains]=printer')).at(
    'meta',
  ) as { total: number };
  await again.getByText(`1–25 of ${total}`).waitFor();
  await look(again, 'list-saved');
  await again.getByRole('button', { name: 'Options of Burning printers' }).click();
  await again.getByRole('menuitem', { name: 'Delete list' }).click();
  await again.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await again.getByRole('tab', { name: /Burning printers/ }).waitFor({ state: 'hidden' });
});

it('chooses and orders columns without a mouse, and remembers how high rows are', async () => {
  const page = await office.visit('agent', '/t/helpdesk/ticket');
  await shows(page, 25);
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('checkbox', { name: 'Created at' }).click();
  await page.getByRole('button', { name: 'Move Created at up' }).waitFor();
  await page.getByRole('button', { name: 'Move Status up' }).press('Enter');
  await look(page, 'list-columns');
  await page.getByRole('button', { name: 'Compact' }).click();
  await page.keyboard.press('Escape');
  await page.waitForURL(/columns=status%2Ctitle/);
  const heads = await page.getByRole('columnheader').allInnerTexts();
  expect(
    heads
      .map((head) => head.trim())
      .filter((head) => head !== '')
      .slice(0, 2),
  ).toEqual(['Status', 'Title']);
});
