/** The rows of a list: a plain table that scrolls within itself, one line a row, so that a name of two hundred letters moves nothing. */
import {
  Box,
  Checkbox,
  Paper,
  Table,
  TableBody,
  TableCell,
  TableContainer,
  TableFooter,
  TableHead,
  TableRow,
  TableSortLabel,
} from '@mui/material';
import { memo, type ReactElement } from 'react';
import { useCreatePath, type RaRecord } from 'react-admin';
import { Link, useNavigate } from 'react-router-dom';
import { FieldValue } from '../../fields/FieldValue.tsx';
import { isNumeric, isSortable, titleOf } from '../../fields/values.ts';
import type { DiscoveredEntity, DiscoveredField } from '../../discovery.ts';
import { useWords } from '../../i18n/words.ts';
import { useDensity, type Density } from './ColumnsMenu.tsx';
import { EditableCell, isEditable } from './EditableCell.tsx';
import type { Sort } from './state.ts';
import { LIST } from './words.ts';

export interface RowsProps {
  readonly entity: DiscoveredEntity;
  readonly columns: readonly DiscoveredField[];
  readonly rows: readonly RaRecord[];
  readonly sort: Sort;
  readonly onSort: (sort: Sort) => void;
  /** Undefined where nothing can be done with several. */
  readonly selection: Selection | undefined;
  readonly isEditing: boolean;
  readonly isTrash: boolean;
  /** Sums of the whole list by field. */
  readonly sums: Readonly<Record<string, string>> | undefined;
}

export interface Selection {
  readonly ids: ReadonlySet<string>;
  readonly toggle: (id: string) => void;
  readonly togglePage: () => void;
}

const HEIGHTS: Readonly<Record<Density, number>> = { compact: 30, normal: 36, comfortable: 44 };

export function RecordTable(props: RowsProps): ReactElement {
  const { entity, columns, rows, selection, sums } = props;
  const t = useWords(LIST);
  const [density] = useDensity();
  const label = t('list_table', { name: entity.label });
  const some = rows.some((row) => selection?.ids.has(String(row.id)));
  const all = rows.length > 0 && rows.every((row) => selection?.ids.has(String(row.id)));
  return (
    <TableContainer component={Paper} variant="outlined" tabIndex={0} role="region" aria-label={label}>
      <Table
        size="small"
        aria-label={label}
        sx={{
          '& td, & th': {
            height: HEIGHTS[density],
            py: 0,
            px: 1.25,
            maxWidth: 360,
            overflow: 'hidden',
            textOverflow: 'ellipsis',
            whiteSpace: 'nowrap',
          },
          '& th': { fontWeight: 600 },
          '& .pick': { width: 40, px: 0.5, textOverflow: 'clip' },
        }}
      >
        <TableHead>
          <TableRow>
            {selection === undefined ? null : (
              <TableCell className="pick">
                <Checkbox
                  size="small"
                  checked={all}
                  indeterminate={some && !all}
                  onChange={selection.togglePage}
                  slotProps={{ input: { 'aria-label': t('select_page') } }}
                />
              </TableCell>
            )}
            {columns.map((field) => (
              <HeadCell key={field.name} field={field} {...props} />
            ))}
          </TableRow>
        </TableHead>
        <TableBody>
          {rows.map((row) => (
            <Row
              key={row.id}
              entity={entity}
              columns={columns}
              row={row}
              isEditing={props.isEditing}
              isTrash={props.isTrash}
              {...(selection === undefined ? {} : { isSelected: selection.ids.has(String(row.id)), onToggle: selection.toggle })}
            />
          ))}
        </TableBody>
        {sums === undefined ? null : <Sums {...props} sums={sums} />}
      </Table>
    </TableContainer>
  );
}

function HeadCell({ field, sort, onSort }: RowsProps & { readonly field: DiscoveredField }): ReactElement {
  const isSorted = sort.field === field.name;
  const direction = sort.order === 'ASC' ? 'asc' : 'desc';
  const align = isNumeric(field) ? 'right' : 'left';
  if (!isSortable(field)) return <TableCell align={align}>{field.label}</TableCell>;
  return (
    <TableCell align={align} sortDirection={isSorted ? direction : false}>
      <TableSortLabel
        active={isSorted}
        direction={isSorted ? direction : 'asc'}
        onClick={() => onSort({ field: field.name, order: isSorted && sort.order === 'ASC' ? 'DESC' : 'ASC' })}
      >
        {field.label}
      </TableSortLabel>
    </TableCell>
  );
}

interface RowProps extends Pick<RowsProps, 'entity' | 'columns' | 'isEditing' | 'isTrash'> {
  readonly row: RaRecord;
  readonly isSelected?: boolean;
  readonly onToggle?: (id: string) => void;
}

const Row = memo(function Row({ entity, columns, row, isEditing, isTrash, isSelected, onToggle }: RowProps): ReactElement {
  const t = useWords(LIST);
  const createPath = useCreatePath();
  const navigate = useNavigate();
  const id = String(row.id);
  const title = titleOf(row, entity.display_field);
  const open = createPath({ resource: entity.name, id, type: 'show' });
  // A deleted record has no page, and a click into a cell that is edited opens nothing.
  const isOpening = !isEditing && !isTrash;
  return (
    <TableRow
      hover
      selected={isSelected ?? false}
      {...(isOpening ? { onClick: () => (hasMarked() ? undefined : void navigate(open)) } : {})}
      sx={isOpening ? { cursor: 'pointer' } : {}}
    >
      {onToggle === undefined ? null : (
        <TableCell className="pick" onClick={(event) => event.stopPropagation()}>
          <Checkbox
            size="small"
            checked={isSelected === true}
            onChange={() => onToggle(id)}
            slotProps={{ input: { 'aria-label': t('select_row', { title }) } }}
          />
        </TableCell>
      )}
      {columns.map((field) => (
        <TableCell key={field.name} align={isNumeric(field) ? 'right' : 'left'} dir="auto">
          {isEditing && isEditable(entity, field) ? (
            <EditableCell entity={entity} field={field} row={row} />
          ) : field.name === entity.display_field && !isTrash ? (
            <Link
              to={open}
              onClick={(event) => event.stopPropagation()}
              style={{ color: 'inherit', textDecoration: 'none', fontWeight: 500, lineHeight: '24px', display: 'inline-block' }}
            >
              {title}
            </Link>
          ) : (
            <FieldValue entity={entity} field={field} value={row[field.name]} record={row} />
          )}
        </TableCell>
      ))}
    </TableRow>
  );
});

/** Somebody who marks a text in a row does not want to leave. */
const hasMarked = (): boolean => (window.getSelection()?.toString() ?? '') !== '';

function Sums({ entity, columns, selection, sums }: RowsProps & { readonly sums: Readonly<Record<string, string>> }): ReactElement {
  const t = useWords(LIST);
  return (
    <TableFooter>
      <TableRow sx={{ '& td': { color: 'text.primary', fontWeight: 600, fontSize: 'inherit', borderBottom: 0 } }}>
        {selection === undefined ? null : <TableCell className="pick" />}
        {columns.map((field, index) => (
          <TableCell key={field.name} align={isNumeric(field) ? 'right' : 'left'}>
            {sums[field.name] !== undefined ? (
              <FieldValue entity={entity} field={field} value={sums[field.name]} />
            ) : index === 0 ? (
              t('sum')
            ) : null}
          </TableCell>
        ))}
      </TableRow>
    </TableFooter>
  );
}

/** On a phone each record is a card: its title, and the rest as pairs. */
export function RecordCards({ entity, columns, rows, selection, isTrash }: RowsProps): ReactElement {
  const t = useWords(LIST);
  const createPath = useCreatePath();
  return (
    <Box
      component="ul"
      aria-label={t('list_table', { name: entity.label })}
      sx={{ listStyle: 'none', m: 0, p: 0, display: 'grid', gap: 1 }}
    >
      {rows.map((row) => {
        const title = titleOf(row, entity.display_field);
        return (
          <Paper key={row.id} component="li" variant="outlined" sx={{ p: 1.5, minWidth: 0 }}>
            <Box sx={{ display: 'flex', alignItems: 'center', gap: 0.5, minWidth: 0 }}>
              {selection === undefined ? null : (
                <Checkbox
                  size="small"
                  sx={{ ml: -1 }}
                  checked={selection.ids.has(String(row.id))}
                  onChange={() => selection.toggle(String(row.id))}
                  slotProps={{ input: { 'aria-label': t('select_row', { title }) } }}
                />
              )}
              <Box
                dir="auto"
                sx={{ fontWeight: 600, overflowWrap: 'anywhere', minWidth: 0, '& a': { color: 'inherit', textDecoration: 'none' } }}
              >
                {isTrash ? title : <Link to={createPath({ resource: entity.name, id: row.id, type: 'show' })}>{title}</Link>}
              </Box>
            </Box>
            <Box
              component="dl"
              sx={{
                m: 0,
                mt: 0.5,
                display: 'grid',
                gridTemplateColumns: 'minmax(72px, max-content) minmax(0, 1fr)',
                columnGap: 2,
                rowGap: 0.5,
              }}
            >
              {columns
                .filter((field) => field.name !== entity.display_field)
                .map((field) => (
                  <Box key={field.name} sx={{ display: 'contents' }}>
                    <Box component="dt" sx={{ color: 'text.secondary', fontSize: 12 }}>
                      {field.label}
                    </Box>
                    <Box component="dd" dir="auto" sx={{ m: 0, overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}>
                      <FieldValue entity={entity} field={field} value={row[field.name]} record={row} />
                    </Box>
                  </Box>
                ))}
            </Box>
          </Paper>
        );
      })}
    </Box>
  );
}
