/**
 * How long the back office takes in a browser: a cold list as it is, the same on a slow machine and line (a quarter of the processor, 10 Mbit/s,
 * 40 ms), the way between pages that are there already, and the longest interaction. Medians of a few runs, held to their budgets on a quiet
 * machine; half as much again where other work is under way.
 *
 *   npm run prove -- page-times [--runs 5]
 */
import os from 'node:os';
import { parseArgs } from 'node:util';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { signIn } from '../support/api.ts';
import { launchBrowser } from '../support/browser.ts';
import { demand } from '../support/demand.ts';
import { Stack } from '../support/process.ts';

/** Milliseconds; what a person waits for before the page can be read or answers. */
const BUDGETS = {
  firstPaint: { what: 'cold list: first contentful paint', ms: 1_000 },
  largestPaint: { what: 'cold list: largest contentful paint', ms: 1_500 },
  blocked: { what: 'cold list: total blocking time', ms: 300 },
  slowList: { what: 'cold list at a quarter of the processor and 10 Mbit/s: usable', ms: 4_500 },
  warmList: { what: 'to a list that is there already', ms: 300 },
  warmPage: { what: 'to a page that is loaded then', ms: 600 },
  interaction: { what: 'the longest interaction', ms: 200 },
} as const satisfies Readonly<Record<string, { readonly what: string; readonly ms: number }>>;
type Measure = keyof typeof BUDGETS;

const EMAIL = 'admin@localhost';
const PASSWORD = 'changeme';
const TICKETS = 30;

/** Collected from the first moment on: entries that nobody observes are dropped. */
const OBSERVE = `window.measured = { largest: 0, blocked: 0, longest: 0 };
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => (measured.largest = entry.startTime))).observe({ type: 'largest-contentful-paint', buffered: true });
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => (measured.blocked += Math.max(0, entry.duration - 50)))).observe({ type: 'longtask', buffered: true });
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => (measured.longest = Math.max(measured.longest, entry.duration)))).observe({ type: 'event', durationThreshold: 16, buffered: true });`;

class Office {
  readonly #stack: Stack;
  readonly #browser: Browser;

  constructor(stack: Stack, browser: Browser) {
    this.#stack = stack;
    this.#browser = browser;
  }

  /** Signed in by the refresh cookie, with nothing cached: how one comes back on the next day. */
  async #person(): Promise<{ context: BrowserContext; page: Page }> {
    const context = await this.#browser.newContext({ viewport: { width: 1366, height: 900 } });
    const page = await context.newPage();
    await page.addInitScript(OBSERVE);
    await context.addInitScript(`localStorage.setItem('durabase.scope', 'helpdesk')`);
    const login = await context.request.post(`${this.#stack.url}/api/helpdesk/auth/login`, {
      data: { email: EMAIL, password: PASSWORD, cookie: true },
    });
    demand(login.ok(), `the sign-in answered ${login.status()}`);
    return { context, page };
  }

  async #openList(page: Page): Promise<number> {
    const began = performance.now();
    await page.goto(`${this.#stack.url}/admin/t/helpdesk/ticket`, { waitUntil: 'commit' });
    await lastTicket(page).waitFor();
    return performance.now() - began;
  }

  async cold(): Promise<Pick<Record<Measure, number>, 'firstPaint' | 'largestPaint' | 'blocked'>> {
    const { context, page } = await this.#person();
    await this.#openList(page);
    await page.waitForLoadState('networkidle');
    const found = (await page.evaluate(
      `({ ...measured, first: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity })`,
    )) as { first: number; largest: number; blocked: number };
    await context.close();
    return { firstPaint: found.first, largestPaint: found.largest, blocked: found.blocked };
  }

  async slow(): Promise<number> {
    const { context, page } = await this.#person();
    const cdp = await context.newCDPSession(page);
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    await cdp.send('Network.enable');
    const bytesPerSecond = (10 * 1024 * 1024) / 8;
    await cdp.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 40,
      downloadThroughput: bytesPerSecond,
      uploadThroughput: bytesPerSecond,
    });
    const ms = await this.#openList(page);
    await context.close();
    return ms;
  }

  async warm(): Promise<Pick<Record<Measure, number>, 'warmList' | 'warmPage' | 'interaction'>> {
    const { context, page } = await this.#person();
    await this.#openList(page);
    const to = async (entry: string, arrived: () => Promise<void>): Promise<number> => {
      const began = performance.now();
      await page.getByRole('menuitem', { name: entry, exact: true }).click();
      await arrived();
      return performance.now() - began;
    };
    const warmPage = await to('Permissions', () => page.getByRole('heading', { level: 1, name: 'Permissions' }).waitFor());
    const warmList = await to('Ticket', () => lastTicket(page).waitFor());
    await page
      .getByRole('checkbox', { name: /^Select/ })
      .nth(2)
      .check();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').pressSequentially('cust');
    const interaction = (await page.evaluate('measured.longest')) as number;
    await context.close();
    return { warmList, warmPage, interaction };
  }
}

const lastTicket = (page: Page): ReturnType<Page['getByRole']> =>
  page.getByRole('link', { name: `Ticket ${String(TICKETS - 1)}`, exact: true });

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Infinity;

export async function measurePages(runs: number): Promise<Readonly<Record<Measure, number>>> {
  const stack = await (await Stack.spawn()).ready();
  const browser = await launchBrowser();
  try {
    const admin = await signIn(stack.url, EMAIL, PASSWORD, 'helpdesk');
    const customer = (await admin('GET', '/api/helpdesk/customer?per_page=1')).at('data', 0, 'id');
    const create = Array.from({ length: TICKETS }, (_, index) => ({
      title: `Ticket ${String(index)}`,
      description: 'As it says',
      priority: 'low',
      customer_id: customer,
    }));
    const made = await admin('POST', '/api/helpdesk/ticket/_bulk', { create });
    demand(made.status === 200, `_bulk answered ${made.status}: ${made.text.slice(0, 300)}`);
    const office = new Office(stack, browser);
    const found: Record<Measure, number[]> = {
      firstPaint: [],
      largestPaint: [],
      blocked: [],
      slowList: [],
      warmList: [],
      warmPage: [],
      interaction: [],
    };
    // The first run pays for the server's own first requests.
    for (let run = -1; run < runs; run++) {
      const all = { ...(await office.cold()), slowList: await office.slow(), ...(await office.warm()) };
      if (run >= 0) for (const [name, ms] of Object.entries(all)) found[name as Measure].push(ms);
    }
    return Object.fromEntries(Object.entries(found).map(([name, values]) => [name, median(values)])) as Record<Measure, number>;
  } finally {
    await browser.close();
    await stack.stop();
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } });
  const found = await measurePages(Number(values.runs));
  const load = os.loadavg()[0] ?? 0;
  const slack = load > 4 ? 1.5 : 1;
  const late = Object.entries(BUDGETS).filter(([name, { ms }]) => found[name as Measure] > ms * slack);
  for (const [name, { what, ms }] of Object.entries(BUDGETS))
    process.stdout.write(`${what}: ${found[name as Measure].toFixed(0)} ms (budget ${String(ms)})\n`);
  process.stdout.write(`machine load ${load.toFixed(1)}\n`);
  demand(late.length === 0, `over budget: ${late.map(([name]) => name).join(', ')}`);
}
