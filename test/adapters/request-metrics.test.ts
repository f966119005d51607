import { expect, it } from 'vitest';
import { createRequestMetrics } from '../../adapters/request-metrics.ts';

it('counts requests by route, method and status, and adds their durations up in buckets', () => {
  const metrics = createRequestMetrics('api');
  metrics.count('GET', '/api/:app/:entity', 200, 0.001);
  metrics.count('GET', '/api/:app/:entity', 200, 0.004);
  metrics.count('GET', '/api/:app/:entity', 404, 60);
  metrics.count('POST', '/a"b', 201, 0.005);
  const lines = metrics.text().split('\n');
  const of = 'method="GET",route="/api/:app/:entity",service="api"';
  expect(lines).toEqual(
    expect.arrayContaining([
      `durabase_http_requests_total{${of},status="200"} 2`,
      `durabase_http_requests_total{${of},status="404"} 1`,
      'durabase_http_requests_total{method="POST",route="/a\\"b",service="api",status="201"} 1',
      `durabase_http_request_seconds_bucket{le="0.002",${of}} 1`,
      `durabase_http_request_seconds_bucket{le="0.005",${of}} 2`,
      `durabase_http_request_seconds_bucket{le="10",${of}} 2`,
      `durabase_http_request_seconds_bucket{le="+Inf",${of}} 3`,
      `durabase_http_request_seconds_count{${of}} 3`,
      'durabase_http_request_seconds_bucket{le="0.005",method="POST",route="/a\\"b",service="api"} 1',
    ]),
  );
});
