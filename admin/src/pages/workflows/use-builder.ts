import { useMemo } from 'react';
import { useDefinitions } from '../../definitions/definitions.ts';
import type { ServedDocument } from '../../document/use-document.ts';
import type { Scope } from '../../expressions/scope.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { useRegistry } from '../functions/Registry.tsx';
import type { Builder } from './builder.ts';
import type { Trouble } from './problems.ts';
import { freeIds } from './steps.ts';
import { useSample } from './use-sample.ts';
import type { Workflow } from './workflow.ts';

/** What the document and the registry offer to choose from, and what is wrong where. */
export function useBuilderValue(served: ServedDocument, workflow: Workflow, record: string, troubles: readonly Trouble[]): Builder {
  const discovery = useDiscovery();
  const roles = useDefinitions<{ readonly name: string }>('roles').data?.data;
  const functions = useRegistry().data?.data;
  const sample = useSample(workflow, record);
  const entity = workflow.trigger.entity;
  const scope = useMemo<Scope>(() => ({ place: 'workflow', discovery, entity }), [discovery, entity]);
  return useMemo(
    () => ({
      scope,
      sample,
      roles: roles?.map(({ name }) => name) ?? [],
      functions: functions?.map(({ name }) => name) ?? [],
      webhooks: (served.document.webhooks ?? []).flatMap(({ name, id }) => name ?? id ?? []),
      startable: (served.document.workflows ?? []).filter(({ trigger }) => trigger.type === 'manual').map(({ name }) => name),
      freeId: (base) => freeIds(workflow.steps)(base),
      errorAt: (path) => troubles.find((trouble) => trouble.path === path && trouble.level !== 'info')?.message,
    }),
    [scope, sample, roles, functions, served, workflow.steps, troubles],
  );
}
