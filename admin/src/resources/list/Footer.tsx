import ChevronLeft from '@mui/icons-material/ChevronLeft';
import ChevronRight from '@mui/icons-material/ChevronRight';
import { IconButton, MenuItem, Stack, TextField, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { PAGE_SIZES } from './state.ts';
import type { ListControl } from './use-list-state.ts';
import { LIST } from './words.ts';

interface FooterProps {
  readonly control: ListControl;
  readonly total: number | undefined;
  readonly isEstimated: boolean;
  readonly shown: number;
  readonly hasNext: boolean;
}

/** Rows, pages and page size in one line. */
export function Footer({ control, total, isEstimated, shown, hasNext }: FooterProps): ReactElement {
  const t = useWords(LIST);
  const format = useFormat();
  const { page, perPage } = control.state;
  const from = format.number((page - 1) * perPage + 1);
  const to = format.number((page - 1) * perPage + shown);
  const whole = total === undefined ? undefined : isEstimated ? t('about', { total: format.number(total) }) : format.number(total);
  const range = whole === undefined ? t('range_open', { from, to }) : t('range', { from, to, total: whole });
  return (
    <Stack direction="row" spacing={2} useFlexGap sx={{ alignItems: 'center', justifyContent: 'flex-end', flexWrap: 'wrap', py: 1 }}>
      <TextField
        select
        size="small"
        variant="standard"
        value={perPage}
        onChange={(event) => control.set({ perPage: Number(event.target.value) })}
        slotProps={{ select: { SelectDisplayProps: { 'aria-label': t('page_size') } }, input: { disableUnderline: true } }}
        helperText=""
      >
        {PAGE_SIZES.map((size) => (
          <MenuItem key={size} value={size}>
            {format.number(size)}
          </MenuItem>
        ))}
      </TextField>
      <Typography variant="body2" role="status">
        {shown === 0 ? '' : range}
      </Typography>
      <Stack direction="row">
        <IconButton size="small" aria-label={t('previous')} disabled={page <= 1} onClick={() => control.set({ page: page - 1 })}>
          <ChevronLeft />
        </IconButton>
        <IconButton size="small" aria-label={t('next')} disabled={!hasNext} onClick={() => control.set({ page: page + 1 })}>
          <ChevronRight />
        </IconButton>
      </Stack>
    </Stack>
  );
}
