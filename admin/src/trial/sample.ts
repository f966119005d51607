/** The record that rules, guards and permissions are tried on: a new one as it is typed, or a stored one with changes. */
import { useMemo, useState } from 'react';
import type { ExpressionScope } from '../../../core/expression/expression.ts';
import type { DiscoveredEntity, DiscoveredField, Discovery } from '../discovery.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface Sample {
  /** Of the stored record it begins with; empty for a new one. */
  readonly id: string;
  readonly old: Row | null;
  readonly isDeleted: boolean;
  /** As it would be: the stored values with the changes over them. */
  readonly record: Row;
  /** Who writes; without roles, the caller. */
  readonly roles: readonly string[];
}

export const NEW: Sample = { id: '', old: null, isDeleted: false, record: {}, roles: [] };

export const useSample = () => useState<Sample>(NEW);

/** What a client may write: neither the engine's own columns nor what is computed. */
export const isWritable = (entity: DiscoveredEntity, field: DiscoveredField): boolean =>
  !field.auto && !field.computed && !(entity.primary_key.generated && field.name === entity.primary_key.field);

export const actionOf = ({ old, isDeleted }: Sample): 'create' | 'update' | 'delete' =>
  old === null ? 'create' : isDeleted ? 'delete' : 'update';

/** What a client would send: of a new record all that is filled in, of a stored one only what differs. */
export function payloadOf(entity: DiscoveredEntity, { record, old }: Sample): Row {
  const writable = new Set(entity.fields.filter((field) => isWritable(entity, field)).map(({ name }) => name));
  const isSent = ([name, value]: readonly [string, unknown]): boolean =>
    old === null ? value !== undefined : writable.has(name) && JSON.stringify(value ?? null) !== JSON.stringify(old[name] ?? null);
  return Object.fromEntries(Object.entries(record).filter(isSent));
}

/** The values an expression meets, as far as they are known without the server. */
export function useExpressionScope(entity: DiscoveredEntity | undefined, sample: Sample, { user }: Discovery): ExpressionScope {
  return useMemo(() => {
    const empty = Object.fromEntries((entity?.fields ?? []).map(({ name }) => [name, null]));
    return {
      record: { ...empty, ...sample.record },
      old: sample.old,
      user: { id: user.id, email: user.email, roles: sample.roles.length > 0 ? sample.roles : user.roles },
      action: actionOf(sample),
      now: new Date().toISOString(),
    };
  }, [entity, sample, user]);
}
