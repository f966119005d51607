/** Accounts as the API tells admins of them, and where those of the one who is signed in are asked for. */
import { appPath } from '../api/use-api.ts';
import { rememberedScope } from '../session.ts';

export interface User {
  readonly id: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly active: boolean;
  /** The id of the user whom approvals of the type `manager` ask. */
  readonly manager: string | null;
  readonly must_change: boolean;
  readonly created_at: string;
}

export interface Paged<T> {
  readonly data: readonly T[];
  readonly meta: { readonly page: number; readonly per_page: number; readonly total: number };
}

export interface Session {
  readonly id: string;
  readonly created_at: string;
  readonly used_at: string;
  readonly expires_at: string;
  readonly user_agent: string | null;
  readonly address: string | null;
  readonly current: boolean;
}

export interface Factor {
  readonly enabled: boolean;
  readonly recovery_codes_left: number;
}

/** Everything about one's own account is below this: the realm in which one signed in, whatever app is open. */
export function ownAuthPath(): string {
  const scope = rememberedScope();
  return scope.kind === 'platform' ? '/api/_platform/auth' : `${appPath(scope.app)}/auth`;
}

const BROWSERS = [
  ['Edge', /Edg\//],
  ['Opera', /OPR\//],
  ['Firefox', /Firefox\//],
  ['Chrome', /(?:Headless)?Chrom(?:e|ium)\//],
  ['Safari', /Safari\//],
  ['curl', /^curl\//],
] as const;
const SYSTEMS = [
  ['Android', /Android/],
  ['iOS', /iPhone|iPad/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS X/],
  ['Linux', /Linux/],
] as const;

/** `Firefox · Linux`: what a person knows their own device by. Programs say who they are themselves. */
export function deviceOf(userAgent: string | null): string {
  if (userAgent === null || userAgent === '') return '–';
  const known = [BROWSERS, SYSTEMS].flatMap((list) => list.find(([, mark]) => mark.test(userAgent))?.[0] ?? []);
  return known.length === 0 ? userAgent.slice(0, 60) : known.join(' · ');
}
