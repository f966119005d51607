/** The pages of one entity, made from what discovery says of it. */
import type { ReactElement } from 'react';
import {
  Create, DataTable, DeleteButton, Edit, EditButton, FilterButton, List, ReferenceManyField, Show, SimpleForm, SimpleShowLayout, TopToolbar, CreateButton,
  useRecordContext, Labeled, Toolbar, SaveButton,
} from 'react-admin';
import { AccessibleTable, TitleLink } from '../layout/AccessibleTable.tsx';
import { StateBar } from './StateBar.tsx';
import { columnFor, filtersFor, inputFor, isNumeric } from '../fields/registry.tsx';
import type { DiscoveredEntity, DiscoveredField, DiscoveredRelation, Discovery } from '../discovery.ts';

export interface EntityPages {
  readonly list: () => ReactElement;
  readonly create?: () => ReactElement;
  readonly edit?: () => ReactElement;
  readonly show: () => ReactElement;
}

/** A list shows at most this many columns at first; the rest can be switched on. */
const FIRST_COLUMNS = 7;

export function entityPages(discovery: Discovery, entity: DiscoveredEntity): EntityPages {
  const displayFieldOf = (name: string): string => discovery.entities.find((candidate) => candidate.name === name)?.display_field ?? 'id';
  const key = entity.primary_key.field;
  const visible = entity.fields.filter((field) => field.readable && field.name !== key);
  const columns = ordered(entity, visible);
  const hidden = columns.filter((field, index) => index >= FIRST_COLUMNS || field.hidden).map((field) => field.name);
  const filters = visible.flatMap((field) => filtersFor(field, displayFieldOf));
  const editable = entity.fields.filter((field) => field.writable && !field.auto && (field.name !== key || !entity.primary_key.generated));
  const children = entity.relations.filter((relation) => relation.direction === 'reverse' && relation.cardinality === 'many');
  const { permissions } = entity;

  const table = (
    <AccessibleTable rowTitle={entity.display_field} rowClick="show" hiddenColumns={hidden} {...(permissions.delete ? {} : { bulkActionButtons: false as const })}>
      {columns.map((field) => (
        <DataTable.Col key={field.name} source={field.name} label={field.label} align={isNumeric(field) ? 'right' : 'left'} disableSort={field.type === 'json' || field.type === 'file'}>
          {field.name === entity.display_field ? <TitleLink source={field.name} /> : columnFor(field)}
        </DataTable.Col>
      ))}
    </AccessibleTable>
  );

  const pages: EntityPages = {
    list: () => (
      <List
        filters={filters} sort={defaultSort(entity)} perPage={25} title={entity.label}
        actions={
          <TopToolbar>
            {filters.length > 0 ? <FilterButton /> : null}
            {permissions.create ? <CreateButton /> : null}
          </TopToolbar>
        }
      >
        {table}
      </List>
    ),
    show: () => (
      <Show title={<RecordTitle entity={entity} />} actions={<ShowActions entity={entity} />}>
        <SimpleShowLayout>
          <StateBar entity={entity} discovery={discovery} />
          {visible.map((field) => (
            <Labeled key={field.name} label={field.label} source={field.name}>
              {columnFor(field)}
            </Labeled>
          ))}
          {children.map((relation) => (
            <Related key={relation.name} discovery={discovery} relation={relation} />
          ))}
        </SimpleShowLayout>
      </Show>
    ),
  };
  return {
    ...pages,
    ...(permissions.create
      ? { create: () => <Create title={`New ${entity.label.toLowerCase()}`} redirect="show"><RecordForm fields={editable} displayFieldOf={displayFieldOf} /></Create> }
      : {}),
    ...(permissions.update
      ? {
          edit: () => (
            <Edit title={<RecordTitle entity={entity} />} mutationMode="pessimistic" redirect="show">
              <RecordForm fields={editable} displayFieldOf={displayFieldOf} canDelete={permissions.delete} />
            </Edit>
          ),
        }
      : {}),
  };
}

function RecordForm({ fields, displayFieldOf, canDelete = false }: {
  readonly fields: readonly DiscoveredField[];
  readonly displayFieldOf: (entity: string) => string;
  readonly canDelete?: boolean;
}): ReactElement {
  const defaults = Object.fromEntries(fields.flatMap((field) => (field.default === null ? [] : [[field.name, field.default]])));
  return (
    <SimpleForm
      defaultValues={defaults} warnWhenUnsavedChanges sx={{ maxWidth: 900 }}
      toolbar={
        <Toolbar sx={{ justifyContent: 'space-between' }}>
          <SaveButton alwaysEnable />
          {canDelete ? <DeleteButton mutationMode="pessimistic" /> : null}
        </Toolbar>
      }
    >
      {fields.map((field) => (
        <FieldInput key={field.name} field={field} displayFieldOf={displayFieldOf} />
      ))}
    </SimpleForm>
  );
}

function FieldInput({ field, displayFieldOf }: { readonly field: DiscoveredField; readonly displayFieldOf: (entity: string) => string }): ReactElement {
  return inputFor(field, displayFieldOf);
}

function ShowActions({ entity }: { readonly entity: DiscoveredEntity }): ReactElement {
  return <TopToolbar>{entity.permissions.update ? <EditButton /> : null}</TopToolbar>;
}

function RecordTitle({ entity }: { readonly entity: DiscoveredEntity }): ReactElement {
  const record = useRecordContext();
  const title = record?.[entity.display_field] as unknown;
  return <>{typeof title === 'string' || typeof title === 'number' ? `${entity.label}: ${title}` : entity.label}</>;
}

function Related({ discovery, relation }: { readonly discovery: Discovery; readonly relation: DiscoveredRelation }): ReactElement | null {
  const target = discovery.entities.find((candidate) => candidate.name === relation.target);
  if (target === undefined || !target.permissions.read) return null;
  const columns = ordered(target, target.fields.filter((field) => field.readable && field.name !== relation.target_field && field.name !== target.primary_key.field)).slice(0, 5);
  return (
    <Labeled label={relation.name.replaceAll('_', ' ')} fullWidth>
      <ReferenceManyField reference={relation.target} target={relation.target_field} source={relation.local_field} perPage={10} sort={defaultSort(target)}>
        <AccessibleTable rowTitle={target.display_field} rowClick="show" bulkActionButtons={false}>
          {columns.map((field) => (
            <DataTable.Col key={field.name} source={field.name} label={field.label} disableSort>
              {field.name === target.display_field ? <TitleLink source={field.name} /> : columnFor(field)}
            </DataTable.Col>
          ))}
        </AccessibleTable>
      </ReferenceManyField>
    </Labeled>
  );
}

/** The title first, then states and short values, long texts last. */
function ordered(entity: DiscoveredEntity, fields: readonly DiscoveredField[]): DiscoveredField[] {
  const states = new Set(entity.state_machines.map((machine) => machine.field));
  const rank = (field: DiscoveredField): number => {
    if (field.name === entity.display_field) return 0;
    if (states.has(field.name)) return 1;
    if (field.enum !== null) return 2;
    if (field.hidden) return 6;
    return field.type === 'text' || field.type === 'json' || field.type === 'file' ? 5 : 3;
  };
  return [...fields].sort((a, b) => rank(a) - rank(b));
}

function defaultSort(entity: DiscoveredEntity): { field: string; order: 'ASC' | 'DESC' } {
  const newest = entity.fields.find((field) => field.readable && field.name === 'created_at');
  return newest === undefined ? { field: entity.display_field, order: 'ASC' } : { field: newest.name, order: 'DESC' };
}
