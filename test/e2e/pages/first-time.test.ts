/** The way of somebody who sees the office for the first time: from an empty window to a change of live data, and back. Clicks only. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { type BackOffice, look, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
let page: Page;
withOffice(async (opened) => {
  office = opened;
  // A draft whose values want a conversion is refused until it says so.
  page = await office.visit('platform', '/platform/apps', [/409/]);
});

const LONG = 180_000;

async function choose(label: string, option: string | RegExp): Promise<void> {
  await page.getByRole('combobox', { name: label, exact: true }).click();
  await page
    .getByRole('option', { name: option, exact: typeof option === 'string' })
    .first()
    .click();
}
const menu = (name: string): Promise<void> => page.getByRole('menuitem', { name, exact: true }).click();
const state = (text: RegExp): Promise<void> => page.getByRole('status').filter({ hasText: text }).first().waitFor();

/** From an entity's form: what was typed is the field's name, then it is set. */
async function addField(entity: string, name: string, type: string): Promise<void> {
  await page.getByRole('button', { name: 'New field' }).click();
  await page.getByRole('heading', { name: 'field', level: 2, exact: true }).waitFor();
  await page.keyboard.type(name);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name, level: 2, exact: true }).waitFor();
  if (type !== 'string') await choose('Type', type);
  await page.getByRole('button', { name: entity, exact: true }).click();
  await page.getByRole('heading', { name: entity, level: 2, exact: true }).waitFor();
}

async function publish(): Promise<void> {
  await page.getByRole('button', { name: 'Publish…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Publish a new version' });
  await dialog.getByRole('list', { name: 'What changes' }).waitFor();
  await dialog.getByRole('button', { name: 'Publish' }).click();
  await dialog.waitFor({ state: 'hidden' });
}

it(
  'makes an app from an example',
  async () => {
    await page.getByRole('button', { name: 'New app' }).click();
    const dialog = page.getByRole('dialog', { name: 'New app' });
    await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('people');
    await dialog.getByLabel('Display name').fill('People');
    await dialog.getByRole('combobox', { name: 'an example' }).click();
    await page.getByRole('option', { name: 'employees' }).click();
    await dialog.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('menuitem', { name: 'Employee', exact: true }).waitFor();
    await look(page, 'first-home');
  },
  LONG,
);

it(
  'draws an entity and a relation, and publishes them',
  async () => {
    await menu('Schema');
    await page.getByRole('button', { name: 'New entity' }).click();
    await page.getByRole('dialog', { name: 'New entity' }).getByLabel('Name').fill('Training');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'training', level: 2, exact: true }).waitFor();
    await addField('training', 'starts_on', 'date');
    await addField('training', 'price', 'string');
    await look(page, 'first-entity');
    await page.getByRole('region', { name: 'Relations' }).getByRole('button', { name: 'Link…' }).click();
    const link = page.getByRole('dialog', { name: 'New relation' });
    await choose('From', 'employee');
    await choose('To', 'training');
    await look(page, 'first-relation');
    await link.getByRole('button', { name: 'Create' }).click();
    await state(/2 changes, compatible/);
    await look(page, 'first-linked');
    await publish();
    await page.getByText(/Version \d+ is active\./).waitFor();
    await page.getByRole('menuitem', { name: 'Training', exact: true }).waitFor();
    await look(page, 'first-published');
  },
  LONG,
);

it(
  'adds a rule that holds at once',
  async () => {
    await menu('Rules');
    await page.getByRole('link', { name: 'New rule' }).click();
    await choose('Entity', 'Training');
    await choose('Field', /^Name/);
    await choose('Operator', 'has at least … characters');
    await page.getByRole('textbox', { name: 'Value' }).fill('5');
    await page.getByRole('textbox', { name: 'Message' }).fill('Say what it is about.');
    await look(page, 'first-rule');
    await page.getByRole('button', { name: 'Publish rule' }).click();
    await page.getByText(/Published as version/).waitFor();
    await look(page, 'first-ruled');
  },
  LONG,
);

it(
  'gives a role a permission, and tries it',
  async () => {
    await menu('Permissions');
    await page.getByRole('button', { name: 'manager may read Training: denied' }).click();
    await page.getByRole('button', { name: 'Grant or deny this' }).click();
    const form = page.getByRole('dialog', { name: 'New permission' });
    await form.getByRole('button', { name: 'Put into the draft' }).click();
    await form.waitFor({ state: 'hidden' });
    await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByRole('button', { name: 'Review and publish' }).click();
    await page
      .getByRole('region', { name: 'Who gains access' })
      .getByRole('row', { name: /role manager.*Training: read/ })
      .waitFor();
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByText(/Published as version/).waitFor();
    await page.getByRole('tab', { name: 'Simulator' }).click();
    await page.getByRole('combobox', { name: 'With these roles' }).fill('manager');
    await page.keyboard.press('Enter');
    await choose('Entity', 'Training');
    await page.getByRole('region', { name: /^Allowed/ }).waitFor();
    await look(page, 'first-simulated');
  },
  LONG,
);

it(
  'enters records, which the rule judges',
  async () => {
    await menu('Training');
    await look(page, 'first-no-records');
    await page.getByRole('link', { name: 'New' }).first().click();
    await page.getByLabel('Name').fill('SQL');
    await page.getByLabel('Price').fill('120');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Say what it is about.', { exact: true }).waitFor();
    await look(page, 'first-record-refused');
    await page.getByLabel('Name').fill('SQL for everybody');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.waitForURL(/\/training\/.*\/show/);
    await look(page, 'first-record');
  },
  LONG,
);

it(
  'changes the type of a field that has values: looks, approves, watches, and undoes it',
  async () => {
    await menu('App settings');
    await choose('Plans wait for somebody’s word', 'when they break older clients');
    await look(page, 'first-settings');
    await page.getByRole('button', { name: 'Review and publish' }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Publish/ })
      .click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await menu('Schema');
    await page.getByRole('combobox', { name: 'Find an entity or field' }).fill('training.price');
    await page.getByRole('option', { name: 'training.price', exact: true }).click();
    await choose('Type', 'int');
    await page.getByRole('tab', { name: /Impact/ }).click();
    await page.getByRole('button', { name: 'Convert the values' }).click();
    await state(/1 change, breaking/);
    await look(page, 'first-type');
    await publish();
    await page.getByText(/waits for approval/).waitFor();
    await look(page, 'first-waiting');
    await page.getByRole('link', { name: 'See its migration' }).click();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('dialog', { name: 'Approve the plan' }).getByRole('button', { name: 'Approve' }).click();
    await page.getByText('In grace').waitFor({ timeout: 40_000 });
    await look(page, 'first-migrated');
    await menu('Training');
    await page.getByRole('row', { name: /SQL for everybody.*120/ }).waitFor();
    await page.goBack();
    await page.getByRole('link', { name: /^Roll back to version/ }).click();
    await look(page, 'first-rollback');
    await page.getByRole('button', { name: 'Publish for approval' }).click();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('dialog', { name: 'Approve the plan' }).getByRole('button', { name: 'Approve' }).click();
    await page.getByText('In grace').waitFor({ timeout: 40_000 });
    await look(page, 'first-undone');
    expect(await page.locator('h1').textContent()).toMatch(/Migration to version/);
  },
  LONG,
);
