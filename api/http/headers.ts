/** Headers of every answer: what browsers may do with it, and who may call from where. */
import type { Config } from '../../adapters/config.ts';
import type { AppRuntime } from '../../operations/context.ts';
import { headerOf, type Call } from './call.ts';

/** For answers that are data: nothing in them is ever run, framed or sniffed. */
export function securityHeaders(config: Pick<Config, 'publicUrl'>): Readonly<Record<string, string>> {
  return {
    'Content-Security-Policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'private, no-cache',
    ...(config.publicUrl.startsWith('https:') ? { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' } : {}),
  };
}

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const REQUEST_HEADERS =
  'Authorization, Content-Type, Accept, If-Match, If-None-Match, Idempotency-Key, X-Request-Id, X-Tenant-Id, X-Api-Key, X-As-User, Schema-Version';
const EXPOSED =
  'Content-Disposition, ETag, Location, Schema-Version, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, RateLimit-Reset, Retry-After, Idempotent-Replayed, X-Request-Id';

/** The CORS headers for the caller's origin, or none when it is not allowed. Credentials never go with a wildcard. */
export function corsHeaders(call: Call, config: Pick<Config, 'corsOrigins'>): Record<string, string> | undefined {
  const origin = headerOf(call, 'origin');
  if (origin === undefined) return undefined;
  const isNamed = isListed(config.corsOrigins, origin) || isListed(originsOf(call.app), origin);
  const isAny = config.corsOrigins.includes('*') || originsOf(call.app).includes('*');
  if (!isNamed && !isAny) return { Vary: 'Origin' };
  return {
    'Access-Control-Allow-Origin': isNamed ? origin : '*',
    ...(isNamed ? { 'Access-Control-Allow-Credentials': 'true' } : {}),
    'Access-Control-Expose-Headers': EXPOSED,
    // An answer for a foreign origin must not be blocked by the resource policy of the others.
    'Cross-Origin-Resource-Policy': 'cross-origin',
    Vary: 'Origin',
  };
}

export const preflightHeaders = {
  'Access-Control-Allow-Methods': METHODS,
  'Access-Control-Allow-Headers': REQUEST_HEADERS,
  'Access-Control-Max-Age': '600',
} as const;

const originsOf = (app: AppRuntime | undefined): readonly string[] => app?.model.settings.origins ?? [];
const isListed = (origins: readonly string[], origin: string): boolean => origins.includes(origin);
