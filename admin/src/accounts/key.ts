import type { Discovery } from '../discovery.ts';
import type { Tone } from '../ui/Status.tsx';

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  /** Null for a key that acts as an account. */
  readonly roles: readonly string[] | null;
  readonly user_id: string | null;
  readonly expires_at: string | null;
  readonly revoked: boolean;
  readonly last_used_at: string | null;
  readonly created_at: string;
}

/** As it is made or rotated: its text is shown this once. */
export type ShownKey = ApiKey & { readonly key: string };

const SOON_MS = 7 * 86_400_000;

export type KeyState = 'in_use' | 'ends_soon' | 'expired' | 'revoked';

export const KEY_TONES: Readonly<Record<KeyState, Tone>> = { in_use: 'done', ends_soon: 'warning', expired: 'off', revoked: 'off' };

export function stateOf({ revoked, expires_at: expiry }: ApiKey, now = Date.now()): KeyState {
  if (revoked) return 'revoked';
  if (expiry === null) return 'in_use';
  const left = new Date(expiry).getTime() - now;
  return left <= 0 ? 'expired' : left < SOON_MS ? 'ends_soon' : 'in_use';
}

const ACTIONS = ['read', 'write', 'create', 'update', 'delete', '*'] as const;
/** Parts of the API beside the records; no `*` covers them. */
const PARTS = ['_admin', '_workflows'] as const;

/** What a scope can be, for who types one: `ticket:read`, `*:read`, `_workflows:write`. */
export function scopesFor(discovery: Discovery | undefined, isPlatform: boolean): readonly string[] {
  const entities = ['*', ...(discovery?.entities.map(({ name }) => name) ?? [])];
  const parts = [...PARTS, ...(isPlatform ? ['_platform'] : [])];
  return [
    ...entities.flatMap((entity) => ACTIONS.map((action) => `${entity}:${action}`)),
    ...parts.flatMap((part) => ['read', 'write', '*'].map((action) => `${part}:${action}`)),
  ];
}
