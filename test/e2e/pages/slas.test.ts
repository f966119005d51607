import { expect, it } from 'vitest';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
withOffice((opened) => void (office = opened));

it('lists SLAs, what falls due and calendars, and tries an edit on a stored record before it is published', async () => {
  const lead = await office.as('lead');
  const customer = (await lead('GET', '/api/helpdesk/customer?per_page=1')).at('data', 0, 'id');
  const fields = { title: 'Waits for somebody', description: 'x', priority: 'critical', customer_id: customer };
  expect((await lead('POST', '/api/helpdesk/ticket', fields)).status).toBe(201);
  const page = await office.visit('platform', '/t/helpdesk/_slas');
  await page.getByRole('row', { name: /support_hours.*Europe\/Berlin.*08:00-18:00/ }).waitFor();
  await page
    .getByRole('region', { name: 'What falls due' })
    .first()
    .getByText(/0 paused/)
    .waitFor();
  await look(page, 'slas');
  await page.getByRole('link', { name: 'first_response', exact: true }).click();
  const trial = page.getByRole('region', { name: 'Try it' });
  await trial.getByRole('combobox', { name: 'Record of Ticket' }).fill('Waits');
  await page.getByRole('option', { name: 'Waits for somebody' }).click();
  await trial
    .getByRole('article', { name: 'Clock 1' })
    .getByText(/of 1 h/)
    .waitFor();
  await page.getByRole('textbox', { name: 'Target 1' }).fill('2h');
  await trial
    .getByRole('article', { name: 'Clock 1' })
    .getByText(/of 2 h/)
    .waitFor();
  await look(page, 'sla-tried');
  await page.getByRole('button', { name: 'Publish SLA' }).click();
  await page.getByText(/Published as version/).waitFor();
  await page.getByRole('row', { name: /first_response.*2h \/ 4h \/ 8h/ }).waitFor();
}, 90_000);

it('makes a calendar of opening hours and days of their own, and says what is wrong with one', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_slas/calendars/new');
  await page.getByRole('textbox', { name: 'Name' }).first().fill('night_shift');
  await page.getByRole('combobox', { name: 'Time zone' }).fill('Europe/Nowhere');
  await page.getByRole('button', { name: 'Publish calendar' }).click();
  await page.getByRole('form').getByRole('alert').waitFor();
  await look(page, 'calendar-refused');
  await page.getByRole('combobox', { name: 'Time zone' }).fill('Europe/Paris');
  await page.getByRole('textbox', { name: 'Monday' }).fill('22:00-06:00');
  await page.getByRole('button', { name: 'Add a day' }).click();
  await page.getByRole('textbox', { name: 'Day', exact: true }).fill('12-25');
  await page.getByRole('button', { name: 'Publish calendar' }).click();
  await page.getByText(/Published as version/).waitFor();
  await page.getByRole('row', { name: /night_shift.*Europe\/Paris.*22:00-06:00/ }).waitFor();
  await page.getByRole('button', { name: 'Delete night_shift' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('link', { name: 'night_shift' }).waitFor({ state: 'hidden' });
}, 90_000);
