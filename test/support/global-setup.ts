/** One Postgres cluster (and, on first use, one Temporal server) per test run; files make their own databases in it. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPostgres, TEST_FLAGS } from '../../infra/local/postgres.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-test-'));
  fs.chmodSync(dir, 0o755);
  const postgres = await startPostgres({ dir: path.join(dir, 'pg'), flags: TEST_FLAGS });
  project.provide('postgresUrl', postgres.url('postgres'));
  return async () => {
    await postgres.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  };
}

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string;
  }
}
