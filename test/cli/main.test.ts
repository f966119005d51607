import { beforeAll, describe, expect, it } from 'vitest';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SETTINGS } from '../../adapters/config.ts';
import { freshDatabase } from '../support/database.ts';
import { buildAll, launch } from '../support/process.ts';
import { repositoryRoot } from '../../infra/local/repository.ts';

const main = path.join(repositoryRoot(), 'dist', 'cli', 'main.js');
const durabase = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => launch([main, ...args], env).ended;

beforeAll(buildAll, 120_000);

describe('the command line', () => {
  it('lists its verbs, and refuses one it does not have', async () => {
    const { code, output } = await durabase(['--help']);
    expect(code).toBe(0);
    for (const verb of ['start', 'api', 'worker', 'export', 'import', 'admin', 'doctor'])
      expect(output).toMatch(new RegExp(`^  ${verb} `, 'm'));
    expect(await durabase(['frobnicate'])).toMatchObject({ code: 2, output: expect.stringContaining('there is no verb "frobnicate"') });
  });

  it('start --help lists every setting', async () => {
    const { output } = await durabase(['start', '--help']);
    expect(Object.keys(SETTINGS).filter((name) => !new RegExp(`^  ${name} `, 'm').test(output))).toEqual([]);
  });

  it('a bad setting is one line naming variable and rule', async () => {
    const { code, output } = await durabase(['doctor'], { TEMPORAL_ADDRESS: 'no port' });
    expect(code).toBe(1);
    expect(output).toBe(
      'durabase doctor: TEMPORAL_ADDRESS="no port": must be host:port. Temporal frontend; a local server is started when this is not set.\n',
    );
  });

  it('published credentials are refused off loopback', async () => {
    const { code, output } = await durabase(['api'], { HOST: '0.0.0.0' });
    expect(code).toBe(78);
    expect(output).toMatch(/^durabase api: PLATFORM_ADMIN_PASSWORD still is the published default/);
  });

  it('doctor names what is missing and prints the SQL of both roles', async () => {
    const env = { DATABASE_URL: 'postgres://me:hush@127.0.0.1:1/x', DATA_DIR: fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-doctor-')) };
    const { code, output } = await durabase(['doctor'], env);
    expect(code).toBe(1);
    expect(output).toMatch(/^MISSING postgres +DATABASE_URL \(postgres:\/\/me:\*\*\*@127\.0\.0\.1:1\/x\): nothing answers there/m);
    expect(output).toContain('create role durabase_owner');
    const found = await durabase(['doctor'], { ...env, DATABASE_URL: await freshDatabase() });
    expect(found.output).toMatch(/^ok +postgres +DATABASE_URL .+ answers/m);
  });

  it('admin reset-password says when there is no such database yet', async () => {
    const { code, output } = await durabase(['admin', 'reset-password', '--email', 'a@b.c'], {
      DATA_DIR: path.join(os.tmpdir(), 'durabase-none'),
    });
    expect({ code, output }).toEqual({
      code: 1,
      output: expect.stringMatching(/^durabase admin: There is no database yet: .+npm start first/),
    });
  });

  it('export and import say when nothing answers', async () => {
    const { output } = await durabase(['export', '--app', 'x', '--url', 'http://127.0.0.1:1']);
    expect(output).toBe('durabase export: Nothing answers at http://127.0.0.1:1. Start Durabase there, or say where it is with --url.\n');
  });
});
