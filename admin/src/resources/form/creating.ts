import { createContext, useContext } from 'react';
import type { RaRecord } from 'react-admin';
import type { DiscoveredEntity } from '../../discovery.ts';

export interface Creating {
  readonly target: DiscoveredEntity;
  /** What was typed when nothing was found; it becomes the title. */
  readonly title: string;
  readonly onCreated: (record: RaRecord) => void;
}

/** Opens a form for a record of another entity beside the one that wants to lead to it. There is none within such a form. */
export const CreatingContext = createContext<((creating: Creating) => void) | undefined>(undefined);
export const useCreating = (): ((creating: Creating) => void) | undefined => useContext(CreatingContext);
