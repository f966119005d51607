import { expect, it } from 'vitest';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
withOffice((opened) => void (office = opened));

it('shows events as they happen, pauses without losing any, and says how a program gets the same', async () => {
  const lead = await office.as('lead');
  const customer = (await lead('GET', '/api/helpdesk/customer?per_page=1')).at('data', 0, 'id');
  const fields = { description: 'x', priority: 'low', customer_id: customer };
  const make = async (title: string): Promise<string> =>
    String((await lead('POST', '/api/helpdesk/ticket', { ...fields, title })).at('data', 'id'));
  const page = await office.visit('platform', '/t/helpdesk/_events', [/400/]);
  await page.getByText('live', { exact: true }).waitFor();
  await look(page, 'events-waiting');
  const log = page.getByRole('list', { name: 'Events' });
  const first = await make('Told at once');
  await log.getByRole('link', { name: first }).waitFor();
  await page.getByRole('combobox', { name: 'Entities' }).click();
  await page.getByRole('option', { name: 'Ticket', exact: true }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('textbox', { name: 'Filter (JSON)' }).fill('{"priority": "high"');
  await page.getByText('This is no JSON object.').waitFor();
  await page.getByRole('textbox', { name: 'Filter (JSON)' }).fill('{"priority": "low"}');
  await page.getByRole('switch', { name: 'With the record as it is now' }).click();
  await page.getByRole('switch', { name: 'With the record as it is now', checked: true }).waitFor();
  await log.getByRole('link', { name: first }).waitFor({ state: 'detached' });
  await page.getByText('live', { exact: true }).waitFor();
  await page.reload();
  await page.getByText('live', { exact: true }).waitFor();
  expect((await lead('PATCH', `/api/helpdesk/ticket/${first}`, { description: 'y' })).status).toBe(200);
  await log.getByText(/Changed: .*description/).waitFor();
  await log.getByText('As it came').first().click();
  await log.getByText('"title": "Told at once"').waitFor();
  await look(page, 'events');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('paused', { exact: true }).waitFor();
  const second = await make('While it was paused');
  await lead('POST', '/api/helpdesk/ticket', { ...fields, priority: 'high', title: 'Not of this filter' });
  await page.waitForTimeout(1_000);
  expect(await log.getByRole('link', { name: second }).count()).toBe(0);
  await page.getByRole('button', { name: 'Go on' }).click();
  await log.getByRole('link', { name: second }).waitFor();
  await page.getByText('2 events').waitFor();
  const snippet = page.getByRole('region', { name: 'curl' });
  await snippet.getByText(/_events\?entities=ticket&filter=.*include_record=true/).waitFor();
  await page.getByRole('tab', { name: 'EventSource' }).click();
  await page
    .getByRole('region', { name: 'EventSource' })
    .getByText(/new EventSource/)
    .waitFor();
  await page.getByRole('tab', { name: 'Client' }).click();
  await page
    .getByRole('region', { name: 'Client' })
    .getByText(/client\.subscribe/)
    .waitFor();
  await look(page, 'events-snippet');
  await page.getByRole('textbox', { name: 'Filter (JSON)' }).fill('{"nonsense": 1}');
  await page.getByText('ended', { exact: true }).waitFor();
  await page.getByRole('alert').first().waitFor();
  await look(page, 'events-refused');
}, 120_000);
