/** Prometheus metrics. Names are public: docs/operating.md lists them. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { createRequestMetrics } from './request-metrics.ts';

export interface Metrics {
  readonly contentType: string;
  /** The text of GET /metrics. */
  text(): Promise<string>;
  /** `route` is the pattern ("/api/:app/:entity"), never a path: labels must stay few. */
  request(labels: { readonly method: string; readonly route: string; readonly status: number }, seconds: number): void;
  /** A number read when /metrics is asked: pool use, open streams. One that cannot be read keeps its last value. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** A count per set of labels, kept elsewhere and read when /metrics is asked. The sets must stay few. */
  counts(given: { readonly name: string; readonly help: string; readonly labels: readonly string[]; read(): readonly Counted[] }): void;
}

export interface Counted {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
}

/** One registry per process (per call), so that two in one process, as in tests, do not collide. */
export function createMetrics(service: 'api' | 'worker'): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = createRequestMetrics(service);
  return {
    contentType: registry.contentType,
    text: async () => `${await registry.metrics()}\n${requests.text()}`,
    request: ({ method, route, status }, seconds) => requests.count(method, route, status, seconds),
    counts({ name, help, labels: labelNames, read }) {
      new Counter({
        name,
        help,
        labelNames: [...labelNames],
        registers,
        collect() {
          this.reset();
          for (const { labels, count } of read()) this.inc({ ...labels }, count);
        },
      });
    },
    gauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers,
        async collect() {
          const found = await Promise.resolve()
            .then(read)
            .catch(() => undefined);
          if (found !== undefined) this.set(found);
        },
      });
    },
  };
}
