import net from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../adapters/config.ts';
import { createTemporalGateway, type TemporalGateway } from '../../adapters/temporal/client.ts';
import { KEY_ID_METADATA, KeyedCodec } from '../../adapters/temporal/codec.ts';
import { temporalAddress } from '../support/temporal.ts';

const log = pino({ level: 'silent' });
let gateway: TemporalGateway;
afterEach(() => gateway.close());

const open = (env: Record<string, string>): TemporalGateway => (gateway = createTemporalGateway(loadConfig(env), log));

describe('a gateway', () => {
  it('answers UNAVAILABLE with Retry-After within seconds when nothing listens', async () => {
    const begin = performance.now();
    await expect(open({ TEMPORAL_ADDRESS: '127.0.0.1:1' }).client()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      status: 503,
      retryAfter: 5,
    });
    // Three seconds of its own; the rest is what a busy machine takes to load the client. Left alone it would wait ten.
    expect(performance.now() - begin).toBeLessThan(8_000);
  });

  it('does so too when the address accepts and never speaks', async () => {
    const silent = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as net.AddressInfo;
    expect(await open({ TEMPORAL_ADDRESS: `127.0.0.1:${port}` }).isReachable()).toBe(false);
    silent.close();
  });

  it('connects on first use and then remembers', async () => {
    const there = open({ TEMPORAL_ADDRESS: await temporalAddress() });
    expect(await there.isReachable()).toBe(true);
    expect(await there.client()).toBe(await there.client());
  });

  it('links to the Web UI', () => {
    expect(open({ TEMPORAL_UI_URL: 'https://ui.example.com/' }).linkTo('process/a/7.w')).toBe(
      'https://ui.example.com/namespaces/default/workflows/process%2Fa%2F7.w',
    );
    expect(open({ TEMPORAL_UI_UPSTREAM: 'http://10.0.0.9:8080', PUBLIC_URL: 'https://base.example.com' }).linkTo('x')).toBe(
      'https://base.example.com/temporal/namespaces/default/workflows/x',
    );
    expect(open({}).linkTo('x')).toBeNull();
  });
});

describe('the codec', () => {
  const codec = new KeyedCodec();
  const payload = { metadata: { encoding: new TextEncoder().encode('json/plain') }, data: new TextEncoder().encode('1') };

  it('writes the key id beside the data and takes it off again', async () => {
    open({});
    const [sealed] = await codec.encode([payload]);
    expect(new TextDecoder().decode(sealed?.metadata?.[KEY_ID_METADATA] ?? undefined)).toBe('plain');
    expect(await codec.decode([sealed ?? {}])).toEqual([payload]);
    expect(await codec.decode([payload])).toEqual([payload]);
  });

  it('refuses what another key sealed, naming the key', async () => {
    open({});
    const foreign = { ...payload, metadata: { ...payload.metadata, [KEY_ID_METADATA]: new TextEncoder().encode('k2') } };
    await expect(async () => codec.decode([foreign])).rejects.toThrow('"k2"');
  });
});
