/** The forms of an entity: new records and stored ones, with the rows that belong to them. */
import { Box, Button, CardContent } from '@mui/material';
import { useQueries } from '@tanstack/react-query';
import { useMemo, useState, type ReactElement } from 'react';
import {
  Create,
  DeleteButton,
  Edit,
  Form,
  SaveButton,
  useCreatePath,
  useDataProvider,
  useRecordContext,
  useRedirect,
  type RaRecord,
} from 'react-admin';
import { useFormContext } from 'react-hook-form';
import { Link } from 'react-router-dom';
import { useWords } from '../../i18n/words.ts';
import type { RecordProvider } from '../../providers/data-provider.ts';
import { useHoldLive } from '../../shell/Live.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Columns } from '../Columns.tsx';
import { RecordTitle } from '../RecordPage.tsx';
import { defaultsOf, defaultSort, editableFields, partLabel, type EntityProps } from '../shape.ts';
import { Conflict } from './Conflict.tsx';
import { CreateDrawer } from './CreateDrawer.tsx';
import { CreatingContext, type Creating } from './creating.ts';
import { ErrorSummary } from './ErrorSummary.tsx';
import { FormInput } from './FormInput.tsx';
import { LeaveGuard } from './leave.tsx';
import { NestedRows } from './NestedRows.tsx';
import { nestedRelations, type NestedRelation, type Row } from './rows.ts';
import { useCreateRecord, useUpdateRecord, type Faster } from './save.ts';
import { FORM } from './words.ts';

export function CreatePage(of: EntityProps): ReactElement {
  const t = useWords(FORM);
  return (
    <Create title={t('new_record', { entity: of.entity.label })}>
      <NewRecord {...of} />
    </Create>
  );
}

function NewRecord({ discovery, entity }: EntityProps): ReactElement {
  const redirect = useRedirect();
  const nested = useNested({ discovery, entity });
  const submit = useCreateRecord(entity, ({ id }) => redirect('show', entity.name, id), nested);
  return <RecordForm discovery={discovery} entity={entity} nested={nested} submit={submit} />;
}

const useNested = ({ discovery, entity }: EntityProps): readonly NestedRelation[] =>
  useMemo(() => nestedRelations(discovery, entity), [discovery, entity]);

/** What was read when the form was opened is forgotten with it: the next one begins with what is stored then. */
const FRESH = { gcTime: 0, staleTime: Infinity };
/** Kept apart from what other pages have read of the record, which may be older. */
const FOR_FORM = { ...FRESH, meta: { for: 'form' } };

export function EditPage(of: EntityProps): ReactElement {
  return (
    <Edit title={<RecordTitle entity={of.entity} />} queryOptions={FOR_FORM}>
      <Opened {...of} />
    </Edit>
  );
}

function Opened(of: EntityProps): ReactElement | null {
  const record = useRecordContext();
  const nested = useNested(of);
  const [rows, error] = useStoredRows(nested, record?.id);
  if (record === undefined) return null;
  if (error !== null) return <Problem error={error} />;
  if (rows === undefined) return <Loading lines={8} />;
  return <StoredRecord key={record.id} {...of} record={record} nested={nested} rows={rows} />;
}

interface StoredRows {
  readonly data: readonly Row[];
  readonly total: number;
}

/** As many rows of a relation as a form holds. */
const MOST_ROWS = 100;

/** Undefined until those of all relations are there. */
function useStoredRows(
  nested: readonly NestedRelation[],
  id: RaRecord['id'] | undefined,
): readonly [rows: ReadonlyMap<string, StoredRows> | undefined, error: Error | null] {
  const provider = useDataProvider<RecordProvider>();
  const answers = useQueries({
    queries: nested.map(({ relation, target }) => ({
      ...FRESH,
      queryKey: [target.name, 'rows', relation.name, id],
      enabled: id !== undefined,
      queryFn: async (): Promise<StoredRows> => {
        const filter = { [`${relation.target_field}|eq`]: id };
        const pagination = { page: 1, perPage: MOST_ROWS };
        // The oldest first: new ones follow them.
        const sort = { ...defaultSort(target), order: 'ASC' as const };
        const { data, total } = await provider.getList(target.name, { pagination, filter, sort });
        return { data, total: total ?? data.length };
      },
    })),
  });
  const found = nested.flatMap(({ relation }, index) => {
    const data = answers[index]?.data;
    return data === undefined ? [] : [[relation.name, data] as const];
  });
  return [found.length === nested.length ? new Map(found) : undefined, answers.find(({ error }) => error !== null)?.error ?? null];
}

interface StoredRecordProps extends EntityProps {
  readonly record: RaRecord;
  readonly nested: readonly NestedRelation[];
  readonly rows: ReadonlyMap<string, StoredRows>;
}

function StoredRecord({ discovery, entity, record, nested, rows }: StoredRecordProps): ReactElement {
  // As it was when the form was opened: nothing that is read later goes over what is typed.
  const [stored] = useState<RaRecord>(() => ({ ...record, ...Object.fromEntries([...rows].map(([name, { data }]) => [name, data])) }));
  const { submit, faster, settle } = useUpdateRecord(entity, stored, nested);
  return (
    <RecordForm discovery={discovery} entity={entity} nested={nested} submit={submit} stored={stored} rows={rows}>
      {faster === undefined ? null : <Meanwhile discovery={discovery} entity={entity} faster={faster} settle={settle} />}
    </RecordForm>
  );
}

interface MeanwhileProps extends EntityProps {
  readonly faster: Faster;
  readonly settle: (isSeen: boolean) => void;
}

/** Takes what was chosen into the form and saves it again. */
function Meanwhile({ discovery, entity, faster, settle }: MeanwhileProps): ReactElement {
  const { setValue, clearErrors } = useFormContext();
  const save = (values: Row): void => {
    for (const [name, value] of Object.entries(values)) setValue(name, value, { shouldDirty: true });
    clearErrors();
    settle(true);
    const form = document.getElementById(FORM_ID);
    if (form instanceof HTMLFormElement) form.requestSubmit();
  };
  return <Conflict discovery={discovery} entity={entity} {...faster} onSave={save} onClose={() => settle(false)} />;
}

/** There is one of them on a page; a drawer's is another. */
const FORM_ID = 'record-form';

interface RecordFormProps extends EntityProps {
  readonly nested: readonly NestedRelation[];
  readonly submit: (values: Row) => Promise<unknown>;
  readonly stored?: RaRecord;
  readonly rows?: ReadonlyMap<string, StoredRows>;
  readonly children?: ReactElement | null;
}

function RecordForm({ discovery, entity, nested, submit, stored, rows, children }: RecordFormProps): ReactElement {
  useHoldLive();
  const fields = editableFields(entity);
  const [creating, setCreating] = useState<Creating>();
  const labelOf = useInputLabels(entity, nested);
  const start = useMemo(
    () => ({ ...defaultsOf(editableFields(entity)), ...Object.fromEntries(nested.map(({ relation }) => [relation.name, []])) }),
    [entity, nested],
  );
  return (
    <Form
      id={FORM_ID}
      noValidate
      {...(stored === undefined ? {} : { record: stored })}
      defaultValues={start}
      onSubmit={submit}
      shouldFocusError={false}
      disableInvalidFormNotification
      warnWhenUnsavedChanges
      WarnWhenUnsavedChangesComponent={LeaveGuard}
    >
      <CreatingContext value={setCreating}>
        <CardContent sx={{ maxWidth: 1200 }}>
          <ErrorSummary labelOf={labelOf} />
          <Columns>
            {fields.map((field) => (
              <FormInput key={field.name} field={field} />
            ))}
          </Columns>
          {nested.map((one) => (
            <NestedRows
              key={one.relation.name}
              nested={one}
              stored={rows?.get(one.relation.name)?.data ?? []}
              total={rows?.get(one.relation.name)?.total ?? 0}
            />
          ))}
        </CardContent>
        <FormActions discovery={discovery} entity={entity} stored={stored} />
        {creating === undefined ? null : (
          <CreatingContext value={undefined}>
            <CreateDrawer creating={creating} onClose={() => setCreating(undefined)} />
          </CreatingContext>
        )}
        {children}
      </CreatingContext>
    </Form>
  );
}

/** `lines.1.qty` is called "Lines 2: Quantity". */
function useInputLabels({ fields }: EntityProps['entity'], nested: readonly NestedRelation[]): (source: string) => string {
  const t = useWords(FORM);
  return (source) => {
    const [first = '', index, name] = source.split('.');
    const of = nested.find(({ relation }) => relation.name === first);
    if (of === undefined || index === undefined) return fields.find((field) => field.name === first)?.label ?? source;
    const row = t('row', { rows: partLabel(of.relation), number: Number(index) + 1 });
    return t('in_row', { row, field: of.fields.find((field) => field.name === name)?.label ?? name ?? '' });
  };
}

interface FormActionsProps extends EntityProps {
  readonly stored: RaRecord | undefined;
}

/** Stays in view, however long the form is. */
function FormActions({ entity, stored }: FormActionsProps): ReactElement {
  const t = useWords(FORM);
  const createPath = useCreatePath();
  const back = createPath(
    stored === undefined ? { resource: entity.name, type: 'list' } : { resource: entity.name, type: 'show', id: stored.id },
  );
  return (
    <Box
      sx={{
        position: 'sticky',
        bottom: 0,
        zIndex: 1,
        display: 'flex',
        gap: 1,
        px: 2,
        py: 1.5,
        bgcolor: 'background.paper',
        borderTop: 1,
        borderColor: 'divider',
      }}
    >
      <SaveButton alwaysEnable />
      <Button component={Link} to={back}>
        {t('cancel')}
      </Button>
      <Box sx={{ flex: 1 }} />
      {stored !== undefined && entity.permissions.delete ? <DeleteButton mutationMode="pessimistic" /> : null}
    </Box>
  );
}
