import type { ReactElement } from 'react';
import { DataTable, Labeled, ReferenceManyField, useCreatePath, useRecordContext } from 'react-admin';
import { Link } from 'react-router-dom';
import { columnFor } from '../fields/registry.tsx';
import { titleOf } from '../fields/values.ts';
import type { DiscoveredEntity, DiscoveredRelation, Discovery } from '../discovery.ts';
import { defaultSort, ordered, partLabel, visibleFields } from './shape.ts';

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
    <Labeled label={partLabel(relation)} fullWidth>
      <ReferenceManyField
        reference={relation.target}
        target={relation.target_field}
        source={relation.local_field}
        perPage={10}
        sort={defaultSort(target)}
      >
        <DataTable rowClick="show" bulkActionButtons={false}>
          {ordered(target, others)
            .slice(0, FIRST_COLUMNS)
            .map((field) => (
              <DataTable.Col key={field.name} source={field.name} label={field.label} disableSort>
                {field.name === target.display_field ? <TitleLink entity={target} /> : columnFor(field)}
              </DataTable.Col>
            ))}
        </DataTable>
      </ReferenceManyField>
    </Labeled>
  );
}

/** The record's title as a link to its page: how one opens a row without a mouse. */
function TitleLink({ entity }: { readonly entity: DiscoveredEntity }): ReactElement | null {
  const record = useRecordContext();
  const createPath = useCreatePath();
  if (record === undefined) return null;
  return (
    <Link
      to={createPath({ resource: entity.name, id: record.id, type: 'show' })}
      onClick={(event) => event.stopPropagation()}
      style={{ color: 'inherit' }}
    >
      {titleOf(record, entity.display_field)}
    </Link>
  );
}
