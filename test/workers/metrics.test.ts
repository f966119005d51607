/** What an operator is told of a worker, and of the relay whether or not there is a worker. */
import { expect, it } from 'vitest';
import { freePort } from '../../infra/local/system.ts';
import { relayLag } from '../../operations/relay-lag.ts';
import { startDispatcher } from '../../workers/dispatcher.ts';
import { serveMetrics } from '../../workers/metrics.ts';
import { startRelay } from '../../workers/relay.ts';
import { eventWorld, receiver } from '../support/event-world.ts';

it('counts attempts by their outcome, and tells how far the relay is behind', async () => {
  const good = await receiver(() => 200);
  const failing = await receiver(() => 500);
  const webhooks = [good.url, failing.url, 'http://10.0.0.1/hook'].map((url, n) => ({ id: `w${String(n)}`, entity: 'ticket', url }));
  const { services, writeEvent } = await eventWorld({
    version: 1,
    entities: [{ name: 'ticket', fields: [{ name: 'title', type: 'string' }] }],
    webhooks,
  });
  const port = await freePort();
  const metrics = await serveMetrics({ ...services, config: { ...services.config, host: '127.0.0.1', workerMetricsPort: port } });
  const read = async (): Promise<string> => (await fetch(`http://127.0.0.1:${String(port)}/metrics`)).text();
  try {
    expect(await serveMetrics(services)).toBeUndefined();
    await writeEvent({ recordId: 'a', version: 1, title: 'x' });
    expect(await relayLag(services)).toBeGreaterThan(0);
    const dispatcher = startDispatcher(services);
    const relay = startRelay(services, () => dispatcher.wake());
    await expect.poll(read, { timeout: 15_000 }).toMatch(/durabase_deliveries_total\{outcome="refused"[^}]*\} 1/);
    await expect.poll(read, { timeout: 15_000 }).toMatch(/durabase_deliveries_total\{outcome="delivered"[^}]*\} 1/);
    await expect.poll(read, { timeout: 15_000 }).toMatch(/durabase_deliveries_total\{outcome="retrying"[^}]*\} 1/);
    expect(await relayLag(services)).toBe(0);
    await relay.close();
    await dispatcher.close();
  } finally {
    await metrics?.close();
  }
});
