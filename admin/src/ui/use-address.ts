/**
 * State that lives in the address, as `useSearchParams` has it, but for one thing: a change is made from the address as it is, not from the one of
 * the last render. That may be older than what was set a moment ago, which a change made from it would take back.
 *   const { params, change } = useAddress();
 *   change({ status: 'dead', page: undefined }, { replace: true }); // an empty value goes too
 */
import { useCallback } from 'react';
import { useSearchParams, type NavigateOptions } from 'react-router-dom';

export interface Address {
  readonly params: URLSearchParams;
  readonly change: (changed: Readonly<Record<string, string | undefined>>, options?: NavigateOptions) => void;
  /** Without any parameter. */
  readonly clear: () => void;
}

export function useAddress(): Address {
  const [params, setParams] = useSearchParams();
  const change = useCallback<Address['change']>(
    (changed, options) => {
      const next = new URLSearchParams(window.location.search);
      for (const [name, value] of Object.entries(changed)) {
        if (value === undefined || value === '') next.delete(name);
        else next.set(name, value);
      }
      setParams(next, options);
    },
    [setParams],
  );
  const clear = useCallback(() => setParams({}), [setParams]);
  return { params, change, clear };
}
