/** A real Chromium with what a strict reader of the page would complain about collected: console, policy, foreign requests, axe. */
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { repositoryRoot } from '../../infra/local/repository.ts';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'];

/** Without these, Chromium calls home at start, which a closed network refuses many times. */
const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-sandbox',
];

export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? CANDIDATES.find((candidate) => fs.existsSync(candidate));
  if (executablePath === undefined)
    throw new Error('No Chromium was found. Install one (Debian: apt-get install chromium) or set CHROMIUM_PATH.');
  return chromium.launch({ executablePath, args: QUIET });
}

export interface WatchedPage {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Console errors and warnings, refused policies, failed scripts, requests to other origins. */
  readonly complaints: string[];
}

/** `expected` patterns are console lines a test provokes on purpose (a refused sign-in is a 401 in the console). */
export async function openPage(browser: Browser, origin: string, expected: readonly RegExp[] = []): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1366, height: 900 } });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    if (!expected.some((pattern) => pattern.test(message.text()))) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && url.origin !== origin) complaints.push(`foreign request: ${request.url()}`);
  });
  return { page, context, complaints };
}

const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeViolation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly target: readonly string[] }[];
}

/** Serious and critical findings of axe on the page as it stands, one line each. */
export async function axe(page: Page): Promise<string[]> {
  // Evaluated through the debugger, not as a script tag: the page's policy would rightly refuse that.
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    const runner = (globalThis as unknown as { axe: { run(options: object): Promise<{ violations: AxeViolation[] }> } }).axe;
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    return (await runner.run({ runOnly: tags })).violations;
  });
  return violations
    .filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
    .map(
      (violation) =>
        `${violation.id}: ${violation.nodes
          .map((node) => node.target.join(' '))
          .slice(0, 3)
          .join(' | ')} ${violation.nodes[0]?.html.slice(0, 160) ?? ''}`,
    );
}

/** Into test-results, so that a person can look at what the run saw. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const dir = path.join(repositoryRoot(), 'test-results', 'screenshots');
  fs.mkdirSync(dir, { recursive: true });
  await page.screenshot({ path: path.join(dir, `${name}.png`), fullPage: true });
}
