/**
 * The schema document of the app as it is served, and what publishing another one would do.
 *   const served = useServedDocument();              // { version, document } once it is there
 *   const plan = useDryRun(changed, { isOn: true }); // asked again a moment after the last change
 */
import { useEffect, useState } from 'react';
import { ApiError } from '../../../client/client.ts';
import { appPath, useRead } from '../api/use-api.ts';
import { client } from '../session.ts';
import { useDiscovery } from '../shell/discovery-context.ts';
import type { Plan } from './plan.ts';
import { EMPTY, type DocumentInput } from './types.ts';

export interface ServedDocument {
  readonly version: number;
  readonly document: DocumentInput;
}

interface VersionAnswer {
  readonly data: { readonly version: number; readonly document: DocumentInput };
}

/** Version 0 is that of an app without a document: it is empty. */
export const versionPath = (app: string, version: number): string | undefined =>
  version === 0 ? undefined : `${appPath(app)}/_admin/versions/${version}`;

/** The served version by default; `error` and `refetch` as `useRead` has them. */
export function useServedDocument(version?: number): {
  readonly served: ServedDocument | undefined;
  readonly error: ApiError | null;
  readonly refetch: () => Promise<unknown>;
} {
  const { app, schema_version: current } = useDiscovery();
  const wanted = version ?? current;
  const { data, error, refetch } = useRead<VersionAnswer>(versionPath(app.name, wanted));
  // While another version is read the former one is shown by the cache: it is not the one that was asked for.
  const answered = data?.data.version === wanted ? { version: wanted, document: data.data.document } : undefined;
  return { served: wanted === 0 ? NOTHING : answered, error, refetch };
}

const NOTHING: ServedDocument = { version: 0, document: EMPTY };

export type DryRun =
  | { readonly state: 'none' }
  | { readonly state: 'asking'; readonly last: Plan | undefined }
  | { readonly state: 'planned'; readonly plan: Plan; readonly document: DocumentInput }
  | { readonly state: 'refused'; readonly error: ApiError; readonly document: DocumentInput };

const PAUSE_MS = 350;

/** Judges a document as a publish would, `PAUSE_MS` after it changed last; `isOn` false asks nothing. */
export function useDryRun(document: DocumentInput | undefined, { isOn = true, pauseMs = PAUSE_MS } = {}): DryRun {
  const { app } = useDiscovery();
  const [answer, setAnswer] = useState<DryRun>({ state: 'none' });
  useEffect(() => {
    if (document === undefined || !isOn) {
      setAnswer({ state: 'none' });
      return;
    }
    const stop = new AbortController();
    setAnswer((before) => ({ state: 'asking', last: before.state === 'planned' ? before.plan : undefined }));
    const timer = setTimeout(() => {
      dryRun(app.name, document, stop.signal).then(
        (plan) => (stop.signal.aborted ? undefined : setAnswer({ state: 'planned', plan, document })),
        (error: unknown) => {
          if (!stop.signal.aborted && error instanceof ApiError) setAnswer({ state: 'refused', error, document });
        },
      );
    }, pauseMs);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [app.name, document, isOn, pauseMs]);
  return answer;
}

async function dryRun(app: string, document: DocumentInput, signal: AbortSignal): Promise<Plan> {
  const path = `${appPath(app)}/_admin/versions?dry_run=true`;
  return (await client.call<{ data: Plan }>(path, { method: 'POST', body: document, signal })).body.data;
}
