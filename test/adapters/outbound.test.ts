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

/** The first and the last address of each network that no webhook may reach, and the ways to write one. */
const REFUSED = [
  ['this network', '0.0.0.0', '0.255.255.255'],
  ['private', '10.0.0.0', '10.255.255.255'],
  ['carriers', '100.64.0.0', '100.127.255.255'],
  ['loopback', '127.0.0.0', '127.255.255.255'],
  ['link-local, metadata of clouds', '169.254.0.0', '169.254.169.254', '169.254.255.255'],
  ['private', '172.16.0.0', '172.31.255.255'],
  ['protocols', '192.0.0.0', '192.0.0.255'],
  ['documentation', '192.0.2.0', '192.0.2.255', '198.51.100.0', '198.51.100.255', '203.0.113.0', '203.0.113.255'],
  ['6to4 relays', '192.88.99.0', '192.88.99.255'],
  ['private', '192.168.0.0', '192.168.255.255'],
  ['benchmarks', '198.18.0.0', '198.19.255.255'],
  ['multicast', '224.0.0.0', '239.255.255.255'],
  ['reserved, broadcast', '240.0.0.0', '255.255.255.255'],
  ['unspecified and loopback', '[::]', '[::1]', '[0:0:0:0:0:0:0:1]', '[0000::0001]'],
  ['unique local', '[fc00::]', '[fdff:ffff::1]'],
  ['link-local', '[fe80::1]', '[febf::1]'],
  ['site-local', '[fec0::1]', '[feff::1]'],
  ['documentation', '[2001:db8::1]', '[2001:DB8:ffff::1]', '[3fff::1]', '[3fff:fff::1]'],
  ['discard', '[100::1]'],
  ['protocols and Teredo', '[2001::1]', '[2001:0:7f00:1::]', '[2001:1ff::1]'],
  ['6to4', '[2002:7f00:1::]', '[2002:a00:1::1]'],
  ['translated', '[64:ff9b::7f00:1]', '[64:ff9b::127.0.0.1]', '[64:ff9b::808:808]', '[64:ff9b:1::1]'],
  ['segment routing', '[5f00::1]'],
  ['multicast', '[ff02::1]', '[ff0e::1]'],
  ['mapped', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::FFFF:a00:1]', '[0:0:0:0:0:ffff:a00:1]', '[0::ffff:169.254.169.254]'],
  ['compatible', '[::127.0.0.1]', '[::7f00:1]', '[::a00:1]'],
  ['decimal', '2130706433', '167772161', '2852039166'],
  ['octal', '0177.0.0.1', '0177.0.1', '017700000001', '012.0.0.1'],
  ['hexadecimal', '0x7f.0.0.1', '0x7f.1', '0x7f000001', '0xA9FEA9FE'],
  ['short and mixed', '127.1', '127.0.1', '10.1', '0x7f.0.01', '0', '127.0xff'],
  ['a trailing dot', '127.0.0.1.', 'localhost.', '10.0.0.1.'],
  ['names', 'localhost', 'LOCALHOST', 'LocalHost.'],
  ['other alphabets', '①②⑦.0.0.1', '１２７.0.0.1', '127。0。0。1', 'ｌｏｃａｌｈｏｓｔ', 'ⓛocalhost'],
  ['escaped', '%31%32%37.0.0.1', '127%2e0%2e0%2e1', '%6cocalhost'],
  ['a zone', '[fe80::1%25eth0]', '[fe80::1%eth0]', '[::1%25lo]', '[::ffff:127.0.0.1%25lo]'],
].flatMap(([what, ...hosts]) => hosts.map((host) => [what ?? '', host ?? ''] as const));

const REACHABLE = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '223.255.255.255',
  '[2606:4700::1111]',
  '[2001:4860:4860::8888]',
  '[::ffff:8.8.8.8]',
];

describe('addresses', () => {
  it.each(REFUSED)('%s: %s is refused before anything is sent', async (_, host) => {
    for (const origin of [`http://${host}:8080`, `https://${host}`])
      await expect(get(strict, `${origin}/`), origin).rejects.toMatchObject({ name: 'OutboundError', kind: 'denied' });
  });

  it.each(REACHABLE)('%s is not refused', async (host) => {
    expect(await strict.refusal(`https://${host}/`)).toBeNull();
  });

  it('that a name resolves to are all checked, and looked at again at every attempt', async () => {
    const asked: string[] = [];
    const answers = [['93.184.215.14', '10.0.0.1'], ['::ffff:10.0.0.1'], ['fe80::1%eth0'], ['127.0.0.1']];
    const resolving = createOutbound([], undefined, (host) => {
      asked.push(host);
      return Promise.resolve((answers[asked.length - 1] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
    });
    for (const _ of answers) await expect(get(resolving, 'http://rebinding.test:8080/')).rejects.toMatchObject({ kind: 'denied' });
    expect(asked).toHaveLength(answers.length);
    resolving.close();
  });

  it('are connected to as they were checked: there is no second look', async () => {
    const url = new URL(await listen((request, response) => response.end(request.headers.host)));
    let lookups = 0;
    const rebinding = createOutbound(['127.0.0.0/8'], undefined, () => {
      lookups++;
      return Promise.resolve([{ address: lookups === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }]);
    });
    expect((await get(rebinding, `http://rebinding.test:${url.port}/`)).body).toBe(`rebinding.test:${url.port}`);
    expect(lookups).toBe(1);
    rebinding.close();
  });

  it('keep to the ports that the operator lists', async () => {
    const narrow = createOutbound(
      ['127.0.0.0/8'],
      [
        { from: 443, to: 443 },
        { from: 8000, to: 8999 },
      ],
    );
    for (const port of [80, 7999, 9000, 22]) expect(await narrow.refusal(`http://127.0.0.1:${port}/`)).toContain('WEBHOOK_PORTS');
    for (const port of [8000, 8999]) expect(await narrow.refusal(`http://127.0.0.1:${port}/`)).toBeNull();
    expect(await narrow.refusal('https://127.0.0.1/')).toBeNull();
    narrow.close();
  });

  it.each([21, 22, 25, 53, 110, 143, 465, 587, 993])('do not speak to port %i, where other protocols live', async (port) => {
    expect(await lenient.refusal(`http://127.0.0.1:${port}/`)).toContain(String(port));
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
