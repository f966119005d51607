import { lazy, Suspense, type ReactElement } from 'react';
import { EditButton, Labeled, Show, SimpleShowLayout, TopToolbar, useRecordContext } from 'react-admin';
import { columnFor } from '../fields/registry.tsx';
import type { DiscoveredEntity } from '../discovery.ts';
import { Columns, isLong, WIDE } from './Columns.tsx';
import { Related } from './Related.tsx';
import { recordFields, relatedLists, type EntityProps } from './shape.ts';
import { StateBar } from './StateBar.tsx';

/** Loaded when a record is opened: lists do not need them. */
const Aside = lazy(() => import('./record/Aside.tsx'));
const Standing = lazy(() => import('./record/Standing.tsx'));

export function RecordPage({ discovery, entity }: EntityProps): ReactElement {
  return (
    <Show
      title={<RecordTitle entity={entity} />}
      actions={<TopToolbar>{entity.permissions.update ? <EditButton /> : null}</TopToolbar>}
      aside={
        <Suspense fallback={null}>
          <Aside discovery={discovery} entity={entity} />
        </Suspense>
      }
      sx={{ '& .RaShow-main': { flexWrap: { xs: 'wrap', lg: 'nowrap' } } }}
    >
      <SimpleShowLayout>
        <Suspense fallback={null}>
          <Standing discovery={discovery} entity={entity} />
        </Suspense>
        <StateBar entity={entity} discovery={discovery} />
        <Columns>
          {recordFields(entity).map((field) => (
            <Labeled key={field.name} label={field.label} source={field.name} sx={isLong(field) ? WIDE : {}}>
              {columnFor(field, 'record')}
            </Labeled>
          ))}
        </Columns>
        {relatedLists(entity).map((relation) => (
          <Related key={relation.name} discovery={discovery} relation={relation} />
        ))}
      </SimpleShowLayout>
    </Show>
  );
}

export function RecordTitle({ entity }: { readonly entity: DiscoveredEntity }): ReactElement {
  const record = useRecordContext();
  const title = record?.[entity.display_field] as unknown;
  return <>{typeof title === 'string' || typeof title === 'number' ? `${entity.label}: ${title}` : entity.label}</>;
}
