/** Sixty-four tickets of the helpdesk: printers on fire, and titles that break tables. */
import { expect } from 'vitest';
import type { Page } from 'playwright-core';
import type { BackOffice } from './back-office.ts';

export async function addPrinters(office: BackOffice): Promise<void> {
  const customers = await office.admin('GET', '/api/helpdesk/customer?per_page=3');
  const customer_id = customers.at('data', 0, 'id');
  const create = [
    ...Array.from({ length: 60 }, (_, n) => ({
      title: `Printer ${String(n).padStart(2, '0')} is on fire`,
      priority: n % 2 === 0 ? 'high' : 'low',
    })),
    { title: 'W'.repeat(200) },
    { title: 'مرحبا بالعالم هذا نص طويل من اليمين إلى اليسار' },
    { title: '👩‍👩‍👧‍👦 a family, 🎉🎉' },
    { title: '=cmd|calc' },
  ].map((ticket) => ({ description: 'x', customer_id, ...ticket }));
  expect((await office.admin('POST', '/api/helpdesk/ticket/_bulk', { create })).status).toBe(200);
}

export const rows = (page: Page): ReturnType<Page['getByRole']> => page.getByRole('table').getByRole('row');
/** Rows of the body, once there are as many as that. */
export const shows = async (page: Page, count: number): Promise<void> => {
  await expect.poll(() => rows(page).count(), { timeout: 10_000 }).toBe(count + 1);
};
