import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Box, Button, IconButton, Stack, TextField, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { useSecrets } from './Secrets.tsx';
import type { Header } from './webhook.ts';
import { WEBHOOKS } from './words.ts';

interface HeaderRowsProps {
  readonly headers: readonly Header[];
  readonly onChange: (headers: readonly Header[]) => void;
}

export function HeaderRows({ headers, onChange }: HeaderRowsProps): ReactElement {
  const t = useWords(WEBHOOKS);
  const kept = useSecrets().data?.data.map(({ name }) => name) ?? [];
  const put = (at: number, part: Partial<Header>): void =>
    onChange(headers.map((header, index) => (index === at ? { ...header, ...part } : header)));
  return (
    <Stack spacing={1} role="group" aria-label={t('headers')}>
      <Typography component="h2" variant="subtitle2">
        {t('headers')}
      </Typography>
      <Typography variant="caption" sx={{ color: 'text.secondary' }}>
        {t('header_hint')} {kept.length === 0 ? '' : t('known_secrets', { names: kept.join(', ') })}
      </Typography>
      {headers.map((header, index) => (
        <Box
          key={index}
          sx={{ display: 'grid', gap: 1, gridTemplateColumns: { xs: 'minmax(0, 1fr) 40px', sm: '1fr 2fr 40px' }, alignItems: 'center' }}
        >
          <TextField
            size="small"
            label={t('header_name', { at: index + 1 })}
            value={header.name}
            onChange={(event) => put(index, { name: event.target.value })}
          />
          <TextField
            size="small"
            label={t('header_value', { at: index + 1 })}
            value={header.value}
            onChange={(event) => put(index, { value: event.target.value })}
            sx={{ gridRow: { xs: 2, sm: 'auto' } }}
            slotProps={{ htmlInput: { spellCheck: false } }}
          />
          <IconButton aria-label={t('remove_header', { at: index + 1 })} onClick={() => onChange(headers.filter((_, at) => at !== index))}>
            <DeleteOutlined fontSize="small" />
          </IconButton>
        </Box>
      ))}
      <Button size="small" variant="outlined" sx={{ alignSelf: 'start' }} onClick={() => onChange([...headers, { name: '', value: '' }])}>
        {t('add_header')}
      </Button>
    </Stack>
  );
}
