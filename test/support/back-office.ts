/** The back office in a real browser: a server of its own with the helpdesk example, people of several roles, and a strict look at pages. */
import { afterAll, beforeAll, expect } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { eventually, signIn, type Caller } from './api.ts';
import { axe, launchBrowser, openPage, screenshot, type WatchedPage } from './browser.ts';
import { Stack } from './process.ts';

export const PEOPLE = {
  platform: { email: 'platform@localhost', password: 'changeme', app: '' },
  lead: { email: 'lea@desk.test', password: 'longer-password', app: 'helpdesk' },
  agent: { email: 'ann@desk.test', password: 'longer-password', app: 'helpdesk' },
} as const;
export type Person = keyof typeof PEOPLE;

const ROLES = { lead: ['team_lead'], agent: ['agent'] } as const;
const WIDE = { width: 1366, height: 900 };
const PHONE = { width: 390, height: 844 };

/** A refused sign-in and the first, unauthenticated refresh are 401s in the browser's console; a refused form is a 422. */
const EXPECTED = [/401/, /422/];

export class BackOffice {
  readonly stack: Stack;
  readonly browser: Browser;
  /** The API as the platform's admin. */
  readonly admin: Caller;
  #pages: WatchedPage[] = [];

  private constructor(stack: Stack, browser: Browser, admin: Caller) {
    this.stack = stack;
    this.browser = browser;
    this.admin = admin;
  }

  static async open(env: NodeJS.ProcessEnv = {}): Promise<BackOffice> {
    const stack = await (await Stack.spawn({ env })).ready();
    const browser = await launchBrowser();
    const admin = await signIn(stack.url, PEOPLE.platform.email, PEOPLE.platform.password);
    for (const person of ['lead', 'agent'] as const) {
      const { email, password } = PEOPLE[person];
      // The example comes when the rest is ready; on a busy machine, a while later.
      const made = await eventually(
        () => admin('POST', '/api/helpdesk/_admin/users', { email, password, roles: ROLES[person] }),
        ({ status }) => status !== 404 && status !== 503,
        90_000,
      );
      expect(made.status, made.text).toBe(201);
    }
    return new BackOffice(stack, browser, admin);
  }

  /** The API as one of the people. */
  as(person: Person): Promise<Caller> {
    const { email, password, app } = PEOPLE[person];
    return signIn(this.stack.url, email, password, app === '' ? undefined : app);
  }

  /** A window of its own, signed in, at `path` below `/admin`. `expected` are console lines that the test provokes on purpose. */
  async visit(person: Person, path: string, expected: readonly RegExp[] = []): Promise<Page> {
    const window = await openPage(this.browser, this.stack.url, [...EXPECTED, ...expected]);
    this.#pages.push(window);
    const { page } = window;
    // Less than a test may take, so that a failure names what was waited for.
    page.setDefaultTimeout(15_000);
    const { email, password, app } = PEOPLE[person];
    await page.goto(`${this.stack.url}/admin${path}`);
    await page.getByLabel('Email').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByLabel('App').fill(app);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('banner').waitFor();
    if (!page.url().endsWith(path)) await this.go(page, path);
    return page;
  }

  /** To another page of the same window, without a new sign-in. */
  async go(page: Page, path: string): Promise<void> {
    await page.goto(`${this.stack.url}/admin${path}`);
    await page.getByRole('heading', { level: 1 }).first().waitFor();
  }

  /** Nothing in any console, no refused policy, no foreign request, in all windows so far. */
  complaints(): readonly string[] {
    return this.#pages.flatMap((window) => window.complaints);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.stack.stop();
  }
}

/**
 * One office for all tests of a file, handed to `prepare` when it is open and closed after them; no window may have complained.
 * `env` are settings of the server, asked for when it starts.
 */
export function withOffice(prepare: (office: BackOffice) => Promise<void> | void, env: () => NodeJS.ProcessEnv = () => ({})): void {
  let office: BackOffice | undefined;
  beforeAll(async () => {
    office = await BackOffice.open(env());
    await prepare(office);
  }, 180_000);
  afterAll(async () => {
    const complaints = office?.complaints();
    await office?.close();
    expect(complaints).toEqual([]);
  }, 90_000);
}

/**
 * Looks at the page (or the dialog that is open on it) as everybody will: light and dark, wide and at 390 px; axe each time, one
 * heading of the first level, nothing wider than the window. Screenshots go into test-results/screenshots, to be looked at.
 */
export async function look(page: Page, name: string): Promise<void> {
  const found: string[] = [];
  const collect = (where: string, lines: readonly string[]): void => void found.push(...lines.map((line) => `${where}: ${line}`));
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    collect(colorScheme, await axe(page));
    await screenshot(page, `${name}.${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  collect('wide', await tooWide(page));
  await page.setViewportSize(PHONE);
  collect('phone', await axe(page));
  collect('phone', await tooWide(page));
  await screenshot(page, `${name}.phone`);
  await page.setViewportSize(WIDE);
  expect(found).toEqual([]);
  expect(await page.locator('h1').count()).toBe(1);
}

/** What sticks out of the window sideways. Tables and code scroll within themselves. As text: these tests know no DOM types. */
const TOO_WIDE = `(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  const wide = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > clientWidth + 1);
  const names = wide.slice(0, 5).map((one) => one.tagName.toLowerCase() + '.' + String(one.className).slice(0, 60));
  return ['the page is ' + (scrollWidth - clientWidth) + ' px too wide: ' + names.join(', ')];
})()`;

const tooWide = (page: Page): Promise<string[]> => page.evaluate<string[]>(TOO_WIDE);
