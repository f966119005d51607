/**
 * What every operation gets. An operation is `(ctx, input) => result`: no HTTP, no Temporal worker. HTTP routes and workflow
 * activities call the same ones, so a workflow's `set_field` and a client's `PUT` are the same thing.
 */
import type { Logger } from 'pino';
import type pg from 'pg';
import type { Config } from '../adapters/config.ts';
import type { Keyring } from '../adapters/keys.ts';
import type { Outbound } from '../adapters/outbound.ts';
import type { RateLimiter } from '../adapters/rate-limit/rate-limit.ts';
import type { Scopes } from '../core/policy/access.ts';
import type { Tally } from '../adapters/tally.ts';
import type { TemporalGateway } from '../adapters/temporal/client.ts';
import type { AppRuntime } from './app-runtime.ts';
import type { Registry } from './registry.ts';

export type { AppRuntime } from './app-runtime.ts';

/** Made once per process. */
export interface Services {
  readonly config: Config;
  readonly log: Logger;
  /** Data statements. */
  readonly pool: pg.Pool;
  readonly registry: Registry;
  readonly temporal: TemporalGateway;
  readonly keyring: Keyring;
  /** Requests to other servers: webhooks and `http` actions. */
  readonly outbound: Outbound;
  /** Counters shared by every process. */
  readonly limiter: RateLimiter;
  /** What this process has done, counted for its metrics. */
  readonly tallies: { readonly attempts: Tally; readonly starts: Tally };
  readonly clock: () => Date;
}

/** Who acts. `system` is a workflow of ours: it passes every policy, and transition roles unless told to be strict. */
export interface Actor {
  readonly kind: 'user' | 'platform' | 'api_key' | 'system';
  /** The account; an API key that belongs to no account has its own id. */
  readonly id: string | null;
  readonly email: string | null;
  /** Lower case. */
  readonly roles: readonly string[];
  /** App admins, platform users and the system: not asked for permissions. */
  readonly isAdmin: boolean;
  readonly sessionId: string | null;
  /** With `api_key`: which one. */
  readonly keyId?: string;
  /** With `api_key`: what is left of the permissions. */
  readonly scopes?: Scopes;
  /** The admin who acts as this user. */
  readonly by?: { readonly kind: Actor['kind']; readonly id: string | null };
}

export interface AppContext {
  readonly services: Services;
  readonly app: AppRuntime;
  readonly actor: Actor;
  /** The request's time; in durable work the workflow's time. */
  readonly now: Date;
  readonly requestId: string;
  /** The run or event behind this change; depth over 8 starts nothing more. */
  readonly cause: string | null;
  readonly depth: number;
  /** A durable step's key: the write records its result under it in the same transaction, and a repeat returns that. */
  readonly effectKey?: string;
  /** Transition roles and missing transitions do not stop the system unless this is true. */
  readonly strict?: boolean;
  /** Told when the answer is in the shape of another version than the client asked for. */
  readonly speaks?: (version: number) => void;
}

export interface PlatformContext {
  readonly services: Services;
  readonly actor: Actor;
  readonly now: Date;
  readonly requestId: string;
}

export const systemActor = (id: string | null = null): Actor => ({
  kind: 'system',
  id,
  email: null,
  roles: [],
  isAdmin: true,
  sessionId: null,
});
