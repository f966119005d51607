/** Loads the example app of a first start, over HTTP like any client. Every step may be repeated after a kill. */
import fs from 'node:fs';
import path from 'node:path';
import type { Config } from '../../adapters/config.ts';
import { ConfigError } from '../../adapters/config.ts';
import { repositoryRoot } from './repository.ts';
import type { Progress } from './temporal.ts';

export const EXAMPLE_APP = 'helpdesk';
const EXAMPLE_DOCUMENT = 'helpdesk-ticketing.json';

const marker = (dataDir: string): string => path.join(dataDir, 'example-loaded');

/** Remembered, so that an example somebody deleted does not come back. */
export const isExampleLoaded = (dataDir: string): boolean => fs.existsSync(marker(dataDir));

export interface ExampleOptions {
  readonly port: number;
  readonly dataDir: string;
  readonly progress: Progress;
}

export async function loadExample(config: Config, { port, dataDir, progress }: ExampleOptions): Promise<void> {
  const file = path.join(repositoryRoot(), 'examples', EXAMPLE_DOCUMENT);
  if (!fs.existsSync(file)) throw new ConfigError(`${file} is missing`);
  const host = config.host === '0.0.0.0' || config.host === '::' ? '127.0.0.1' : config.host;
  const base = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  progress(`Loading the example app "${EXAMPLE_APP}"`);
  const { access_token: token } = await call<{ access_token: string }>(
    `${base}/api/_platform/auth/login`,
    undefined,
    JSON.stringify(config.platformAdmin),
  );
  const app = JSON.stringify({ name: EXAMPLE_APP, display_name: 'Helpdesk' });
  await call(`${base}/api/_platform/apps`, token, app, [409]);
  await call(`${base}/api/${EXAMPLE_APP}/_admin/import?events=none`, token, fs.readFileSync(file, 'utf8'));
  fs.writeFileSync(marker(dataDir), new Date().toISOString());
}

async function call<T>(url: string, token: string | undefined, body: string, accepted: readonly number[] = []): Promise<T> {
  const headers = { 'Content-Type': 'application/json', ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) };
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(120_000) });
  const text = await response.text();
  if (!response.ok && !accepted.includes(response.status))
    throw new ConfigError(`${new URL(url).pathname} answered ${response.status}: ${text.slice(0, 400)}`);
  return response.ok ? (JSON.parse(text) as { data: T }).data : (undefined as T);
}
