import type { Identifier } from 'react-admin';
import { appPath } from '../../api/use-api.ts';
import type { DiscoveredEntity, Discovery } from '../../discovery.ts';

/** Where the API has this record, and below it its comments, history and clocks. */
export const recordPath = (discovery: Discovery, entity: DiscoveredEntity, id: Identifier): string =>
  `${appPath(discovery.app.name)}/${encodeURIComponent(entity.name)}/${encodeURIComponent(String(id))}`;
