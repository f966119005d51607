import { expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
withOffice((opened) => void (office = opened));

async function choose(page: Page, label: string, option: string | RegExp): Promise<void> {
  await page.getByRole('combobox', { name: label, exact: true }).click();
  await page.getByRole('option', { name: option }).first().click();
}

const ticket = { title: 'A', description: 'x' };

it('adds a rule by clicking, tries it before it is published, turns it off and deletes it', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_rules');
  await page.getByRole('link', { name: 'title has at least 5 characters', exact: true }).waitFor();
  await look(page, 'rules');
  await page.getByRole('link', { name: 'New rule' }).click();
  await page.getByText('Fill in the rule first').waitFor();
  await choose(page, 'Entity', 'Ticket');
  await choose(page, 'Field', /^Title/);
  await choose(page, 'Operator', 'has at most … characters');
  await page.getByRole('textbox', { name: 'Value' }).fill('20');
  await page.getByRole('textbox', { name: 'Message' }).fill('Keep titles short.');
  const trial = page.getByRole('region', { name: 'Try it' });
  await trial.getByRole('textbox', { name: 'Title' }).fill('The printer does not print at all');
  const outcome = trial.getByRole('row', { name: /title has at most 20 characters/ });
  await outcome.getByText('Keep titles short.').waitFor();
  await outcome.getByText('violated').waitFor();
  await look(page, 'rule-tried');
  await page.getByRole('button', { name: 'Publish rule' }).click();
  await page.getByText(/Published as version/).waitFor();
  await look(page, 'rule-published');

  const post = () => office.admin('POST', '/api/helpdesk/ticket', { ...ticket, title: 'The printer does not print at all' });
  expect(JSON.stringify((await post()).body)).toContain('Keep titles short.');
  await page.getByRole('switch', { name: 'Turn off: title has at most 20 characters' }).click();
  await page.getByRole('switch', { name: 'Turn on: title has at most 20 characters' }).waitFor();
  expect(JSON.stringify((await post()).body)).not.toContain('Keep titles short.');
  await page.getByRole('button', { name: 'Delete: title has at most 20 characters' }).click();
  await page.getByRole('dialog', { name: 'Delete this rule?' }).waitFor();
  await look(page, 'rule-delete');
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.getByRole('link', { name: 'title has at most 20 characters', exact: true }).waitFor({ state: 'hidden' });
}, 90_000);

it('judges an expression as it is typed: names, mistakes at their place, and what it comes to for a stored record', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_rules/new?entity=ticket');
  await page.getByRole('button', { name: 'Expression' }).click();
  const editor = page.getByRole('textbox', { name: 'Violated when this is true' });
  await editor.pressSequentially('record.sta');
  // Not by Enter, which the editor takes as a new line in the first moment of its list.
  await page.getByRole('option', { name: /^status/ }).click();
  await editor.pressSequentially(' = ');
  await page.keyboard.press('Control+Space');
  await page.getByRole('option', { name: "'on_hold'" }).waitFor();
  await page.getByRole('option', { name: "'open'" }).click();
  expect(await editor.textContent()).toBe("record.status = 'open'");
  await choose(page, 'Start from a stored record', /Label printer/);
  await page.getByText(/For the sample: (true|false) · (violated|fine)/).waitFor();
  await editor.fill('record.titel = nil and');
  await page.getByText('Unexpected end of expression').first().waitFor();
  await editor.fill('record.titel = nil');
  await page.getByText('ticket has no field “titel”: it is always null. Did you mean title').waitFor();
  await look(page, 'rule-expression');
  await page.getByRole('button', { name: 'JSON' }).click();
  await page.getByRole('textbox', { name: 'Sample record as JSON' }).waitFor();
  await look(page, 'rule-json');
}, 90_000);

it('says what a publish refuses where it belongs, and is not there for those who may not', async () => {
  const page = await office.visit('platform', '/t/helpdesk/_rules/new?entity=ticket');
  await choose(page, 'Field', /^Priority/);
  await choose(page, 'Operator', 'matches a pattern');
  await page.getByRole('textbox', { name: 'Value' }).fill('(');
  await page.getByRole('button', { name: 'Publish rule' }).click();
  await page.getByRole('form').getByRole('alert').waitFor();
  expect(await page.getByRole('textbox', { name: 'Value' }).getAttribute('aria-invalid')).toBe('true');
  await look(page, 'rule-refused');
  const agent = await office.visit('agent', '/t/helpdesk/_rules');
  await agent.getByText('There is no such page.').waitFor();
  expect((await (await office.as('agent'))('GET', '/api/helpdesk/_admin/rules')).status).toBe(403);
}, 90_000);
