/** Where the entities stand in the diagram, kept in this browser per app. */
import { useStore } from 'react-admin';
import type { Places } from './model/layout.ts';

export const useKeptPlaces = (): readonly [Places, (places: Places) => void] => useStore<Places>('schema.places', {});

/** An entity that is called otherwise stays where it stands. */
export function useKeepPlace(): (from: string, to: string) => void {
  const [kept, setKept] = useKeptPlaces();
  return (from, to) => {
    const place = kept[from];
    if (place !== undefined) setKept({ ...kept, [to]: place });
  };
}
