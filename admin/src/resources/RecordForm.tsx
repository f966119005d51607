import { Box } from '@mui/material';
import type { ReactElement } from 'react';
import { Create, DeleteButton, Edit, SaveButton, SimpleForm, Toolbar } from 'react-admin';
import { inputFor } from '../fields/registry.tsx';
import { useHoldLive } from '../shell/Live.tsx';
import { Columns, isLong, WIDE } from './Columns.tsx';
import { RecordTitle } from './RecordPage.tsx';
import { displayFieldOf, editableFields, type EntityProps } from './shape.ts';

export function CreatePage(of: EntityProps): ReactElement {
  return (
    <Create title={`New ${of.entity.label.toLowerCase()}`} redirect="show">
      <RecordForm {...of} />
    </Create>
  );
}

export function EditPage(of: EntityProps): ReactElement {
  return (
    <Edit title={<RecordTitle entity={of.entity} />} mutationMode="pessimistic" redirect="show">
      <RecordForm {...of} canDelete={of.entity.permissions.delete} />
    </Edit>
  );
}

interface RecordFormProps extends EntityProps {
  readonly canDelete?: boolean;
}

function RecordForm({ discovery, entity, canDelete = false }: RecordFormProps): ReactElement {
  useHoldLive();
  const fields = editableFields(entity);
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
            {inputFor(field, (name) => displayFieldOf(discovery, name))}
          </Box>
        ))}
      </Columns>
    </SimpleForm>
  );
}
