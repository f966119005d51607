/** A stored record, as the expressions of a definition would meet it when it starts a run. */
import { useMemo } from 'react';
import { useGetOne } from 'react-admin';
import type { ExpressionScope } from '../../../../core/expression/expression.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { isRaw, type Raw, type Workflow } from './workflow.ts';

/** Undefined until a record is chosen; an empty entity has none. */
export function useSample({ trigger, context }: Workflow, record: string): ExpressionScope | undefined {
  const { user } = useDiscovery();
  const entity = trigger.entity ?? '';
  const { data } = useGetOne<Raw & { id: string }>(entity, { id: record }, { enabled: entity !== '' && record !== '' });
  return useMemo(() => {
    if (data === undefined) return undefined;
    const before: ExpressionScope = {
      record: data,
      old: null,
      trigger: { record: data, old: null },
      context: {},
      user: { id: user.id, email: user.email, roles: user.roles },
      now: new Date().toISOString(),
    };
    return { ...before, context: Object.fromEntries(Object.entries(context).map(([name, value]) => [name, startValue(value, before)])) };
  }, [data, context, user]);
}

const PATH = /^(record|trigger)(\.\w+)+$/;

/** A literal, or what stands at a path; null for what only the server works out. */
function startValue(value: unknown, scope: ExpressionScope): unknown {
  if (isRaw(value) && 'expression' in value) return null;
  if (typeof value !== 'string' || !PATH.test(value)) return value;
  return value.split('.').reduce<unknown>((at, name) => (isRaw(at) ? (at[name] ?? null) : null), scope);
}
