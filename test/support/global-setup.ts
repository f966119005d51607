/**
 * One Postgres cluster per test run; files make their own databases in it. The Temporal server and the workflow bundle are
 * made when the first file asks (test/support/temporal.ts), so that runs without workflows do not pay for them.
 */
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPostgres, TEST_FLAGS } from '../../infra/local/postgres.ts';
import { repositoryRoot } from '../../infra/local/repository.ts';
import { startTemporal } from '../../infra/local/temporal.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-test-'));
  fs.chmodSync(dir, 0o755);
  const postgres = await startPostgres({ dir: path.join(dir, 'pg'), flags: TEST_FLAGS });
  project.provide('postgresUrl', postgres.url('postgres'));
  const temporal = once(() =>
    startTemporal({ logFile: path.join(dir, 'temporal.log'), progress: (line) => process.stderr.write(`${line}\n`) }),
  );
  const bundle = once(bundleOfSources);
  const desk = await serviceDesk({
    '/temporal': async () => (await temporal.get()).address,
    '/bundle': () => bundle.get(),
  });
  project.provide('serviceDesk', desk.url);
  return async () => {
    desk.close();
    await Promise.all([postgres.stop(), temporal.made()?.then((server) => server.stop())]);
    fs.rmSync(dir, { recursive: true, force: true });
  };
}

async function bundleOfSources(): Promise<string> {
  const { loadWorkflowBundle } = await import('../../workers/bundle.ts');
  const bundle = await loadWorkflowBundle(path.join(repositoryRoot(), 'node_modules', '.cache', 'durabase'));
  return 'codePath' in bundle ? bundle.codePath : '';
}

function once<T>(make: () => Promise<T>): { get(): Promise<T>; made(): Promise<T> | undefined } {
  let made: Promise<T> | undefined;
  return { get: () => (made ??= make()), made: () => made };
}

/** How test files, which are processes of their own, ask this one for what is shared by the run. */
async function serviceDesk(services: Readonly<Record<string, () => Promise<string>>>): Promise<{ url: string; close(): void }> {
  const server = http.createServer((request, response) => {
    const service = services[request.url ?? ''];
    if (service === undefined) return void response.writeHead(404).end();
    service().then(
      (text) => response.end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string;
    serviceDesk: string;
  }
}
