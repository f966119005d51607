/** Prometheus metrics. Names are public: docs/operating.md lists them. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  readonly contentType: string;
  /** The text of GET /metrics. */
  text(): Promise<string>;
  /** `route` is the pattern ("/api/:app/:entity"), never a path: labels must stay few. */
  request(labels: { readonly method: string; readonly route: string; readonly status: number }, seconds: number): void;
  delivery(outcome: 'delivered' | 'retrying' | 'dead' | 'refused'): void;
  workflowStarted(type: string): void;
  /** Seconds between the newest committed event and what the relay has fanned out. */
  relayLag(seconds: number): void;
  schemaReload(): void;
  /** A number read when /metrics is asked: pool use, open streams. */
  gauge(name: string, help: string, read: () => number): void;
}

const REQUEST_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** One registry per process (per call), so that two in one process, as in tests, do not collide. */
export function createMetrics(service: 'api' | 'worker'): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Counter({
    name: 'durabase_http_requests_total',
    help: 'Requests answered.',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'durabase_http_request_seconds',
    help: 'Time to answer a request.',
    labelNames: ['method', 'route'],
    buckets: REQUEST_BUCKETS,
    registers,
  });
  const deliveries = new Counter({
    name: 'durabase_deliveries_total',
    help: 'Webhook attempts by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const starts = new Counter({ name: 'durabase_workflow_starts_total', help: 'Workflows started.', labelNames: ['type'], registers });
  const lag = new Gauge({ name: 'durabase_relay_lag_seconds', help: 'How far the relay is behind the event log.', registers });
  const reloads = new Counter({
    name: 'durabase_schema_reloads_total',
    help: 'Times an app was loaded again after a schema change.',
    registers,
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    request({ method, route, status }, seconds) {
      requests.inc({ method, route, status: String(status) });
      durations.observe({ method, route }, seconds);
    },
    delivery: (outcome) => deliveries.inc({ outcome }),
    workflowStarted: (type) => starts.inc({ type }),
    relayLag: (seconds) => lag.set(seconds),
    schemaReload: () => reloads.inc(),
    gauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    },
  };
}
