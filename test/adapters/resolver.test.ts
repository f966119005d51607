import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createResolver, type Resolve, type ResolverOptions } from '../../adapters/resolver.ts';
import { startNames, type Names } from '../support/names.ts';

let names: Names;
let folder: string;
beforeAll(async () => {
  names = await startNames();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-resolver-'));
});
afterAll(() => {
  names.close();
  fs.rmSync(folder, { recursive: true });
});

const LOCAL = { address: '127.0.0.1', family: 4 };
const nobody: Resolve = (host) => Promise.reject(new Error(`nobody knows ${host}`));

function resolver(options: ResolverOptions & { readonly hosts?: string; readonly settings?: string } = {}): Resolve {
  const { hosts = '', settings = '', ...rest } = options;
  const hostsFile = path.join(folder, 'hosts');
  const settingsFile = path.join(folder, 'resolv.conf');
  fs.writeFileSync(hostsFile, hosts);
  fs.writeFileSync(settingsFile, settings);
  return createResolver({ hostsFile, settingsFile, servers: [`127.0.0.1:${names.port}`], system: nobody, ...rest });
}

it('asks the name servers, and a hundred names that are never answered hold up nobody', async () => {
  const resolve = resolver();
  const slow = Array.from({ length: 100 }, (_, n) => resolve(`slow-${n}.proof.test`));
  const failures = Promise.allSettled(slow);
  const began = performance.now();
  expect(await resolve('well.proof.test')).toEqual([LOCAL]);
  expect(performance.now() - began).toBeLessThan(1_000);
  // Given up before a connection would be.
  for (const { status } of await failures) expect(status).toBe('rejected');
  expect(performance.now() - began).toBeLessThan(5_000);
}, 20_000);

it('takes the hosts file first, and localhost for this machine whoever says otherwise', async () => {
  const before = names.asked.length;
  const resolve = resolver({ hosts: '# a comment\n192.0.2.7  Listed.example other # more\n2001:db8::7 listed.example\n' });
  expect(await resolve('listed.EXAMPLE')).toEqual([
    { address: '192.0.2.7', family: 4 },
    { address: '2001:db8::7', family: 6 },
  ]);
  expect(await resolve('other')).toEqual([{ address: '192.0.2.7', family: 4 }]);
  expect(await resolve('app.localhost')).toEqual([LOCAL, { address: '::1', family: 6 }]);
  expect(names.asked.length).toBe(before);
});

it.each([
  ['service', 'search in.test other.test', ['service.in.test']],
  ['service.ns', 'search in.test\noptions timeout:1 ndots:5', ['service.ns.in.test']],
  ['service.ns', 'search in.test', ['service.ns']],
  ['service', '', ['service']],
])('looks for %s with "%s" as the system does', async (host, settings, expected) => {
  const before = names.asked.length;
  expect(await resolver({ settings })(host)).toEqual([LOCAL]);
  expect([...new Set(names.asked.slice(before))]).toEqual(expected);
});

it('asks the system for what no name server knows, one name at a time and each once', async () => {
  let atOnce = 0;
  let most = 0;
  const heard: string[] = [];
  const resolve = resolver({
    system: async (host) => {
      heard.push(host);
      most = Math.max(most, ++atOnce);
      await new Promise((done) => setImmediate(done));
      atOnce--;
      return [{ address: '192.0.2.9', family: 4 }];
    },
  });
  const found = await Promise.all(['unknown-a', 'unknown-b', 'unknown-a'].map((name) => resolve(`${name}.proof.test`)));
  expect(found.map(([first]) => first?.address)).toEqual(['192.0.2.9', '192.0.2.9', '192.0.2.9']);
  expect(heard.toSorted()).toEqual(['unknown-a.proof.test', 'unknown-b.proof.test']);
  expect(most).toBe(1);
  await expect(resolver()('unknown-c.proof.test')).rejects.toThrow('nobody knows');
});
