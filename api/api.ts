import type { ApiKeys } from '../adapters/api-keys.ts';
import type { Metrics } from '../adapters/metrics.ts';
import type { Oidc } from '../adapters/oidc.ts';
import type { LeasedLimiter } from '../adapters/rate-limit/leases.ts';
import type { Revocations } from '../adapters/revocations.ts';
import type { Tokens } from '../adapters/tokens.ts';
import type { Services } from '../operations/context.ts';
import type { RealtimeHub } from '../operations/realtime/hub.ts';

/** What the routes share; made once per process. */
export interface Api {
  readonly services: Services;
  readonly tokens: Tokens;
  readonly apiKeys: ApiKeys;
  /** Sign-in providers as their client. */
  readonly oidc: Oidc;
  readonly revocations: Revocations;
  readonly metrics: Metrics;
  /** Requests per minute, spent from memory. */
  readonly limits: LeasedLimiter;
  /** The streams this process holds. */
  readonly realtime: RealtimeHub;
}
