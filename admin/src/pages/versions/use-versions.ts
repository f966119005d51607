import type { UseQueryResult } from '@tanstack/react-query';
import type { ApiError } from '../../../../client/client.ts';
import { appPath, useRead } from '../../api/use-api.ts';
import type { SchemaVersion } from '../../plan/types.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';

export interface VersionsAnswer {
  readonly data: readonly SchemaVersion[];
  readonly meta: {
    readonly schema: string;
    readonly is_owner: boolean;
    readonly served_version: number;
    readonly latest_version: number;
    readonly pinned_version: number | null;
  };
}

/** Addresses of these pages and of their API. */
export function useVersionPaths(): { readonly pages: string; readonly api: string } {
  const { app } = useDiscovery();
  return {
    pages: `/t/${app.name}/_versions`,
    api: `${appPath(app.name)}/_admin`,
  };
}

export function useVersions(): UseQueryResult<VersionsAnswer, ApiError> {
  const { api } = useVersionPaths();
  return useRead<VersionsAnswer>(`${api}/versions`);
}
