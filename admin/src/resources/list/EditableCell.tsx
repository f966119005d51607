/** A value of a list that is changed where it stands. Only the cell one is at is an input, so a page of them stays light. */
import { Box, ButtonBase } from '@mui/material';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState, type KeyboardEvent, type ReactElement } from 'react';
import { useDataProvider, type RaRecord } from 'react-admin';
import { FieldValue } from '../../fields/FieldValue.tsx';
import { fromInput, inputText, plainText, titleOf } from '../../fields/values.ts';
import { ValueInput } from '../../fields/ValueInput.tsx';
import { FIELDS } from '../../fields/words.ts';
import type { DiscoveredEntity, DiscoveredField } from '../../discovery.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { refusedBody } from '../../providers/record-error.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { useSay } from '../../ui/say.ts';
import { editableFields } from '../shape.ts';
import { LIST } from './words.ts';

interface EditableCellProps {
  readonly entity: DiscoveredEntity;
  readonly field: DiscoveredField;
  readonly row: RaRecord;
}

/** JSON and files are edited on the record's page. */
export const isEditable = (entity: DiscoveredEntity, field: DiscoveredField): boolean =>
  entity.permissions.update && field.type !== 'file' && field.type !== 'json' && editableFields(entity).includes(field);

export function EditableCell({ entity, field, row }: EditableCellProps): ReactElement {
  const t = useWords(LIST);
  const [isOpen, setOpen] = useState(false);
  const title = titleOf(row, entity.display_field);
  const text = useCellText(entity, field, row);
  const button = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    setOpen(false);
    setTimeout(() => button.current?.focus(), 0);
  };
  if (isOpen) return <OpenCell entity={entity} field={field} row={row} onClose={close} />;
  return (
    <ButtonBase
      ref={button}
      aria-label={`${t('edit_cell', { field: field.label, title })}: ${text}`}
      onClick={() => setOpen(true)}
      sx={{
        width: '100%',
        minHeight: 24,
        px: 0.5,
        borderRadius: 0.5,
        font: 'inherit',
        justifyContent: 'inherit',
        textAlign: 'inherit',
        '&:hover': { outline: 1, outlineColor: 'divider' },
      }}
    >
      <Box
        component="span"
        sx={{ overflow: 'hidden', textOverflow: 'ellipsis', pointerEvents: 'none', minWidth: 0, flex: 1, textAlign: 'inherit' }}
      >
        {field.references === null ? <FieldValue entity={entity} field={field} value={row[field.name]} record={row} /> : text}
      </Box>
    </ButtonBase>
  );
}

/** What the cell shows, as text: a button holds no link to the other record. */
function useCellText(entity: DiscoveredEntity, field: DiscoveredField, row: RaRecord): string {
  const format = useFormat();
  const words = useWords(FIELDS);
  const discovery = useDiscovery();
  const value: unknown = row[field.name];
  if (value === null || value === undefined || value === '') return '–';
  const relation = entity.relations.find((one) => one.direction === 'forward' && one.local_field === field.name);
  const included: unknown = relation === undefined ? undefined : row[relation.name];
  const display = entityNamed(discovery, field.references ?? '')?.display_field;
  if (typeof included === 'object' && included !== null && display !== undefined) return titleOf({ id: value, ...included }, display);
  return plainText(field, value, format, words);
}

function OpenCell({ entity, field, row, onClose }: EditableCellProps & { readonly onClose: () => void }): ReactElement {
  const t = useWords(LIST);
  const say = useSay();
  const queries = useQueryClient();
  const provider = useDataProvider();
  const [typed, setTyped] = useState(() => inputText(field, row[field.name]));
  const [problem, setProblem] = useState<string>();
  // Read when the cell is opened: its version makes a change of somebody else meanwhile a conflict, and not a loss.
  const [before] = useState(() => provider.getOne(entity.name, { id: row.id }).then(({ data }) => data as RaRecord));
  const isSaving = useRef(false);
  const title = titleOf(row, entity.display_field);

  const save = async (text: string): Promise<void> => {
    if (text === inputText(field, row[field.name])) return onClose();
    if (isSaving.current) return;
    isSaving.current = true;
    try {
      const previousData = await before;
      await provider.update(entity.name, { id: row.id, data: { ...previousData, [field.name]: fromInput(field, text) }, previousData });
      say(t('saved_cell', { field: field.label, title }), 'success');
      await queries.invalidateQueries({ queryKey: [entity.name] });
      onClose();
    } catch (error) {
      const own = refusedBody(error)?.errors[field.name];
      setProblem(typeof own === 'string' ? own : error instanceof Error ? error.message : '');
    } finally {
      isSaving.current = false;
    }
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') onClose();
    else if (event.key === 'Enter' && !event.shiftKey && !isList(event)) void save(typed);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const isChosen = field.enum !== null || field.references !== null || field.type === 'boolean';
  return (
    <Box
      onClick={(event) => event.stopPropagation()}
      onBlur={(event) => (leaves(event) && !isChosen ? void save(typed) : undefined)}
      sx={{ minWidth: 140, py: 0.5 }}
    >
      <ValueInput
        isBare
        autoFocus
        entity={entity}
        field={field}
        label={t('edit_cell', { field: field.label, title })}
        value={typed}
        isInvalid={problem !== undefined}
        {...(problem === undefined ? {} : { helperText: problem })}
        onKeyDown={press}
        onChange={(value) => {
          setTyped(value);
          setProblem(undefined);
          if (isChosen) void save(value);
        }}
      />
    </Box>
  );
}

/** Enter in an open list of choices chooses one. */
const isList = (event: KeyboardEvent): boolean =>
  event.target instanceof HTMLElement && event.target.getAttribute('aria-expanded') !== null;

const leaves = (event: React.FocusEvent): boolean => !event.currentTarget.contains(event.relatedTarget);
