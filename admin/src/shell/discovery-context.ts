import { createContext, useContext } from 'react';
import type { DiscoveredEntity, Discovery } from '../discovery.ts';

const DiscoveryContext = createContext<Discovery | undefined>(undefined);
export const DiscoveryProvider = DiscoveryContext.Provider;

/** The active app as discovery describes it to this caller. Only for pages of an app. */
export function useDiscovery(): Discovery {
  const discovery = useContext(DiscoveryContext);
  if (discovery === undefined) throw new Error('This page belongs into an app.');
  return discovery;
}

/** For the shell, which stands around the platform's pages too. */
export const useDiscoveryIfAny = (): Discovery | undefined => useContext(DiscoveryContext);

export const entityNamed = (discovery: Discovery, name: string): DiscoveredEntity | undefined =>
  discovery.entities.find((entity) => entity.name === name);
