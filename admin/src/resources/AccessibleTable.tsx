/** react-admin's table with what axe misses in it: a named checkbox per row, and (see TitleLink) a real link for keyboards. */
import { Checkbox, TableCell, TableRow } from '@mui/material';
import { memo, type ReactElement } from 'react';
import {
  DataTable,
  DataTableBody,
  useCreatePath,
  useDataTableCallbacksContext,
  useDataTableConfigContext,
  useDataTableSelectedIdsContext,
  useRecordContext,
  useResourceContext,
  type DataTableProps,
  type DataTableRowProps,
} from 'react-admin';
import { Link, useNavigate } from 'react-router-dom';

interface AccessibleTableProps extends DataTableProps {
  /** The field whose value names the record. */
  readonly rowTitle: string;
}

export function AccessibleTable({ rowTitle, children, ...rest }: AccessibleTableProps): ReactElement {
  return (
    <DataTable {...rest} body={(props) => <DataTableBody {...props} row={rowFor(rowTitle)} />}>
      {children}
    </DataTable>
  );
}

type Row = (props: DataTableRowProps) => ReactElement | null;
const rows = new Map<string, Row>();

/** One component per title field, kept, so that React does not remount the rows at every render. */
function rowFor(rowTitle: string): Row {
  let row = rows.get(rowTitle);
  if (row === undefined) {
    row = memo(function TitledRow(props: DataTableRowProps) {
      return <AccessibleRow rowTitle={rowTitle} {...props} />;
    }) as unknown as Row;
    rows.set(rowTitle, row);
  }
  return row;
}

function AccessibleRow({ rowTitle, children }: DataTableRowProps & { readonly rowTitle: string }): ReactElement | null {
  const record = useRecordContext();
  const resource = useResourceContext();
  const createPath = useCreatePath();
  const navigate = useNavigate();
  const { hasBulkActions } = useDataTableConfigContext();
  const selected = useDataTableSelectedIdsContext() ?? [];
  const { handleToggleItem } = useDataTableCallbacksContext();
  if (record === undefined || resource === undefined) return null;
  const isSelected = selected.includes(record.id);
  return (
    <TableRow
      hover
      selected={isSelected}
      sx={{ cursor: 'pointer' }}
      onClick={() => void navigate(createPath({ resource, id: record.id, type: 'show' }))}
    >
      {hasBulkActions ? (
        <TableCell padding="checkbox" onClick={(event) => event.stopPropagation()}>
          <Checkbox
            checked={isSelected}
            size="small"
            slotProps={{ input: { 'aria-label': `Select ${titleOf(record, rowTitle)}` } }}
            onClick={(event) => handleToggleItem?.(record.id, event as never)}
          />
        </TableCell>
      ) : null}
      {children}
    </TableRow>
  );
}

const titleOf = (record: { readonly id: unknown; readonly [field: string]: unknown }, field: string): string => {
  const title = record[field];
  return typeof title === 'string' || typeof title === 'number' ? String(title) : String(record.id as string);
};

/** The record's title as a link to its page: how one opens a row without a mouse. */
export function TitleLink({ source }: { readonly source: string; readonly label?: string }): ReactElement | null {
  const record = useRecordContext();
  const resource = useResourceContext();
  const createPath = useCreatePath();
  if (record === undefined || resource === undefined) return null;
  return (
    <Link
      to={createPath({ resource, id: record.id, type: 'show' })}
      onClick={(event) => event.stopPropagation()}
      style={{ color: 'inherit' }}
    >
      {titleOf(record, source)}
    </Link>
  );
}
