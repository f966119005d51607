import type { Changes } from '../../resources/record/FieldChanges.tsx';

export interface Walk<T> {
  readonly data: readonly T[];
  readonly page: { readonly limit: number; readonly next_cursor: string | null };
}

export interface Actor {
  readonly kind: string;
  readonly id?: string | null;
  readonly name?: string | null;
  readonly email?: string | null;
  readonly key?: string | null;
}

/** A change of a record. */
export interface RecordChange {
  readonly id: string;
  readonly entity: string;
  readonly record_id: string;
  readonly version: string;
  readonly action: 'create' | 'update' | 'delete' | 'restore';
  readonly at: string;
  readonly actor: Actor;
  readonly cause: string | null;
  readonly changes: Changes;
  readonly gone_fields?: readonly string[];
}

/** An entry of the chain. */
export interface ChainEntry {
  readonly number: number;
  readonly action: string;
  readonly actor: Actor;
  readonly target: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly at: string;
  readonly erased_at: string | null;
  readonly hash: string;
}

export interface Proof {
  readonly intact: boolean;
  readonly entries: number;
  readonly erased: number;
  readonly head: { readonly number: string; readonly hash: string } | null;
  readonly first_bad: { readonly number: string; readonly message: string } | null;
}

/** What the address of the page asks for, in the words of the API. `cursor` is a place and no filter. */
export const FILTERS = {
  records: ['entity', 'record', 'action', 'actor', 'from', 'to'],
  chain: ['action', 'actor', 'target', 'from', 'to'],
} as const;

export function queryOf(tab: keyof typeof FILTERS, params: URLSearchParams): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of FILTERS[tab]) {
    const given = params.get(name) ?? '';
    const asked = name === 'from' || name === 'to' ? instant(given) : given;
    // A key means nothing without its entity.
    const isAsked = asked !== '' && (name !== 'record' || query.has('entity'));
    if (isAsked) query.set(name, asked);
  }
  return query;
}

/** What a person's clock shows, as the API takes it; nothing for what is no time. */
function instant(local: string): string {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? '' : at.toISOString();
}
