/** What is chosen, in the address: `?entity=ticket&field=status` or `?relation=ticket_customer`. It survives a reload and going back. */
import { useCallback } from 'react';
import { useSearchParams } from 'react-router-dom';

export interface Selection {
  readonly entity?: string;
  readonly field?: string;
  readonly relation?: string;
}

export function useSelection(): readonly [Selection, (selection: Selection) => void] {
  const [parameters, setParameters] = useSearchParams();
  const select = useCallback(
    (selection: Selection) => {
      const next = Object.entries(selection).filter(([, name]) => name !== undefined) as [string, string][];
      setParameters(new URLSearchParams(next), { replace: true, state: null });
    },
    [setParameters],
  );
  const [entity, field, relation] = ['entity', 'field', 'relation'].map((key) => parameters.get(key) ?? undefined);
  return [
    {
      ...(entity === undefined ? {} : { entity }),
      ...(field === undefined ? {} : { field }),
      ...(relation === undefined ? {} : { relation }),
    },
    select,
  ];
}
