import type { ReactElement } from 'react';
import { CreateButton, DataTable, FilterButton, List, TopToolbar } from 'react-admin';
import { columnFor, filtersFor, isNumeric } from '../fields/registry.tsx';
import { ImportButton } from '../pages/imports/ImportButton.tsx';
import { AccessibleTable, TitleLink } from './AccessibleTable.tsx';
import { defaultSort, displayFieldOf, ordered, visibleFields, type EntityProps } from './shape.ts';

/** A list shows at most this many columns at first; the rest can be switched on. */
const FIRST_COLUMNS = 7;

export function EntityList({ discovery, entity }: EntityProps): ReactElement {
  const fields = visibleFields(entity);
  const columns = ordered(entity, fields);
  const hidden = columns.filter((field, index) => index >= FIRST_COLUMNS || field.hidden).map((field) => field.name);
  const filters = fields.flatMap((field) => filtersFor(field, (name) => displayFieldOf(discovery, name)));
  const { permissions } = entity;
  return (
    <List
      filters={filters}
      sort={defaultSort(entity)}
      perPage={25}
      title={entity.label}
      actions={
        <TopToolbar>
          {filters.length > 0 ? <FilterButton /> : null}
          <ImportButton discovery={discovery} entity={entity} />
          {permissions.create ? <CreateButton /> : null}
        </TopToolbar>
      }
    >
      <AccessibleTable
        rowTitle={entity.display_field}
        rowClick="show"
        hiddenColumns={hidden}
        {...(permissions.delete ? {} : { bulkActionButtons: false as const })}
      >
        {columns.map((field) => (
          <DataTable.Col
            key={field.name}
            source={field.name}
            label={field.label}
            align={isNumeric(field) ? 'right' : 'left'}
            disableSort={field.type === 'json' || field.type === 'file'}
          >
            {field.name === entity.display_field ? <TitleLink source={field.name} /> : columnFor(field)}
          </DataTable.Col>
        ))}
      </AccessibleTable>
    </List>
  );
}
