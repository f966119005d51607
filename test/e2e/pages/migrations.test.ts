/** Migrations on data, watched and led in the browser. A transaction that holds one row makes a backfill stand where the test wants it. */
import pg from 'pg';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { databaseFor, passwordOf } from '../../../infra/local/database.ts';
import { RunFile } from '../../../infra/local/run-file.ts';
import { eventually, type Reply } from '../../support/api.ts';
import { BackOffice, look } from '../../support/back-office.ts';
import { holdBackfill } from '../../support/held-backfill.ts';

let office: BackOffice;
let client: pg.Client;
let table: string;
const ROWS = 4_000;
const HELD = { gate: 1_000, row: 2_000 };
const shop = (fields: object[], migrations: object, migrate: object[] = []) => ({
  version: 1,
  entities: [{ name: 'item', fields }],
  settings: { migrations },
  ...(migrate.length === 0 ? {} : { migrate }),
});
const NUMBER = { name: 'number', type: 'int' };
const asText = [NUMBER, { name: 'amount', type: 'string' }];
const asInt = [NUMBER, { name: 'amount', type: 'int' }];
const CONVERT = [{ convert: { entity: 'item', field: 'amount' } }];
const SETTINGS = { approval: 'breaking', grace: '7d', retention: '30d' };

beforeAll(async () => {
  office = await BackOffice.open();
  const { admin } = office;
  await admin('POST', '/api/_platform/apps', { name: 'shop' });
  expect((await admin('POST', '/api/shop/_admin/versions', shop(asText, { approval: 'never' }))).status).toBe(201);
  expect((await admin('POST', '/api/shop/_admin/versions', shop(asText, SETTINGS))).status).toBe(201);
  client = new pg.Client({ connectionString: await databaseOf(), application_name: 'nightly-report' });
  await client.connect();
  const { rows } = await client.query<{ storage: string }>("select storage from durabase.apps where name = 'shop'");
  table = `${rows[0]?.storage ?? ''}.item`;
  // Keys in the order of the numbers, as a backfill goes.
  await client.query(
    `insert into ${table} (id, number, amount)
     select lpad(to_hex(n), 32, '0')::uuid, n, case when n in (7, 9) then 'a dozen' else n::text end from generate_series(1, ${String(ROWS)}) n`,
  );
}, 180_000);
afterAll(async () => {
  await client.end();
  const complaints = office.complaints();
  await office.close();
  expect(complaints).toEqual([]);
});

const databaseOf = (): Promise<string> => {
  const { dataDir } = office.stack;
  return databaseFor(new RunFile(dataDir).port('postgres') ?? 0, passwordOf(dataDir));
};

/** Publishes the change of type; it waits for an approval. */
async function publish(): Promise<number> {
  const asked = await office.admin('POST', '/api/shop/_admin/versions', shop(asInt, SETTINGS, CONVERT));
  expect(asked.status, asked.text).toBe(202);
  return Number(asked.at('data', 'migration', 'to_version'));
}

/** A test that failed leaves its migration open, which would hold up the next ones. */
beforeEach(async () => {
  const newest = async (): Promise<Reply> => office.admin('GET', '/api/shop/_admin/migrations?per_page=1');
  const { id, status } = (await newest()).at('data', 0) as { id: string; status: string };
  if (!['awaiting_approval', 'running', 'paused'].includes(status)) return;
  await client.query('rollback');
  await office.admin('POST', `/api/shop/_admin/migrations/${id}/abort`);
  await eventually(newest, (reply) => reply.at('data', 0, 'status') === 'aborted');
});

const amountOf = async (number: number): Promise<unknown> =>
  (await office.admin('GET', `/api/shop/item?filter[number.eq]=${String(number)}`)).at('data', 0, 'amount');

async function approve(page: Page, comment: string): Promise<void> {
  await page.getByRole('button', { name: 'Approve' }).click();
  const dialog = page.getByRole('dialog', { name: 'Approve the plan' });
  await dialog.getByLabel('Comment').fill(comment);
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await dialog.waitFor({ state: 'hidden' });
}

it('shows a plan before anything is changed, tried on the records, and tells a decision that came too late', async () => {
  const version = await publish();
  const page = await office.visit('platform', '/t/shop/_migrations', [/409/]);
  await page.getByText('Waits for approval').first().waitFor();
  await look(page, 'migrations');
  await page.getByRole('link', { name: `Migration to version ${String(version)}` }).click();
  await page.getByText('2 of 4,000 records do not fit.').waitFor();
  await page.getByRole('list', { name: 'Backfill' }).waitFor();
  await look(page, 'migration-approval');
  await page.getByRole('button', { name: 'Approve' }).click();
  const dialog = page.getByRole('dialog', { name: 'Approve the plan' });
  await dialog.waitFor();
  await office.admin('POST', `/api/shop/_admin/migrations/${String(version)}/reject`, { comment: 'not today' });
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await dialog.getByText('It is not in the state that you saw any more.').waitFor();
  await look(page, 'migration-too-late');
  await page.keyboard.press('Escape');
  await page.getByText('The plan was rejected.').first().waitFor();
  await page.getByText('Nothing had been changed yet').waitFor();
  expect(await amountOf(8)).toBe('8');
}, 90_000);

it('is watched live across a reload, paused, and called off: the older shape is all there', async () => {
  const version = await publish();
  const page = await office.visit('platform', `/t/shop/_migrations/${String(version)}`);
  const held = await holdBackfill(client, table, HELD);
  await approve(page, 'go ahead');
  const bar = page.getByRole('progressbar', { name: 'Progress' });
  await page.getByText('It waits for a lock').waitFor();
  await held.atRow();
  await page.getByText('nightly-report').waitFor();
  const seen = await eventually(
    async () => Number(await bar.getAttribute('aria-valuenow')),
    (share) => share > 0,
  );
  expect(seen).toBeLessThanOrEqual(50);
  await page.reload();
  await page.getByText('nightly-report').waitFor();
  expect(Number(await bar.getAttribute('aria-valuenow'))).toBeGreaterThanOrEqual(seen);
  await page.getByText(/of 4,000 rows/).waitFor();
  expect(
    await page
      .getByText(/of 4,000 rows/)
      .locator('..')
      .innerText(),
  ).not.toMatch(/[-−]\d/);
  await look(page, 'migration-live');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('dialog', { name: 'Pause' }).getByRole('button', { name: 'Pause' }).click();
  await page.getByText('It stands still where it is.').first().waitFor();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  await page.getByRole('button', { name: 'Abort' }).click();
  const dialog = page.getByRole('dialog', { name: 'Abort the migration' });
  await dialog.getByLabel('Why').fill('later');
  await look(page, 'migration-abort');
  await dialog.getByRole('button', { name: 'Abort' }).click();
  await held.release();
  await page.getByText('It was called off. Version 2 is served as before.').waitFor();
  await page
    .getByRole('region', { name: 'Taken back' })
    .getByText(/^backfill\/item/)
    .waitFor();
  await look(page, 'migration-aborted');
  expect(await amountOf(8)).toBe('8');
}, 90_000);

it('has what does not fit repaired in place, serves both shapes, names who still uses the older one, and is undone', async () => {
  const version = await publish();
  const page = await office.visit('platform', `/t/shop/_migrations/${String(version)}`);
  await approve(page, 'once more');
  await page.getByText('2 values do not fit the new version.').waitFor({ timeout: 40_000 });
  await look(page, 'migration-quarantine');
  for (const left of [1, 0]) {
    const value = page.getByRole('textbox', { name: /^New value of amount/ }).first();
    await value.fill(left === 1 ? 'none' : '12');
    await page
      .getByRole('button', { name: /^Repair amount/ })
      .first()
      .click();
    if (left === 1) {
      await page.getByRole('alert').getByText('VALIDATION_FAILED').waitFor();
      await value.fill('12');
      await page
        .getByRole('button', { name: /^Repair amount/ })
        .first()
        .click();
      await page.getByText('1 value does not fit the new version.').waitFor();
    }
  }
  await page.getByText('All values are repaired.').waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('dialog', { name: 'Resume' }).getByRole('button', { name: 'Resume' }).click();
  await page.getByText('In grace').waitFor({ timeout: 40_000 });
  expect(await amountOf(8)).toBe(8);
  expect(await amountOf(9)).toBe(12);
  const old: Reply = await office.admin('GET', '/api/shop/item?filter[number.eq]=8', undefined, { 'Schema-Version': '2' });
  expect(old.at('data', 0, 'amount')).toBe('8');
  await page.getByText('1 client still uses version 2.').waitFor();
  await look(page, 'migration-grace');
  await page.getByRole('link', { name: 'Roll back to version 2' }).click();
  await page.getByRole('button', { name: 'Publish for approval' }).click();
  await page.getByRole('heading', { level: 1, name: `Migration to version ${String(version + 1)}` }).waitFor();
  await approve(page, 'undo');
  await page.getByText('In grace').waitFor({ timeout: 40_000 });
  expect(await amountOf(8)).toBe('8');
  await page.getByRole('button', { name: 'End the grace now' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End the grace now' }).click();
  await page.getByText('In retention').waitFor({ timeout: 40_000 });
  await page.getByRole('button', { name: 'Drop now' }).click();
  const dialog = page.getByRole('dialog', { name: 'Drop what was left' });
  expect(await dialog.getByRole('button', { name: 'Drop now' }).isDisabled()).toBe(true);
  await dialog.getByRole('textbox').fill('shop');
  await look(page, 'migration-drop');
  await dialog.getByRole('button', { name: 'Drop now' }).click();
  await page.getByText(/took over/).waitFor({ timeout: 40_000 });
}, 90_000);
