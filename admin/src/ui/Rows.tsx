/** A table of what is not a record. On a phone each row is a card, its cells labelled by their columns. */
import { Box, Paper, Table, TableBody, TableCell, TableContainer, TableHead, TableRow, useMediaQuery, type Theme } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';

export interface Column<Row> {
  readonly key: string;
  readonly label: ReactNode;
  readonly cell: (row: Row) => ReactNode;
  readonly align?: 'left' | 'right';
  readonly width?: number | string;
}

interface RowsProps<Row> {
  /** The table's name for those who do not see it. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string | number;
  readonly isSelected?: (row: Row) => boolean;
}

export function Rows<Row>(props: RowsProps<Row>): ReactElement {
  const isNarrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  return isNarrow ? <Cards {...props} /> : <Grid {...props} />;
}

function Grid<Row>({ label, columns, rows, keyOf, isSelected }: RowsProps<Row>): ReactElement {
  return (
    <TableContainer component={Paper} variant="outlined" tabIndex={0} role="region" aria-label={label}>
      <Table size="small" aria-label={label}>
        <TableHead>
          <TableRow>
            {columns.map(({ key, label: heading, align, width }) => (
              <TableCell key={key} {...(align === undefined ? {} : { align })} sx={{ width, whiteSpace: 'nowrap', fontWeight: 600 }}>
                {heading}
              </TableCell>
            ))}
          </TableRow>
        </TableHead>
        <TableBody>
          {rows.map((row) => (
            <TableRow key={keyOf(row)} hover selected={isSelected?.(row) ?? false}>
              {columns.map(({ key, cell, align }) => (
                <TableCell key={key} {...(align === undefined ? {} : { align })} sx={{ overflowWrap: 'anywhere' }}>
                  {cell(row)}
                </TableCell>
              ))}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}

function Cards<Row>({ label, columns, rows, keyOf }: RowsProps<Row>): ReactElement {
  return (
    <Box component="ul" aria-label={label} sx={{ listStyle: 'none', m: 0, p: 0, display: 'grid', gap: 1 }}>
      {rows.map((row) => (
        <Paper key={keyOf(row)} component="li" variant="outlined" sx={{ p: 1.5 }}>
          <Box
            component="dl"
            sx={{ m: 0, display: 'grid', gridTemplateColumns: 'minmax(72px, max-content) minmax(0, 1fr)', columnGap: 2, rowGap: 0.5 }}
          >
            {columns.map(({ key, label: heading, cell }) => (
              <Box key={key} sx={{ display: 'contents' }}>
                <Box component="dt" sx={{ color: 'text.secondary', fontSize: 12 }}>
                  {heading}
                </Box>
                <Box component="dd" sx={{ m: 0, overflowWrap: 'anywhere' }}>
                  {cell(row)}
                </Box>
              </Box>
            ))}
          </Box>
        </Paper>
      ))}
    </Box>
  );
}
