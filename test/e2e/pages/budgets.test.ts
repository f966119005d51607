/** What the pages ask of a browser and of the API, as far as it does not depend on how busy the machine is. Times: `npm run prove -- page-times`. */
import { beforeAll, expect, it } from 'vitest';
import type { CDPSession, Page } from 'playwright-core';
import { type BackOffice, withOffice } from '../../support/back-office.ts';

let office: BackOffice;
let page: Page;
withOffice(async (opened) => {
  office = opened;
  const agent = await office.as('agent');
  const customer = await agent('GET', '/api/helpdesk/customer?per_page=1');
  const create = Array.from({ length: 40 }, (_, index) => ({
    title: `Ticket ${String(index)}`,
    description: 'As it says',
    priority: 'low',
    customer_id: customer.at('data', 0, 'id'),
  }));
  expect((await agent('POST', '/api/helpdesk/ticket/_bulk', { create })).status).toBe(200);
});

beforeAll(async () => {
  page = await office.visit('lead', '/t/helpdesk');
  await page.getByRole('region', { name: 'Last changes' }).waitFor();
});

const toTickets = async (): Promise<void> => {
  await page.getByRole('menuitem', { name: 'Ticket', exact: true }).click();
  await page.getByRole('link', { name: /^Ticket 39$/ }).waitFor();
};

it('lists 25 records and what they refer to with three requests at most, in fewer than 2,500 nodes', async () => {
  const asked: string[] = [];
  const note = (request: { url(): string }): void => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/api/') && !pathname.endsWith('/_events')) asked.push(request.url());
  };
  page.on('request', note);
  await toTickets();
  await page.waitForLoadState('networkidle');
  page.off('request', note);
  expect(asked.length, asked.join('\n')).toBeLessThanOrEqual(3);
  expect(await page.evaluate('document.querySelectorAll("*").length')).toBeLessThan(2_500);
});

it.each(['', '/ticket', '/_approvals', '/_clocks'])('moves nothing under the pointer while %s comes up', async (path) => {
  await office.go(page, `/t/helpdesk${path}`);
  await page.waitForLoadState('networkidle');
  const { sum, moved } = (await page.evaluate(`new Promise((resolve) => {
    let sum = 0;
    const moved = [];
    const told = ({ node, previousRect, currentRect }) =>
      (node?.className ?? node?.nodeName) + ' ' + node?.textContent?.slice(0, 40) + ' ' + previousRect.y + ' to ' + currentRect.y;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries().filter((one) => !one.hadRecentInput)) {
        sum += entry.value;
        moved.push(...entry.sources.map((source) => entry.value.toFixed(3) + ' ' + told(source)));
      }
    }).observe({ type: 'layout-shift', buffered: true });
    setTimeout(() => resolve({ sum, moved }), 200);
  })`)) as { sum: number; moved: string[] };
  expect(sum, moved.join('\n')).toBeLessThanOrEqual(0.02);
});

async function heapMb(cdp: CDPSession): Promise<number> {
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  return usedSize / 1024 / 1024;
}

it('keeps its memory over fifty pages', async () => {
  const cdp = await page.context().newCDPSession(page);
  const around = async (times: number): Promise<void> => {
    for (let turn = 0; turn < times; turn++) {
      await toTickets();
      await page.getByRole('menuitem', { name: 'Home' }).click();
      await page.getByRole('region', { name: 'Last changes' }).waitFor();
    }
  };
  // Code and caches of the pages are there after the first turns.
  await around(3);
  const before = await heapMb(cdp);
  await around(25);
  const after = await heapMb(cdp);
  expect(after).toBeLessThan(120);
  expect(after - before).toBeLessThan(15);
}, 120_000);
