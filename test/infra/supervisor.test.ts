import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isAlive, onPath, waitFor } from '../../infra/local/system.ts';
import { Stack, type StackOptions } from '../support/process.ts';

const program = ['--import', 'tsx', path.join(import.meta.dirname, 'supervise.ts')];
const stacks: Stack[] = [];
const spawn = async (options: StackOptions = {}): Promise<Stack> => {
  // A default app means: no example to load.
  const stack = await Stack.spawn({ program, ...options, env: { DEFAULT_APP: 'none', ...options.env } });
  stacks.push(stack);
  return stack;
};

afterEach(async () => {
  // Newest first, one after the other: several may share a folder, and only the newest is the one that runs there.
  for (const stack of stacks.splice(0).reverse()) await stack.stop();
});

const SERVICES = ['api', 'worker', 'temporal', 'postgres'] as const;

describe('the supervisor', () => {
  it('prints addresses when ready, and on SIGTERM stops all it started, in order', async () => {
    const stack = await (await spawn()).ready();
    const pids = SERVICES.map((name) => stack.pidOf(name));
    expect(stack.process.output()).toMatch(/Platform admin +platform@localhost \/ changeme/);
    expect(stack.process.output()).not.toMatch(/eyJ/);
    for (const file of ['secret.key', 'pg.password']) expect(fs.statSync(path.join(stack.dataDir, file)).mode & 0o777).toBe(0o600);
    stack.process.kill('SIGTERM');
    expect((await stack.process.ended).code).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(stack.process.output()).toMatch(/api told to stop[\s\S]*worker told to stop[\s\S]*Stopped/);
  });

  it('starts each service again after kill -9', async () => {
    const stack = await (await spawn()).ready();
    for (const name of SERVICES) {
      const before = await stack.kill(name);
      expect(await stack.revived(name, before)).not.toBe(before);
    }
    expect(await (await fetch(stack.url)).text()).toContain('with');
  });

  it('refuses a second one on the same folder, and recovers after kill -9 of the first', async () => {
    const first = await (await spawn()).ready();
    const second = await spawn({ dataDir: first.dataDir });
    expect((await second.process.ended).output).toMatch(/^durabase start: Durabase already runs on .+ kill \d+;/m);
    const children = [first.pidOf('api'), first.pidOf('worker')];
    const postgres = first.pidOf('postgres');
    first.process.kill('SIGKILL');
    const third = await (await spawn({ dataDir: first.dataDir, env: { PORT: String(first.port) } })).ready();
    expect(children.filter(isAlive)).toEqual([]);
    expect(third.pidOf('postgres')).toBe(postgres);
    expect(fs.readdirSync(first.dataDir).filter((name) => name.includes('stale'))).toEqual([]);
  });

  it('lets api and worker end by themselves when it is killed', async () => {
    const stack = await (await spawn()).ready();
    const children = [stack.pidOf('api'), stack.pidOf('worker')];
    stack.process.kill('SIGKILL');
    expect(await waitFor(() => !children.some(isAlive), 5000)).toBe(true);
  });

  it('hosts api and worker in one process when asked', async () => {
    const stack = await (await spawn({ args: ['--in-process'] })).ready();
    expect(await (await fetch(stack.url)).text()).toBe('{"with":"--with-worker"}');
    expect([stack.pidOf('api'), stack.pidOf('worker')]).toEqual([0, 0]);
  });

  it('stops all with the last lines of a service that dies five times in a minute', async () => {
    const stack = await spawn({ env: { STAND_IN_DIES: 'worker' } });
    const { code, output } = await stack.process.ended;
    expect(code).toBe(1);
    expect(output).toMatch(/durabase: worker: it ended 5 times within a minute \(exit code 1\)\. Its last lines:\n(.*\n)*the last words/);
    expect(SERVICES.map((name) => stack.pidOf(name)).filter(isAlive)).toEqual([]);
  });
});

describe('a start that cannot work says so in one line', () => {
  const oneLine = async (options: StackOptions): Promise<string> => {
    const { code, output } = await (await spawn(options)).process.ended;
    expect(code).toBe(1);
    const lines = output.split('\n').filter((line) => line.startsWith('durabase start: '));
    expect(lines).toHaveLength(1);
    return lines[0]!;
  };

  it('port in use', async () => {
    const other = http.createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    expect(await oneLine({ env: { PORT: String(port) } })).toBe(
      `durabase start: Port ${port} of 127.0.0.1 is in use by another program. Stop that, or set PORT to a free one.`,
    );
    other.close();
  });

  it('damaged database folder', async () => {
    const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-stack-'));
    fs.mkdirSync(path.join(dataDir, 'pg18'));
    fs.writeFileSync(path.join(dataDir, 'pg18', 'PG_VERSION'), '18\n');
    expect(await oneLine({ dataDir })).toMatch(
      /The database folder .+pg18 is damaged \(.+\)\. Move it away to start with an empty database/,
    );
  });

  it('data of another Postgres version', async () => {
    const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-stack-'));
    fs.mkdirSync(path.join(dataDir, 'pg14'));
    expect(await oneLine({ dataDir })).toMatch(/pg14 was made by another version; the Postgres here is version 18/);
  });

  it('wrong DATABASE_URL, without its password', async () => {
    const line = await oneLine({ env: { DATABASE_URL: 'postgres://me:hush@127.0.0.1:1/x' } });
    expect(line).toBe(
      'durabase start: DATABASE_URL (postgres://me:***@127.0.0.1:1/x): nothing answers there. Start the server, or correct host and port.',
    );
  });

  it('no Temporal server', async () => {
    // A PATH that has neither temporal nor Go, an empty cache, and no way to the download.
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-path-'));
    for (const name of ['id', 'ls', 'ps', 'unshare']) fs.symlinkSync(onPath(name) ?? '/bin/false', path.join(folder, name));
    const line = await oneLine({ env: { PATH: folder, XDG_CACHE_HOME: folder, HTTPS_PROXY: 'http://127.0.0.1:1' } });
    expect(line).toMatch(/No Temporal server was found\..+set TEMPORAL_ADDRESS/);
  }, 90_000);
});
