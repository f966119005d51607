import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { createOutbound, type Outbound } from '../../adapters/outbound.ts';

const strict = createOutbound([]);
const lenient = createOutbound(['127.0.0.0/8', '::1/128']);
const servers: http.Server[] = [];

afterAll(() => {
  strict.close();
  lenient.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(handler: http.RequestListener): Promise<string> {
  const server = http.createServer(handler).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const get = (outbound: Outbound, url: string, timeoutMs?: number) =>
  outbound.send({ url, method: 'GET', headers: {}, ...(timeoutMs === undefined ? {} : { timeoutMs }) });

describe('addresses', () => {
  it.each([
    'http://127.0.0.1:8080/',
    'http://2130706433:8080/',
    'http://0x7f.1:8080/',
    'http://0177.0.0.1:8080/',
    'http://127.1:8080/',
    'http://localhost:8080/',
    'http://localhost.:8080/',
    'http://[::1]:8080/',
    'http://[::ffff:127.0.0.1]:8080/',
    'http://[::ffff:7f00:1]:8080/',
    'http://[0:0:0:0:0:ffff:a00:1]/',
    'http://10.1.2.3/',
    'http://169.254.169.254/latest/meta-data',
    'http://192.168.1.1/',
    'http://172.31.0.1/',
    'http://100.64.0.1/',
    'http://0.0.0.0/',
    'http://[fe80::1]/',
    'http://[fc00::1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://①②⑦.0.0.1:8080/',
  ])('%s is refused before anything is sent', async (url) => {
    await expect(get(strict, url)).rejects.toMatchObject({ name: 'OutboundError', kind: 'denied' });
  });

  it.each(['ftp://example.test/', 'file:///etc/passwd', 'http://user:pw@127.0.0.1:8080/', 'http://127.0.0.1:22/', 'nonsense'])(
    '%s is refused even where loopback is allowed',
    async (url) => {
      await expect(get(lenient, url)).rejects.toMatchObject({ kind: 'denied' });
    },
  );

  it('names the setting that can allow a private one', async () => {
    await expect(get(strict, 'http://10.0.0.1/')).rejects.toThrow('WEBHOOK_ALLOW_CIDRS');
    expect(await strict.refusal('http://10.0.0.1/')).toContain('10.0.0.1');
    expect(await lenient.refusal('http://127.0.0.1:4010/')).toBeNull();
  });
});

describe('exchanges', () => {
  it('do not follow redirects', async () => {
    let calls = 0;
    const url = await listen((request, response) => {
      calls++;
      response.writeHead(302, { location: request.url === '/' ? '/next' : '/' }).end();
    });
    expect((await get(lenient, url)).status).toBe(302);
    expect(calls).toBe(1);
  });

  it('keep at most 64 KiB of an answer', async () => {
    const url = await listen((_, response) => response.end('x'.repeat(1_000_000)));
    expect((await get(lenient, url)).body).toHaveLength(65_536);
  });

  it('end at the deadline although the receiver drips', async () => {
    const url = await listen((_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(drip));
    });
    await expect(get(lenient, url, 200)).rejects.toMatchObject({ kind: 'timeout' });
  });

  it('say that nobody listens', async () => {
    const url = await listen(() => undefined);
    const server = servers.pop();
    await new Promise((resolve) => server?.close(resolve));
    await expect(get(lenient, url)).rejects.toMatchObject({ kind: 'connection' });
  });
});
