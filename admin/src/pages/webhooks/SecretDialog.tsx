import { Button, Dialog, DialogActions, DialogContent, DialogTitle, Stack } from '@mui/material';
import { useId, type ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { Code } from '../../ui/Code.tsx';
import { WEBHOOKS } from './words.ts';

/** A secret that is shown this once: it goes by its button only. */
export function SecretDialog({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }): ReactElement {
  const t = useWords(WEBHOOKS);
  const id = useId();
  return (
    <Dialog open aria-labelledby={id} maxWidth="sm" fullWidth>
      <DialogTitle id={id}>{t('secret_title')}</DialogTitle>
      <DialogContent>
        <Stack spacing={2}>
          <div>{t('secret_says')}</div>
          <Code text={secret} label={t('secret_title')} />
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button variant="contained" onClick={onClose}>
          {t('secret_kept')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
