import { useCallback } from 'react';
import type { CallOptions } from '../../../client/client.ts';
import { useSend } from '../api/use-api.ts';
import { client } from '../session.ts';
import { ownAuthPath } from './account.ts';

export type Prove = <T>(method: NonNullable<CallOptions['method']>, path: string, body: unknown) => Promise<T>;

/** Sends what proves who one is. A wrong password is answered 401 and ends no session; a token that has run out is renewed before. */
export function useProof(): Prove {
  const send = useSend();
  return useCallback(
    async <T>(method: NonNullable<CallOptions['method']>, path: string, body: unknown): Promise<T> => {
      await client.call(`${ownAuthPath()}/me`);
      return send<T>(method, path, body, { isProof: true });
    },
    [send],
  );
}
