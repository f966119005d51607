/** What a worker counts, for Prometheus: on a port of its own, and only where the operator gives one. */
import http from 'node:http';
import { createMetrics } from '../adapters/metrics.ts';
import type { Services } from '../operations/context.ts';

export interface MetricsServer {
  close(): Promise<void>;
}

/** Fails when the port is taken: who asks for metrics wants to know that there are none. */
export async function serveMetrics(services: Services): Promise<MetricsServer | undefined> {
  const { workerMetricsPort: port, host } = services.config;
  if (port === undefined) return undefined;
  const metrics = createMetrics('worker');
  const { attempts, starts } = services.tallies;
  metrics.counts({
    name: 'durabase_deliveries_total',
    help: 'Webhook attempts by outcome.',
    labels: ['outcome'],
    read: () => attempts.read().map(([outcome, count]) => ({ labels: { outcome }, count })),
  });
  metrics.counts({
    name: 'durabase_workflow_starts_total',
    help: 'Workflows started.',
    labels: ['type'],
    read: () => starts.read().map(([type, count]) => ({ labels: { type }, count })),
  });
  const server = http.createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return void response.writeHead(404).end();
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      (error: unknown) => {
        services.log.warn({ err: error }, 'the metrics could not be read');
        response.writeHead(500).end();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
