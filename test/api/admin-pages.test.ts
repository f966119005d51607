import express from 'express';
import fs from 'node:fs';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { adminPages } from '../../api/admin-pages.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-admin-'));
const folder = path.join(root, 'dist');
fs.mkdirSync(path.join(folder, 'assets'), { recursive: true });
fs.writeFileSync(
  path.join(folder, 'index.html'),
  '<meta property="csp-nonce" nonce="__CSP_NONCE__"><script nonce="__CSP_NONCE__"></script>',
);
fs.writeFileSync(path.join(folder, 'assets/app-1a2b.js'), 'export {};');
fs.writeFileSync(path.join(folder, 'assets/app-1a2b.js.gz'), gzipSync('export {};'));
fs.writeFileSync(path.join(folder, 'assets/plain.js'), 'export {};');
fs.writeFileSync(path.join(root, 'secret.txt'), 'secret');

const serve = (pages: express.Router): string => {
  const server = express().use('/admin', pages).listen(0);
  afterAll(() => {
    server.close();
    fs.rmSync(root, { recursive: true, force: true });
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

describe('the back office', () => {
  const url = serve(adminPages(folder));

  it.each(['/admin/', '/admin', '/admin/ticket/7/show'])('%s is its page, with a nonce that is new each time', async (at) => {
    const [first, second] = [await fetch(url + at), await fetch(url + at)];
    const nonces = await Promise.all(
      [first, second].map(async (reply) => {
        const nonce = /'nonce-([^']+)'/.exec(reply.headers.get('content-security-policy') ?? '')?.[1] ?? '';
        const html = await reply.text();
        expect(html.split(`nonce="${nonce}"`)).toHaveLength(3);
        expect(html).not.toContain('__CSP_NONCE__');
        return nonce;
      }),
    );
    expect(nonces[0]).not.toBe(nonces[1]);
    expect(first.headers.get('cache-control')).toBe('no-store');
    expect(first.headers.get('content-security-policy')).not.toContain('unsafe');
  });

  it('sends scripts as small as the build made them, to those who take them so', async () => {
    const get = (name: string, encoding: string): Promise<Response> =>
      fetch(`${url}/admin/assets/${name}`, { headers: { 'Accept-Encoding': encoding } });
    for (const [name, encoding, expected] of [
      ['app-1a2b.js', 'gzip, br', 'gzip'],
      ['app-1a2b.js', 'identity', null],
      ['app-1a2b.js', 'gzip;q=0', null],
      ['plain.js', 'gzip', null],
    ] as const) {
      const file = await get(name, encoding);
      expect([name, encoding, file.headers.get('content-encoding')]).toEqual([name, encoding, expected]);
      expect(file.headers.get('content-type')).toMatch(/^text\/javascript/);
      expect(file.headers.get('cache-control')).toContain('immutable');
      expect(file.headers.get('vary')).toBe(name === 'plain.js' ? null : 'Accept-Encoding');
      expect(await file.text()).toBe('export {};');
    }
  });

  it('files are cached for good, missing ones are no page, and nothing outside is served', async () => {
    const file = await fetch(`${url}/admin/assets/app-1a2b.js`);
    expect(file.headers.get('cache-control')).toContain('immutable');
    expect(file.headers.get('x-content-type-options')).toBe('nosniff');
    expect((await fetch(`${url}/admin/assets/none.js`)).status).toBe(404);
    for (const at of ['/admin/%2e%2e/secret.txt', '/admin/..%2fsecret.txt', '/admin/assets/..%2f..%2fsecret.txt']) {
      expect(await (await fetch(url + at)).text()).not.toBe('secret');
    }
  });
});
