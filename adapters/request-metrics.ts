/**
 * How many requests there were and how long they took. The metrics library makes a text of the labels and hashes it at every
 * observation; this is asked by every request, so it keeps the numbers by route and writes the text only when it is scraped.
 */
export interface RequestMetrics {
  count(method: string, route: string, status: number, seconds: number): void;
  /** In Prometheus' text format. */
  text(): string;
}

const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const TOTAL = 'durabase_http_requests_total';
const SECONDS = 'durabase_http_request_seconds';

interface Series {
  readonly statuses: Map<number, number>;
  /** Per bucket, not added up; the last one holds what is longer than all of them. */
  readonly buckets: number[];
  sum: number;
}

export function createRequestMetrics(service: string): RequestMetrics {
  const routes = new Map<string, Map<string, Series>>();
  return {
    count(method, route, status, seconds) {
      const series = seriesOf(routes, method, route);
      series.statuses.set(status, (series.statuses.get(status) ?? 0) + 1);
      const bucket = BUCKETS.findIndex((bound) => seconds <= bound);
      const index = bucket === -1 ? BUCKETS.length : bucket;
      series.buckets[index] = (series.buckets[index] ?? 0) + 1;
      series.sum += seconds;
    },
    text() {
      const all = [...routes].flatMap(([route, methods]) =>
        [...methods].map(([method, series]) => ({
          labels: `method="${escaped(method)}",route="${escaped(route)}",service="${service}"`,
          series,
        })),
      );
      return [
        `# HELP ${TOTAL} Requests answered.`,
        `# TYPE ${TOTAL} counter`,
        ...all.flatMap(({ labels, series }) => [...series.statuses].map(([status, n]) => `${TOTAL}{${labels},status="${status}"} ${n}`)),
        '',
        `# HELP ${SECONDS} Time to answer a request.`,
        `# TYPE ${SECONDS} histogram`,
        ...all.flatMap(({ labels, series }) => histogram(labels, series)),
        '',
      ].join('\n');
    },
  };
}

function seriesOf(routes: Map<string, Map<string, Series>>, method: string, route: string): Series {
  let methods = routes.get(route);
  if (methods === undefined) routes.set(route, (methods = new Map()));
  let series = methods.get(method);
  if (series === undefined)
    methods.set(method, (series = { statuses: new Map(), buckets: Array<number>(BUCKETS.length + 1).fill(0), sum: 0 }));
  return series;
}

function histogram(labels: string, { buckets, sum }: Series): string[] {
  let below = 0;
  const lines = buckets.map((n, index) => `${SECONDS}_bucket{le="${BUCKETS[index] ?? '+Inf'}",${labels}} ${(below += n)}`);
  return [...lines, `${SECONDS}_sum{${labels}} ${sum}`, `${SECONDS}_count{${labels}} ${below}`];
}

const escaped = (text: string): string => text.replace(/[\\"\n]/g, (found) => (found === '\n' ? '\\n' : `\\${found}`));
