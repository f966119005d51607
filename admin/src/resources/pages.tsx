/** The pages of one entity, made from what discovery says of it. */
import type { ReactElement } from 'react';
import type { DiscoveredEntity, Discovery } from '../discovery.ts';
import { EntityList } from './list/EntityList.tsx';
import { CreatePage, EditPage } from './form/RecordForm.tsx';
import { RecordPage } from './RecordPage.tsx';

export interface EntityPages {
  readonly list: () => ReactElement;
  readonly create?: () => ReactElement;
  readonly edit?: () => ReactElement;
  readonly show: () => ReactElement;
}

export function entityPages(discovery: Discovery, entity: DiscoveredEntity): EntityPages {
  const of = { discovery, entity };
  return {
    list: () => <EntityList {...of} />,
    show: () => <RecordPage {...of} />,
    ...(entity.permissions.create ? { create: () => <CreatePage {...of} /> } : {}),
    ...(entity.permissions.update ? { edit: () => <EditPage {...of} /> } : {}),
  };
}
