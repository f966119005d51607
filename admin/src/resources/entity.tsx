/** The pages of one entity, made from what discovery says of it. */
import { Box } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';
import {
  Create,
  DataTable,
  DeleteButton,
  Edit,
  EditButton,
  FilterButton,
  List,
  ReferenceManyField,
  Show,
  SimpleForm,
  SimpleShowLayout,
  TopToolbar,
  CreateButton,
  useRecordContext,
  Labeled,
  Toolbar,
  SaveButton,
} from 'react-admin';
import { AccessibleTable, TitleLink } from './AccessibleTable.tsx';
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
  // A state moves by its machine's buttons: typing one would be refused in most cases.
  const states = new Set(entity.state_machines.map((machine) => machine.field));
  const editable = entity.fields.filter(
    (field) => field.writable && !field.auto && !states.has(field.name) && (field.name !== key || !entity.primary_key.generated),
  );
  const children = entity.relations.filter((relation) => relation.direction === 'reverse' && relation.cardinality === 'many');
  const { permissions } = entity;

  const table = (
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
  );

  const pages: EntityPages = {
    list: () => (
      <List
        filters={filters}
        sort={defaultSort(entity)}
        perPage={25}
        title={entity.label}
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
          <Columns>
            {visible
              .filter((field) => !states.has(field.name))
              .map((field) => (
                <Labeled key={field.name} label={field.label} source={field.name} sx={isLong(field) ? WIDE : {}}>
                  {columnFor(field, 'record')}
                </Labeled>
              ))}
          </Columns>
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
      ? {
          create: () => (
            <Create title={`New ${entity.label.toLowerCase()}`} redirect="show">
              <RecordForm fields={editable} displayFieldOf={displayFieldOf} />
            </Create>
          ),
        }
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

function RecordForm({
  fields,
  displayFieldOf,
  canDelete = false,
}: {
  readonly fields: readonly DiscoveredField[];
  readonly displayFieldOf: (entity: string) => string;
  readonly canDelete?: boolean;
}): ReactElement {
  const defaults = Object.fromEntries(fields.flatMap((field) => (field.default === null ? [] : [[field.name, field.default]])));
  return (
    <SimpleForm
      defaultValues={defaults}
      warnWhenUnsavedChanges
      sx={{ maxWidth: 1200 }}
      toolbar={
        <Toolbar sx={{ justifyContent: 'space-between', backgroundColor: 'transparent', borderTop: 1, borderColor: 'divider' }}>
          <SaveButton alwaysEnable />
          {canDelete ? <DeleteButton mutationMode="pessimistic" /> : null}
        </Toolbar>
      }
    >
      <Columns>
        {fields.map((field) => (
          <Box key={field.name} sx={isLong(field) ? WIDE : {}}>
            {inputFor(field, displayFieldOf)}
          </Box>
        ))}
      </Columns>
    </SimpleForm>
  );
}

const isLong = (field: DiscoveredField): boolean => field.type === 'text' || field.type === 'json';
const WIDE = { gridColumn: '1 / -1' };

/** Two columns where there is room; long texts take both. */
function Columns({ children }: { readonly children: ReactNode }): ReactElement {
  return (
    <Box
      sx={{
        display: 'grid',
        width: '100%',
        columnGap: 3,
        rowGap: 1,
        alignItems: 'start',
        gridTemplateColumns: { xs: '1fr', lg: '1fr 1fr' },
        '& .MuiChip-root': { alignSelf: 'flex-start' },
      }}
    >
      {children}
    </Box>
  );
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
  const columns = ordered(
    target,
    target.fields.filter((field) => field.readable && field.name !== relation.target_field && field.name !== target.primary_key.field),
  ).slice(0, 5);
  return (
    <Labeled label={relation.name.replaceAll('_', ' ')} fullWidth>
      <ReferenceManyField
        reference={relation.target}
        target={relation.target_field}
        source={relation.local_field}
        perPage={10}
        sort={defaultSort(target)}
      >
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
