import { createContext, useContext } from 'react';

const ReloadContext = createContext<() => Promise<void>>(() => Promise.resolve());
export const ReloadProvider = ReloadContext.Provider;

/** Asks discovery again, after the schema or one's permissions changed: a new version makes the pages anew. */
export const useReload = (): (() => Promise<void>) => useContext(ReloadContext);
