import type { ReactElement } from 'react';
import { DataTable, Labeled, ReferenceManyField } from 'react-admin';
import { columnFor } from '../fields/registry.tsx';
import type { DiscoveredRelation, Discovery } from '../discovery.ts';
import { AccessibleTable, TitleLink } from './AccessibleTable.tsx';
import { defaultSort, ordered, visibleFields } from './shape.ts';
import { spaced } from '../ui/spaced.ts';

interface RelatedProps {
  readonly discovery: Discovery;
  readonly relation: DiscoveredRelation;
}

const FIRST_COLUMNS = 5;

/** The records that point to this one. */
export function Related({ discovery, relation }: RelatedProps): ReactElement | null {
  const target = discovery.entities.find((candidate) => candidate.name === relation.target);
  if (target === undefined || !target.permissions.read) return null;
  const others = visibleFields(target).filter((field) => field.name !== relation.target_field);
  return (
    <Labeled label={spaced(relation.name)} fullWidth>
      <ReferenceManyField
        reference={relation.target}
        target={relation.target_field}
        source={relation.local_field}
        perPage={10}
        sort={defaultSort(target)}
      >
        <AccessibleTable rowTitle={target.display_field} rowClick="show" bulkActionButtons={false}>
          {ordered(target, others)
            .slice(0, FIRST_COLUMNS)
            .map((field) => (
              <DataTable.Col key={field.name} source={field.name} label={field.label} disableSort>
                {field.name === target.display_field ? <TitleLink source={field.name} /> : columnFor(field)}
              </DataTable.Col>
            ))}
        </AccessibleTable>
      </ReferenceManyField>
    </Labeled>
  );
}
