import { Chip, Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { USERS } from './words.ts';

export function RoleChips({ roles }: { readonly roles: readonly string[] }): ReactElement {
  const t = useWords(USERS);
  if (roles.length === 0)
    return (
      <Typography variant="body2" component="span" sx={{ color: 'text.secondary' }}>
        {t('no_roles')}
      </Typography>
    );
  return (
    <Stack direction="row" component="span" spacing={0.5} useFlexGap sx={{ flexWrap: 'wrap' }}>
      {roles.map((role) => (
        <Chip key={role} component="span" size="small" label={role} />
      ))}
    </Stack>
  );
}
