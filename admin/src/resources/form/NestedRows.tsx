/** The rows that belong to a record, edited within its form. */
import AddOutlined from '@mui/icons-material/AddOutlined';
import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import UndoOutlined from '@mui/icons-material/UndoOutlined';
import { Box, Button, IconButton, Paper, Stack, Tooltip, Typography } from '@mui/material';
import { useEffect, useRef, type ReactElement } from 'react';
import { useFieldArray, useFormContext, useWatch } from 'react-hook-form';
import { FieldValue } from '../../fields/FieldValue.tsx';
import { titleOf } from '../../fields/values.ts';
import { useWords } from '../../i18n/words.ts';
import { isLong, WIDE } from '../Columns.tsx';
import { defaultsOf, partLabel } from '../shape.ts';
import { focusFirst } from './focus.ts';
import { FormInput } from './FormInput.tsx';
import { REMOVED, type NestedRelation, type Row } from './rows.ts';
import { FORM } from './words.ts';

interface NestedRowsProps {
  readonly nested: NestedRelation;
  readonly stored: readonly Row[];
  /** More than are stored here, where there are too many for a form. */
  readonly total: number;
}

export function NestedRows({ nested, stored, total }: NestedRowsProps): ReactElement {
  const t = useWords(FORM);
  const { relation, target } = nested;
  const { fields: rows, append, remove } = useFieldArray({ name: relation.name, keyName: '_key' });
  const section = useRef<HTMLElement>(null);
  const added = useRef(false);
  const label = partLabel(relation);
  useEffect(() => {
    if (added.current) focusFirst(section.current?.querySelector('[data-row]:last-of-type') ?? null);
    added.current = false;
  }, [rows.length]);
  return (
    <Box component="section" ref={section} aria-label={label} sx={{ width: '100%', mt: 2, minWidth: 0 }}>
      <Typography variant="subtitle1" component="h2" sx={{ fontWeight: 600, mb: 1 }}>
        {label}
      </Typography>
      {total > stored.length ? (
        <Typography variant="body2" sx={{ color: 'text.secondary', mb: 1 }}>
          {t('rows_shown', { shown: stored.length, total })}
        </Typography>
      ) : null}
      {rows.length === 0 ? (
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {t('no_rows')}
        </Typography>
      ) : null}
      <Stack spacing={1}>
        {rows.map((row, index) => (
          <NestedRow key={row._key} nested={nested} index={index} stored={stored[index]} onDrop={() => remove(index)} />
        ))}
      </Stack>
      {target.permissions.create ? (
        <Button
          size="small"
          startIcon={<AddOutlined />}
          sx={{ mt: 1 }}
          onClick={() => {
            added.current = true;
            append(defaultsOf(nested.fields), { shouldFocus: false });
          }}
        >
          {t('add_row', { rows: label })}
        </Button>
      ) : null}
    </Box>
  );
}

interface NestedRowProps {
  readonly nested: NestedRelation;
  readonly index: number;
  /** Undefined for a new one. */
  readonly stored: Row | undefined;
  readonly onDrop: () => void;
}

function NestedRow({ nested: { relation, target, fields }, index, stored, onDrop }: NestedRowProps): ReactElement {
  const t = useWords(FORM);
  const { setValue } = useFormContext();
  const source = `${relation.name}.${index}`;
  const isRemoved = useWatch({ name: `${source}.${REMOVED}` }) === true;
  const row = t('row', { rows: partLabel(relation), number: index + 1 });
  const mark = (removed: boolean): void => setValue(`${source}.${REMOVED}`, removed ? true : undefined, { shouldDirty: true });
  const canDrop = stored === undefined || target.permissions.delete;
  return (
    <Paper
      variant="outlined"
      role="group"
      aria-label={row}
      data-row
      sx={{ p: 1.5, display: 'flex', gap: 1, alignItems: 'start', minWidth: 0 }}
    >
      <Box sx={{ flex: 1, minWidth: 0 }}>
        {isRemoved && stored !== undefined ? (
          <Typography sx={{ color: 'text.secondary', overflowWrap: 'anywhere' }}>
            <del>{titleOf(stored, target.display_field)}</del> {t('row_removed')}
          </Typography>
        ) : (
          <Box sx={GRID}>
            {fields.map((field) =>
              stored === undefined || target.permissions.update ? (
                <FormInput key={field.name} field={field} source={`${source}.${field.name}`} />
              ) : (
                <Box key={field.name} sx={{ minWidth: 0, overflowWrap: 'anywhere', ...(isLong(field) ? WIDE : {}) }}>
                  <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                    {field.label}
                  </Typography>
                  <FieldValue entity={target} field={field} value={stored[field.name]} place="record" />
                </Box>
              ),
            )}
          </Box>
        )}
      </Box>
      {canDrop ? (
        <Tooltip title={t(isRemoved ? 'keep_row' : 'remove_row', { row })}>
          <IconButton
            size="small"
            aria-label={t(isRemoved ? 'keep_row' : 'remove_row', { row })}
            onClick={() => (stored === undefined ? onDrop() : mark(!isRemoved))}
          >
            {isRemoved ? <UndoOutlined fontSize="small" /> : <DeleteOutlined fontSize="small" />}
          </IconButton>
        </Tooltip>
      ) : null}
    </Paper>
  );
}

/** As many inputs beside each other as there is room for. */
const GRID = { display: 'grid', columnGap: 2, rowGap: 1, gridTemplateColumns: 'repeat(auto-fill, minmax(min(220px, 100%), 1fr))' } as const;
